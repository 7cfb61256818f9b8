// Waits for a Deployment to be rolled out, says what holds it up, and knows early when it will not be: a pod
// that cannot pull its image, keeps crashing or is refused ends the wait at once. `judge` is pure; the rest
// watches.
import type { ContainerStatus, CoreEvent, Deployment, Pod, ReplicaSet } from '../api/generated/models.ts'
import { labelSelectorText } from '../api/label-selector.ts'
import { deployments, events, pods, replicaSets } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { isTerminating } from '../control/pods.ts'
import { unlessNotFound } from '../control/removal.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { containersOf, standstill, type Standstill } from './standstill.ts'

export type Verdict =
  | { readonly state: 'done' }
  | { readonly state: 'waiting'; readonly ready: number; readonly wanted: number }
  | {
      readonly state: 'failed'
      readonly reason: string
      readonly pod?: string
      readonly container?: string
      readonly previous?: boolean
    }

/** A container may crash this often before the rollout is given up. */
const toleratedRestarts = 2
const hopeless = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
])

export interface RolloutView {
  readonly deployment: Deployment
  readonly replicaSets: readonly ReplicaSet[]
  readonly pods: readonly Pod[]
}

export function judge({ deployment, replicaSets: sets, pods: all }: RolloutView): Verdict {
  const wanted = deployment.spec.replicas ?? 1
  const {
    observedGeneration = 0,
    updatedReplicas = 0,
    availableReplicas = 0,
    replicas = 0,
    conditions = [],
  } = deployment.status
  const isCurrent = observedGeneration >= (deployment.metadata.generation ?? 0)
  if (isCurrent) {
    if (updatedReplicas >= wanted && replicas === updatedReplicas && availableReplicas >= wanted)
      return { state: 'done' }
    const progressing = conditions.find(({ type }) => type === 'Progressing')
    if (progressing?.reason === 'ProgressDeadlineExceeded')
      return { state: 'failed', reason: progressing.message ?? 'the rollout made no progress in time' }
  }
  for (const pod of freshPods(newestSet(deployment, sets), all)) {
    const failure = podFailure(pod)
    if (failure !== undefined) return failure
  }
  // Of those that are available, the old ones count first.
  const available = Math.max(0, availableReplicas - (replicas - updatedReplicas))
  return { state: 'waiting', ready: isCurrent ? Math.min(available, updatedReplicas) : 0, wanted }
}

const revisionOf = (set: ReplicaSet): number =>
  Number(set.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0)

function newestSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return sets
    .filter(set => set.metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid))
    .sort((left, right) => revisionOf(right) - revisionOf(left))[0]
}

const freshPods = (newest: ReplicaSet | undefined, all: readonly Pod[]): Pod[] =>
  all.filter(
    pod => !isTerminating(pod) && pod.metadata.ownerReferences?.some(({ uid }) => uid === newest?.metadata.uid),
  )

/** Pods of an earlier attempt that cannot start would wait out their back-off, and be taken for failures of this attempt. */
export async function removeStuckPods(
  client: Client,
  namespace: string,
  labels: Record<string, string>,
): Promise<void> {
  const { items } = await client.list(pods, { namespace, labelSelector: labelSelectorText({ matchLabels: labels }) })
  const stuck = items.filter(pod => !isTerminating(pod) && podFailure(pod) !== undefined)
  await Promise.all(stuck.map(({ metadata: { name } }) => unlessNotFound(client.delete(pods, { namespace, name }))))
}

function podFailure(pod: Pod): Verdict | undefined {
  const { name } = pod.metadata
  for (const status of containersOf(pod)) {
    const failure = containerFailure(status)
    if (failure !== undefined) return { state: 'failed', pod: name, container: status.name, ...failure }
  }
  return undefined
}

function containerFailure({
  name,
  state,
  lastState,
  restartCount,
}: ContainerStatus): { reason: string; previous: boolean } | undefined {
  const waiting = state?.waiting
  if (waiting?.reason !== undefined && hopeless.has(waiting.reason))
    return {
      reason: `container "${name}" cannot start: ${waiting.reason}${waiting.message ? `: ${waiting.message}` : ''}`,
      previous: false,
    }
  const ended = state?.terminated ?? lastState?.terminated
  if (
    restartCount >= toleratedRestarts &&
    ended !== undefined &&
    (waiting !== undefined || state?.terminated !== undefined)
  ) {
    const why =
      ended.reason === 'OOMKilled' ? 'it used more memory than its limit' : `it ended with exit code ${ended.exitCode}`
    return { reason: `container "${name}" keeps crashing: ${why}`, previous: state?.terminated === undefined }
  }
  return undefined
}

/** A ReplicaSet whose pods were refused waits longer and longer before it tries again; a change makes it try now. */
export async function retryRefusedPods(
  client: Client,
  namespace: string,
  labels: Record<string, string>,
  at: string,
): Promise<void> {
  const { items } = await client.list(replicaSets, {
    namespace,
    labelSelector: labelSelectorText({ matchLabels: labels }),
  })
  const refused = items.filter(({ status }) => status.conditions?.some(({ type }) => type === 'ReplicaFailure'))
  const value = { metadata: { annotations: { 'sampan.dev/tried-again': at } } }
  await Promise.all(
    refused.map(({ metadata: { name } }) =>
      unlessNotFound(client.patch(replicaSets, { namespace, name }, { type: 'merge', value })),
    ),
  )
}

export interface WaitOptions {
  readonly client: Client
  readonly namespace: string
  readonly name: string
  readonly timeoutMs: number
  readonly clock: Clock
  /** Told at every change. */
  readonly progress: (text: string) => void
  /** Told once about each cause that holds the rollout up for a while. */
  readonly heldUp: (text: string) => void
  /** Ends the wait with the signal's reason. */
  readonly signal: AbortSignal
}

/** What is said of an earlier attempt may stand for so long. */
const settlingMs = 3_000
const heldUpAfterMs = 10_000

/** Driven by watches, not by polling. */
export async function waitForRollout(options: WaitOptions): Promise<Verdict> {
  const { client, namespace, name, timeoutMs, clock } = options
  options.signal.throwIfAborted()
  const abort = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<Verdict>()
  // It may end while the first question is still on its way, when nobody waits for it yet.
  promise.catch(() => {})
  options.signal.addEventListener('abort', () => reject(options.signal.reason as Error), { once: true })
  let deployment = await client.get(deployments, { namespace, name })
  const seen = {
    replicaSets: new Map<string, ReplicaSet>(),
    pods: new Map<string, Pod>(),
    warnings: new Map<string, CoreEvent>(),
  }
  let settled = false
  let told: { readonly cause: string; readonly timer: Timer } | undefined
  const timers = [
    clock.after(settlingMs, () => {
      settled = true
      look()
    }),
    clock.after(timeoutMs, () => resolve(outOfTime())),
  ]
  const labelSelector = labelSelectorText(deployment.spec.selector)

  const verdictNow = (): Verdict =>
    judge({ deployment, replicaSets: [...seen.replicaSets.values()], pods: [...seen.pods.values()] })

  function causeNow(): Standstill | undefined {
    const newest = newestSet(deployment, [...seen.replicaSets.values()])
    return standstill({
      deployment,
      newest,
      pods: freshPods(newest, [...seen.pods.values()]),
      warnings: [...seen.warnings.values()],
    })
  }

  function look(): void {
    const verdict = verdictNow()
    if (verdict.state !== 'waiting') return resolve(verdict)
    const cause = causeNow()
    if (settled && cause?.certain === true) return resolve(failedBy(cause, cause.reason))
    const text = standing(verdict, cause)
    options.progress(text)
    if (told?.cause === cause?.reason) return
    told?.timer.cancel()
    told =
      cause === undefined
        ? undefined
        : { cause: cause.reason, timer: clock.after(heldUpAfterMs, () => options.heldUp(text)) }
  }

  function outOfTime(): Verdict {
    const verdict = verdictNow()
    const cause = causeNow()
    const where = verdict.state === 'waiting' ? `: ${standing(verdict, cause)}` : ''
    return failedBy(cause, `the rollout was not finished after ${Math.round(timeoutMs / 1000)} seconds${where}`)
  }

  async function follow<T extends Deployment | ReplicaSet | Pod | CoreEvent>(
    watchOnce: () => AsyncIterable<{ type: string; object: T }>,
    take: (type: string, object: T) => void,
  ): Promise<void> {
    while (!abort.signal.aborted) {
      for await (const { type, object } of watchOnce()) {
        if (type === 'BOOKMARK') continue
        take(type, object)
        look()
      }
    }
  }

  const place = { namespace, signal: abort.signal }
  const keep =
    <T extends ReplicaSet | Pod | CoreEvent>(map: Map<string, T>) =>
    (type: string, object: T): void => {
      if (type === 'DELETED') map.delete(object.metadata.uid)
      else map.set(object.metadata.uid, object)
    }
  const watches = [
    follow(
      () => client.watch(deployments, { ...place, fieldSelector: `metadata.name=${name}` }),
      (type, object) => {
        if (type === 'DELETED')
          resolve({ state: 'failed', reason: `the Deployment ${name} was deleted while it was being rolled out` })
        else deployment = object
      },
    ),
    follow(() => client.watch(replicaSets, { ...place, labelSelector }), keep(seen.replicaSets)),
    follow(() => client.watch(pods, { ...place, labelSelector }), keep(seen.pods)),
  ]
  for (const watching of watches) watching.catch(reject)
  // Who may not read events hears less.
  const warnings = { ...place, fieldSelector: 'involvedObject.kind=Pod,type=Warning' }
  follow(() => client.watch(events, warnings), keep(seen.warnings)).catch(() => {})
  try {
    return await promise
  } finally {
    for (const timer of timers) timer.cancel()
    told?.timer.cancel()
    abort.abort()
  }
}

function standing({ ready, wanted }: Extract<Verdict, { state: 'waiting' }>, cause: Standstill | undefined): string {
  return `${ready} of ${wanted} instances are ready${cause === undefined ? '' : `; ${cause.reason}`}`
}

const failedBy = (cause: Standstill | undefined, reason: string): Verdict => ({
  state: 'failed',
  reason,
  ...(cause?.pod !== undefined && { pod: cause.pod }),
  ...(cause?.container !== undefined && { container: cause.container }),
  ...(cause?.previous !== undefined && { previous: cause.previous }),
})
