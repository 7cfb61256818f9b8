// One delivery of a service at a time: whoever delivers holds a Lease in the service's namespace and renews it.
// Another one is told who that is. Who died without giving it up is recognized: at once where `isGone` knows,
// else because the lease was not renewed for as long as it lasts, by this process's own clock. Unlike an election
// (src/control/lease.ts) it does not wait for its turn, and it needs rights in the one namespace alone: no informer.
import { isAlreadyExists, isConflict, isNotFound } from '../../../api/api-error.ts'
import type { Lease } from '../../../api/generated/models.ts'
import type { ObjectName } from '../../../api/object.ts'
import { leases } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { findObject } from '../../../client/find-object.ts'
import { formatMicroTime, type Clock, type Timer } from '../../../lib/clock.ts'
import { DeployError } from '../../deploy-error.ts'
import type { DeliveryLease, Taker } from '../ledger.ts'
import type { Place } from '../parts.ts'
import { pause } from '../pause.ts'

const durationMs = 15_000
const renewMs = 5_000
const lookAgainMs = 1_000
/** Clocks of machines hardly differ by more: who did not renew for this long is gone without a second look. */
const surelyGoneMs = 300_000

export interface DeliveryLeaseOptions extends Taker {
  readonly client: Client
  readonly clock: Clock
  readonly place: Place
}

/** @throws DeployError when somebody else delivers this service */
export async function takeDeliveryLease(options: DeliveryLeaseOptions): Promise<DeliveryLease> {
  const { client, clock, deployer } = options
  const { namespace, service } = options.place
  const name = { namespace, name: `sampan.delivery.${service}` }
  let watched: { readonly version: string | undefined; readonly sinceMs: number } | undefined
  for (;;) {
    options.signal.throwIfAborted()
    const current = await findObject(client, leases, name)
    if (current === undefined || isFree(current)) {
      const taken = await write(options, name, current)
      if (taken) return holdOn(options, name)
      continue
    }
    const { resourceVersion: version } = current.metadata
    const holder = current.spec.holderIdentity ?? ''
    const unrenewedMs = clock.now() - Date.parse(current.spec.renewTime ?? '')
    // A fresh lease, and one that is renewed while we watch, has somebody behind it.
    if (unrenewedMs <= durationMs || (watched !== undefined && watched.version !== version))
      throw new DeployError(
        `${holder} delivers "${service}" to the namespace ${namespace} right now; wait until that is done and try again (should it have been killed: ${durationMs / 1000} seconds after)`,
      )
    watched ??= { version, sinceMs: clock.now() }
    if (clock.now() - watched.sinceMs >= durationMs) {
      if (await write(options, name, current)) return holdOn(options, name)
      continue
    }
    options.waiting(`${holder} began to deliver "${service}"; looking whether it still does`)
    await pause(clock, lookAgainMs, options.signal)
  }

  function isFree({ spec }: Lease): boolean {
    const holder = spec.holderIdentity ?? ''
    const renewedMs = Date.parse(spec.renewTime ?? '')
    return (
      holder === '' ||
      holder === deployer ||
      options.isGone(holder) ||
      Number.isNaN(renewedMs) ||
      clock.now() - renewedMs > surelyGoneMs
    )
  }
}

function holdOn(options: DeliveryLeaseOptions, name: ObjectName): DeliveryLease {
  const { client, clock, deployer } = options
  const lost = new AbortController()
  let renewedMs = clock.now()
  let stopped = false
  let renewing: Promise<void> | undefined
  let timer: Timer = clock.after(renewMs, begin)

  function begin(): void {
    renewing = renew().finally(() => {
      if (!stopped && !lost.signal.aborted) timer = clock.after(renewMs, begin)
    })
  }

  async function renew(): Promise<void> {
    const startedMs = clock.now()
    const current = await findObject(client, leases, name).catch(() => 'unreachable' as const)
    const isOurs = current !== 'unreachable' && current?.spec.holderIdentity === deployer
    if (isOurs && (await write(options, name, current).catch(() => false))) renewedMs = startedMs
    else if (current !== 'unreachable' && !isOurs)
      lost.abort(new DeployError(`${current?.spec.holderIdentity || 'somebody else'} took this delivery over`))
    else if (clock.now() - renewedMs >= durationMs)
      lost.abort(new DeployError('the cluster could not be reached for so long that somebody else may deliver by now'))
  }

  return {
    lost: lost.signal,
    async release() {
      stopped = true
      timer.cancel()
      await renewing
      // Left alone it ends by itself.
      await giveUp(client, name, deployer).catch(() => {})
    },
  }
}

/** @returns false when somebody else wrote at the same moment */
async function write(
  { client, clock, deployer }: DeliveryLeaseOptions,
  name: ObjectName,
  current: Lease | undefined,
): Promise<boolean> {
  const now = formatMicroTime(clock.now())
  const mine = current?.spec.holderIdentity === deployer
  const spec = {
    holderIdentity: deployer,
    leaseDurationSeconds: durationMs / 1000,
    acquireTime: (mine ? current.spec.acquireTime : undefined) ?? now,
    renewTime: now,
  }
  try {
    if (current === undefined) await client.create<Lease>(leases, { metadata: { ...name }, spec })
    else await client.update(leases, { ...current, spec })
    return true
  } catch (error) {
    if (current === undefined && isNotFound(error))
      throw new DeployError(
        `there is no namespace ${name.namespace}; a delivery makes it where it may, else somebody who may: kubectl create namespace ${name.namespace}`,
      )
    if (isAlreadyExists(error) || isConflict(error) || isNotFound(error)) return false
    throw error
  }
}

async function giveUp(client: Client, name: ObjectName, deployer: string): Promise<void> {
  const current = await findObject(client, leases, name)
  if (current?.spec.holderIdentity !== deployer) return
  await client.delete(leases, name, { preconditions: { resourceVersion: current.metadata.resourceVersion! } })
}
