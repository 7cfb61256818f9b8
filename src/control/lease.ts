// Leader election over a Lease object: whoever holds it, and renews it in time, may act. When somebody
// else's lease ends is told by this process's own clock, from when it saw the lease change last, so that
// the clocks of machines need not agree. Source: client-go tools/leaderelection.
import { isAlreadyExists, isConflict, isNotFound } from '../api/api-error.ts'
import type { Lease, LeaseSpec } from '../api/generated/models.ts'
import { keyOf, type ObjectName } from '../api/object.ts'
import { leases } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { formatMicroTime } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { EventRecorder } from './event-recorder.ts'

export interface LeaseOptions {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly name: ObjectName
  readonly identity: string
  /** After this long without renewal somebody else may take over; 15 s by default. */
  readonly durationMs?: number
  /** After this long without renewal the holder stops; 10 s by default, less than the duration. */
  readonly renewDeadlineMs?: number
  /** 2 s by default. */
  readonly retryMs?: number
  /** Whether a holder is surely gone, such as an earlier process of this server, so that nobody need wait for it. */
  readonly isGone?: (identity: string) => boolean
  /** Told who became leader and who stopped. */
  readonly events?: EventRecorder
  readonly onAcquired: () => void
  readonly onLost: () => void
}

export interface HeldLease {
  readonly leading: boolean
  /** Gives the lease up, so that the next one need not wait. */
  release(): Promise<void>
}

const holderOf = ({ spec }: Lease): string => spec.holderIdentity ?? ''

export function holdLease(options: LeaseOptions): HeldLease {
  const {
    client,
    clock,
    logger,
    name,
    identity,
    durationMs = 15_000,
    renewDeadlineMs = 10_000,
    retryMs = 2_000,
  } = options
  let leading = false
  let stopped = false
  let working: Promise<void> | undefined
  let timer: Timer | undefined
  let deadline: Timer | undefined
  /** As this process wrote it last. */
  let own: Lease | undefined
  let seen: { readonly resourceVersion: string; readonly atMs: number } | undefined

  function roundSoon(): void {
    timer?.cancel()
    if (!stopped)
      working ??= round().finally(() => {
        working = undefined
      })
  }

  async function round(): Promise<void> {
    const startedMs = clock.now()
    const held = await tryHold().catch((error: unknown) => {
      logger.debug('lease was not renewed', { lease: name.name, error: String(error) })
      return undefined
    })
    if (stopped) return
    if (held === true) renewed(startedMs)
    else if (held === false) lose()
    timer = clock.after(retryMs, roundSoon)
  }

  function renewed(startedMs: number): void {
    const leftMs = startedMs + renewDeadlineMs - clock.now()
    if (leftMs <= 0) return lose()
    deadline?.cancel()
    deadline = clock.after(leftMs, lose)
    if (leading) return
    leading = true
    logger.info('lease acquired', { lease: name.name, identity })
    record('became leader')
    options.onAcquired()
  }

  function lose(): void {
    deadline?.cancel()
    if (!leading) return
    leading = false
    logger.warn('lease lost', { lease: name.name, identity })
    record('stopped leading')
    options.onLost()
  }

  function record(what: string): void {
    if (own !== undefined) options.events?.recordEvent(own, 'Normal', 'LeaderElection', `${identity} ${what}`)
  }

  /** True when the lease is ours now, false when somebody else's is still valid. */
  async function tryHold(): Promise<boolean> {
    const now = formatMicroTime(clock.now())
    const base: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.round(durationMs / 1000)),
      renewTime: now,
    }
    try {
      const current = await client.get(leases, name)
      const mine = holderOf(current) === identity
      if (!mine && options.isGone?.(holderOf(current)) !== true && isHeld(current)) return false
      const transitions = (current.spec.leaseTransitions ?? 0) + (mine ? 0 : 1)
      own = await client.update(leases, {
        ...current,
        spec: { ...base, acquireTime: mine ? current.spec.acquireTime : now, leaseTransitions: transitions },
      })
      return true
    } catch (error) {
      // Somebody wrote at the same moment; the next round sees who it was.
      if (isConflict(error)) return leading ? Promise.reject(error as Error) : false
      if (!isNotFound(error)) throw error
      const created = await createLease(options, { ...base, acquireTime: now, leaseTransitions: 0 })
      own = created ?? own
      return created !== undefined
    }
  }

  function isHeld(lease: Lease): boolean {
    const { resourceVersion } = lease.metadata
    if (seen?.resourceVersion !== resourceVersion) seen = { resourceVersion, atMs: clock.now() }
    return holderOf(lease) !== '' && seen.atMs + (lease.spec.leaseDurationSeconds ?? 0) * 1000 > clock.now()
  }

  // A lease that was given up is taken at once.
  const unsubscribe = client.informer(leases).subscribe(({ object }) => {
    if (!leading && keyOf(object) === keyOf({ metadata: name }) && holderOf(object) === '') roundSoon()
  })
  roundSoon()
  return {
    get leading() {
      return leading
    },
    async release() {
      stopped = true
      unsubscribe()
      timer?.cancel()
      deadline?.cancel()
      await working
      if (!leading) return
      leading = false
      await giveUp(options).catch((error: unknown) =>
        logger.debug('lease was not given up', { lease: name.name, error: String(error) }),
      )
      record('stopped leading')
      await options.events?.flush()
    },
  }
}

/** undefined: somebody else was faster. */
async function createLease({ client, name }: LeaseOptions, spec: LeaseSpec): Promise<Lease | undefined> {
  try {
    return await client.create(leases, { metadata: { ...name }, spec })
  } catch (error) {
    if (isAlreadyExists(error)) return undefined
    throw error
  }
}

async function giveUp({ client, clock, name, identity }: LeaseOptions): Promise<void> {
  const current = await client.get(leases, name)
  const now = formatMicroTime(clock.now())
  if (holderOf(current) === identity)
    await client.update(leases, {
      ...current,
      spec: { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now },
    })
}
