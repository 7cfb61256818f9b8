// Waits for the instances of a workload, says what holds them up, and knows early when they will not come. Driven by
// watches, not by polling; `judge` and `standstill` decide, purely.
import type { CoreEvent, Deployment, Pod, ReplicaSet, StatefulSet } from '../../../api/generated/models.ts'
import { labelSelectorText } from '../../../api/label-selector.ts'
import type { Resource } from '../../../api/resource.ts'
import { deployments, events, pods, replicaSets, statefulSets } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { isTerminating } from '../../../control/pods.ts'
import { unlessNotFound } from '../../../control/removal.ts'
import type { Clock, Timer } from '../../../lib/clock.ts'
import type { Watch } from '../engine.ts'
import { HeldUp } from './held-up.ts'
import { keepLive, type LiveQuery } from './live-list.ts'
import { freshPods, judge, newestSet, podFailure, type RolloutFailure, type RolloutVerdict } from './rollout-verdict.ts'
import { standstill, type Standstill } from './standstill.ts'

export interface RolloutOptions {
  readonly client: Client
  readonly clock: Clock
  /** As it was written. */
  readonly owner: Deployment | StatefulSet
  readonly watch: Watch
}

/** Pods of an earlier attempt that cannot start would wait out their back-off, and be taken for failures of this attempt. */
export async function removeStuckPods(client: Client, namespace: string, labelSelector: string): Promise<void> {
  const { items } = await client.list(pods, { namespace, labelSelector })
  const stuck = items.filter(pod => !isTerminating(pod) && podFailure(pod) !== undefined)
  await Promise.all(stuck.map(({ metadata: { name } }) => unlessNotFound(client.delete(pods, { namespace, name }))))
}

/** A ReplicaSet whose pods were refused waits longer and longer before it tries again; a change makes it try now. */
export async function retryRefusedPods(
  client: Client,
  namespace: string,
  labelSelector: string,
  at: string,
): Promise<void> {
  const { items } = await client.list(replicaSets, { namespace, labelSelector })
  const refused = items.filter(({ status }) => status.conditions?.some(({ type }) => type === 'ReplicaFailure'))
  const value = { metadata: { annotations: { 'sampan.dev/tried-again': at } } }
  await Promise.all(
    refused.map(({ metadata: { name } }) =>
      unlessNotFound(client.patch(replicaSets, { namespace, name }, { type: 'merge', value })),
    ),
  )
}

/** @throws the reason of the watch's signal when that fires */
export async function waitForRollout(options: RolloutOptions): Promise<{ readonly state: 'done' } | RolloutFailure> {
  const { signal } = options.watch
  signal.throwIfAborted()
  const end = new AbortController()
  const rollout = new Rollout(options, end.signal)
  const stop = (): void => rollout.fail(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await rollout.ended
  } finally {
    signal.removeEventListener('abort', stop)
    end.abort()
    rollout.close()
  }
}

class Rollout {
  readonly ended: Promise<{ readonly state: 'done' } | RolloutFailure>
  private readonly options: RolloutOptions
  private readonly signal: AbortSignal
  private readonly resolve: (verdict: { readonly state: 'done' } | RolloutFailure) => void
  readonly fail: (error: Error) => void
  private owner: Deployment | StatefulSet
  private replicaSets: readonly ReplicaSet[] | undefined
  private pods: readonly Pod[] | undefined
  private warnings: readonly CoreEvent[] = []
  private readonly limit: Timer
  private readonly heldUp: HeldUp

  constructor(options: RolloutOptions, signal: AbortSignal) {
    this.options = options
    this.signal = signal
    this.owner = options.owner
    const { promise, resolve, reject } = Promise.withResolvers<{ readonly state: 'done' } | RolloutFailure>()
    // It may end while nobody waits for it yet.
    promise.catch(() => {})
    this.ended = promise
    this.resolve = resolve
    this.fail = reject
    this.heldUp = new HeldUp({
      ...options,
      namespace: options.owner.metadata.namespace!,
      fail: cause => resolve(failedBy(cause, cause.reason)),
    })
    this.limit = options.clock.after(options.watch.timeLimitSeconds * 1000, () => resolve(this.outOfTime()))
    this.follow()
  }

  close(): void {
    this.limit.cancel()
    this.heldUp.close()
  }

  private follow(): void {
    const { namespace = '', name, uid } = this.owner.metadata
    const labelSelector = labelSelectorText(this.owner.spec.selector)
    const isDeployment = this.owner.kind === 'Deployment'
    const resource = (isDeployment ? deployments : statefulSets) as Resource<Deployment | StatefulSet>
    this.keep({ resource, namespace, fieldSelector: `metadata.name=${name}` }, ([owner]) => {
      if (owner === undefined || owner.metadata.uid !== uid)
        this.resolve({ state: 'failed', reason: `${name} was deleted while it was being rolled out` })
      // The first answer may be older than what was written.
      else if ((owner.metadata.generation ?? 0) >= (this.owner.metadata.generation ?? 0)) this.owner = owner
    })
    if (isDeployment) this.keep({ resource: replicaSets, namespace, labelSelector }, sets => (this.replicaSets = sets))
    else this.replicaSets = []
    this.keep({ resource: pods, namespace, labelSelector }, all => (this.pods = all))
    // Who may not read events hears less.
    this.watch({ resource: events, namespace, fieldSelector: 'type=Warning' }, all => (this.warnings = all)).catch(
      () => {},
    )
  }

  private keep<T extends Deployment | StatefulSet | ReplicaSet | Pod>(
    query: LiveQuery<T>,
    take: (objects: readonly T[]) => void,
  ): void {
    this.watch(query, take).catch(this.fail)
  }

  private watch<T extends Deployment | StatefulSet | ReplicaSet | Pod | CoreEvent>(
    query: LiveQuery<T>,
    take: (objects: readonly T[]) => void,
  ): Promise<void> {
    return keepLive<T>({ ...this.options, signal: this.signal }, query, objects => {
      take(objects)
      this.look()
    })
  }

  private verdict(): RolloutVerdict {
    return judge({ owner: this.owner, replicaSets: this.replicaSets ?? [], pods: this.pods ?? [] })
  }

  private cause(): Standstill | undefined {
    const view = { owner: this.owner, replicaSets: this.replicaSets ?? [], pods: this.pods ?? [] }
    const newest = newestSet(view)
    return standstill({
      owner: this.owner,
      ...(newest !== undefined && { newest }),
      pods: freshPods(view),
      warnings: this.warnings,
    })
  }

  private look(): void {
    // Half of what there is says nothing.
    if (this.replicaSets === undefined || this.pods === undefined) return
    const verdict = this.verdict()
    if (verdict.state !== 'waiting') return this.resolve(verdict)
    const cause = this.cause()
    const text = standingText(verdict, cause)
    this.options.watch.progress(text)
    this.heldUp.by(cause, text)
  }

  private outOfTime(): RolloutFailure {
    const { timeLimitSeconds } = this.options.watch
    const verdict = this.verdict()
    const cause = this.cause()
    const where = verdict.state === 'waiting' ? `: ${standingText(verdict, cause)}` : ''
    return failedBy(cause, `the rollout was not finished after ${Math.round(timeLimitSeconds)} seconds${where}`)
  }
}

function standingText(
  { ready, wanted }: Extract<RolloutVerdict, { state: 'waiting' }>,
  cause: Standstill | undefined,
): string {
  return `${ready} of ${wanted} instances are ready${cause === undefined ? '' : `; ${cause.reason}`}`
}

const failedBy = (cause: Standstill | undefined, reason: string): RolloutFailure => ({
  state: 'failed',
  reason,
  ...(cause?.pod !== undefined && { pod: cause.pod }),
  ...(cause?.container !== undefined && { container: cause.container }),
  ...(cause?.previous !== undefined && { previous: cause.previous }),
})
