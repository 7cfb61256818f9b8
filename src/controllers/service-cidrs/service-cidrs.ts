// ServiceCIDR: marks ranges of service addresses as ready, and keeps one that is being deleted until no
// address needs it any more. Source: pkg/controller/servicecidrs/servicecidrs_controller.go.
import { isNotFound } from '../../api/api-error.ts'
import type { ServiceCIDR } from '../../api/generated/models.ts'
import { ipAddresses, serviceCidrs } from '../../api/resources.ts'
import { ipv4RangesOf, isServiceAddress, readyCondition, serviceCidrFinalizer } from '../../api/service-ranges.ts'
import type { Client } from '../../client/client.ts'
import type { ControllerContext, ControllerDefinition, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { formatTime } from '../../lib/clock.ts'
import { isHostAddress, rangeContains } from '../../lib/ipv4.ts'

/** Until every API server has seen that nothing may be taken from the range any more. */
const deletionGraceMs = 10_000

export const serviceCidrController = (graceMs = deletionGraceMs): ControllerDefinition =>
  defineController({
    name: 'service-cidr-controller',
    watches: [
      // A range may take over the addresses of another one.
      watch({ resource: serviceCidrs, keysOf: (range, client) => [range.metadata.name, ...waitingRanges(client)] }),
      watch({ resource: ipAddresses, matters: () => false, keysOf: (_address, client) => waitingRanges(client) }),
    ],
    reconciler: context => keepRange(context, graceMs),
  })

const waitingRanges = (client: Client): string[] =>
  client
    .informer(serviceCidrs)
    .list()
    .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
    .map(({ metadata }) => metadata.name)

function keepRange({ client, clock }: ControllerContext, graceMs: number): Reconciler {
  return async function reconcile(name): Promise<Outcome> {
    const range = client.informer(serviceCidrs).get({ name })
    if (range === undefined) return 'done'
    const deletedAt = range.metadata.deletionTimestamp
    if (deletedAt === undefined) {
      const protectedRange = await setFinalizer(range, true)
      return setReady(protectedRange, 'True', '', 'Kubernetes Service CIDR is ready')
    }
    if (!(range.metadata.finalizers ?? []).includes(serviceCidrFinalizer)) return 'done'
    if (isNeeded(client, range))
      return setReady(
        range,
        'False',
        'Terminating',
        'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
      )
    const waitMs = Date.parse(deletedAt) + graceMs - clock.now()
    if (waitMs > 0) return { requeueAfterMs: waitMs }
    await setFinalizer(range, false)
    return 'done'
  }

  async function setFinalizer(range: ServiceCIDR, wanted: boolean): Promise<ServiceCIDR> {
    const { finalizers = [] } = range.metadata
    if (finalizers.includes(serviceCidrFinalizer) === wanted) return range
    const others = finalizers.filter(finalizer => finalizer !== serviceCidrFinalizer)
    return client.update(serviceCidrs, {
      ...range,
      metadata: { ...range.metadata, finalizers: wanted ? [...others, serviceCidrFinalizer] : others },
    })
  }

  async function setReady(
    range: ServiceCIDR,
    status: 'True' | 'False',
    reason: string,
    message: string,
  ): Promise<Outcome> {
    const conditions = range.status?.conditions ?? []
    if (conditions.find(({ type }) => type === 'Ready')?.status === status) return 'done'
    const others = conditions.filter(({ type }) => type !== 'Ready')
    const changed = {
      ...range,
      status: {
        ...range.status,
        conditions: [...others, readyCondition(status, reason, message, formatTime(clock.now()))],
      },
    }
    await client.update(serviceCidrs, changed, { subresource: 'status' }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    return 'done'
  }
}

/** Whether an address would be in no range at all without this one. */
function isNeeded(client: Client, range: ServiceCIDR): boolean {
  const own = ipv4RangesOf(range)
  const others = client
    .informer(serviceCidrs)
    .list()
    .filter(({ metadata }) => metadata.name !== range.metadata.name)
    .flatMap(ipv4RangesOf)
  const orphaned = own.filter(cidr => !others.some(other => rangeContains(other, cidr)))
  if (orphaned.length === 0) return false
  return client
    .informer(ipAddresses)
    .list()
    .some(
      address =>
        isServiceAddress(address) &&
        orphaned.some(cidr => isHostAddress(address.metadata.name, cidr)) &&
        !others.some(other => isHostAddress(address.metadata.name, other)),
    )
}
