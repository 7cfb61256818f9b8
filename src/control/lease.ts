// Leader election over a Lease object: whoever holds it, and renews it in time, may act.
import { isAlreadyExists, isConflict, isNotFound } from '../api/api-error.ts'
import type { Lease, LeaseSpec } from '../api/generated/models.ts'
import type { ObjectName } from '../api/object.ts'
import { leases } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { formatMicroTime } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'

export interface LeaseOptions {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly name: ObjectName
  readonly identity: string
  /** After this long without renewal somebody else may take over; 15 s by default. */
  readonly durationMs?: number
  /** 2 s by default. */
  readonly retryMs?: number
  readonly onAcquired: () => void
  readonly onLost: () => void
}

export interface HeldLease {
  readonly leading: boolean
  /** Gives the lease up, so that the next one need not wait. */
  release(): Promise<void>
}

export function holdLease(options: LeaseOptions): HeldLease {
  const { clock, logger, durationMs = 15_000, retryMs = 2_000 } = options
  let leading = false
  let renewedMs = 0
  let stopped = false
  let timer: Timer | undefined

  async function round(): Promise<void> {
    const held = await tryHold(options, durationMs).catch((error: unknown) => {
      logger.debug('lease was not renewed', { lease: options.name.name, error: String(error) })
      return undefined
    })
    if (stopped) return
    if (held === true) renewedMs = clock.now()
    const expired = clock.now() - renewedMs > durationMs
    if (held === true && !leading) become(true)
    else if (leading && (held === false || expired)) become(false)
    timer = clock.after(retryMs, () => void round())
  }

  function become(state: boolean): void {
    leading = state
    logger.info(state ? 'lease acquired' : 'lease lost', { lease: options.name.name, identity: options.identity })
    if (state) options.onAcquired()
    else options.onLost()
  }

  void round()
  return {
    get leading() {
      return leading
    },
    async release() {
      stopped = true
      timer?.cancel()
      if (!leading) return
      leading = false
      await giveUp(options).catch(() => undefined)
    },
  }
}

/** True when the lease is ours now, false when somebody else's is still valid. */
async function tryHold(options: LeaseOptions, durationMs: number): Promise<boolean> {
  const { client, name, identity, clock } = options
  const now = formatMicroTime(clock.now())
  const base: LeaseSpec = { holderIdentity: identity, leaseDurationSeconds: Math.max(1, Math.round(durationMs / 1000)), renewTime: now }
  try {
    const current = await client.get(leases, name)
    const mine = current.spec.holderIdentity === identity
    if (!mine && isValid(current, clock.now())) return false
    const transitions = (current.spec.leaseTransitions ?? 0) + (mine ? 0 : 1)
    await client.update(leases, { ...current, spec: { ...base, acquireTime: mine ? current.spec.acquireTime : now, leaseTransitions: transitions } })
  } catch (error) {
    if (isConflict(error)) return false
    if (!isNotFound(error)) throw error
    return createLease(options, { ...base, acquireTime: now, leaseTransitions: 0 })
  }
  return true
}

async function createLease({ client, name }: LeaseOptions, spec: LeaseSpec): Promise<boolean> {
  try {
    await client.create(leases, { metadata: { ...name }, spec })
    return true
  } catch (error) {
    if (isAlreadyExists(error)) return false
    throw error
  }
}

const isValid = ({ spec }: Lease, nowMs: number): boolean =>
  Boolean(spec.holderIdentity) && Date.parse(spec.renewTime ?? '') + (spec.leaseDurationSeconds ?? 0) * 1000 > nowMs

async function giveUp({ client, name, identity }: LeaseOptions): Promise<void> {
  const current = await client.get(leases, name)
  if (current.spec.holderIdentity === identity) await client.update(leases, { ...current, spec: { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1 } })
}
