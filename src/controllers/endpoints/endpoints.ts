// Publishes the addresses behind each service as one Endpoints object of the same name.
import { isAlreadyExists } from '../../api/api-error.ts'
import type { EndpointAddress, Endpoints, EndpointSubset, Pod, Service } from '../../api/generated/models.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import { endpoints, pods, services } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { removeObject } from '../../control/removal.ts'
import type { Backend, BackendPort } from '../../control/service-backends.ts'
import {
  backendsOf,
  byPorts,
  familiesOf,
  isHeadless,
  isManaged,
  targetReference,
  watchBackends,
} from '../../control/service-backends.ts'

const headlessLabel = 'service.kubernetes.io/headless'
const managedByLabel = 'endpoints.kubernetes.io/managed-by'
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity'
const capacity = 1000

interface EndpointsPlan {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly subsets: EndpointSubset[]
}

export function planEndpoints(service: Service, candidates: readonly Pod[]): EndpointsPlan {
  const all = backendsOf(service, candidates, familiesOf(service)[0] ?? 'IPv4').filter(
    backend => !backend.terminating || service.spec.publishNotReadyAddresses === true,
  )
  const kept = all.toSorted((a, b) => Number(b.ready) - Number(a.ready)).slice(0, capacity)
  const groups = [...byPorts(kept).values()].filter(
    group => group[0]!.ports.length > 0 || (service.spec.ports ?? []).length === 0,
  )
  return {
    labels: {
      ...service.metadata.labels,
      ...(isHeadless(service) && { [headlessLabel]: '' }),
      [managedByLabel]: 'endpoint-controller',
    },
    annotations: all.length > capacity ? { [overCapacityAnnotation]: 'truncated' } : {},
    subsets: groups.map(makeSubset),
  }
}

function makeSubset(group: readonly Backend[]): EndpointSubset {
  const ports = group[0]!.ports.map(makePort)
  const [ready, waiting] = [group.filter(backend => backend.ready), group.filter(backend => !backend.ready)]
  return {
    ...(ready.length > 0 && { addresses: ready.map(makeAddress).sort(byAddress) }),
    ...(waiting.length > 0 && { notReadyAddresses: waiting.map(makeAddress).sort(byAddress) }),
    ...(ports.length > 0 && { ports }),
  }
}

function makePort({ name, ...port }: BackendPort): NonNullable<EndpointSubset['ports']>[number] {
  return name === '' ? port : { name, ...port }
}

const byAddress = (a: EndpointAddress, b: EndpointAddress): number => (a.ip < b.ip ? -1 : 1)

function makeAddress({ pod, address, hostname }: Backend): EndpointAddress {
  return {
    ip: address,
    ...(hostname && { hostname }),
    ...(pod.spec.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: targetReference(pod),
  }
}

export const endpointsController = defineController({
  name: 'endpoints',
  primary: services,
  watches: [watchBackends, watch({ resource: endpoints, keysOf: object => [keyOf(object)] })],
  reconciler: reconcileEndpoints,
})

function reconcileEndpoints({ client }: ControllerContext): Reconciler {
  const serviceInformer = client.informer(services)
  const podInformer = client.informer(pods)
  const informer = client.informer(endpoints)

  return async function reconcile(key): Promise<Outcome> {
    const name = splitKey(key)
    const service = serviceInformer.get(name)
    const current = informer.get(name)
    if (service === undefined) return removeLeftover(current)
    if (!isManaged(service) || service.metadata.deletionTimestamp !== undefined) return 'done'
    const plan = planEndpoints(service, podInformer.list(name.namespace))
    if (current === undefined) return create(service, plan)
    if (
      sameJson(current.subsets ?? [], plan.subsets) &&
      sameJson(current.metadata.labels, plan.labels) &&
      (current.metadata.annotations?.[overCapacityAnnotation] ?? '') ===
        (plan.annotations[overCapacityAnnotation] ?? '')
    )
      return 'done'
    const { [overCapacityAnnotation]: _old, ...annotations } = current.metadata.annotations ?? {}
    await client.update(endpoints, {
      ...current,
      metadata: { ...current.metadata, labels: plan.labels, annotations: { ...annotations, ...plan.annotations } },
      subsets: plan.subsets,
    })
    return 'done'
  }

  async function create(
    { metadata: { namespace, name } }: Service,
    { subsets, ...metadata }: EndpointsPlan,
  ): Promise<Outcome> {
    try {
      await client.create(endpoints, { metadata: { namespace, name, ...metadata }, subsets })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
    return 'done'
  }

  /** Only what this controller made; hand-made endpoints without a service stay. */
  async function removeLeftover(current: Endpoints | undefined): Promise<Outcome> {
    if (current?.metadata.labels?.[managedByLabel] !== 'endpoint-controller') return 'done'
    await removeObject(client, endpoints, current)
    return 'done'
  }
}
