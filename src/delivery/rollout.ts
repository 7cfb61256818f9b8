// Waits for a Deployment to be rolled out, and knows early when it will not be: a pod that cannot pull its
// image or keeps crashing ends the wait at once. `judge` is pure; the rest watches.
import { isNotFound } from '../api/api-error.ts'
import type { ContainerStatus, Deployment, Pod, ReplicaSet } from '../api/generated/models.ts'
import { deployments, pods, replicaSets } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import type { Clock } from '../lib/clock.ts'
import { labelSelectorText } from '../api/label-selector.ts'

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
  if (observedGeneration >= (deployment.metadata.generation ?? 0)) {
    if (updatedReplicas >= wanted && replicas === updatedReplicas && availableReplicas >= wanted)
      return { state: 'done' }
    const progressing = conditions.find(({ type }) => type === 'Progressing')
    if (progressing?.reason === 'ProgressDeadlineExceeded')
      return { state: 'failed', reason: progressing.message ?? 'the rollout made no progress in time' }
  }
  const newest = newestSet(deployment, sets)
  const fresh =
    newest === undefined
      ? []
      : all.filter(
          pod =>
            pod.metadata.deletionTimestamp === undefined &&
            pod.metadata.ownerReferences?.some(({ uid }) => uid === newest.metadata.uid),
        )
  for (const pod of fresh) {
    const failure = podFailure(pod)
    if (failure !== undefined) return failure
  }
  return { state: 'waiting', ready: Math.min(availableReplicas, updatedReplicas), wanted }
}

const revisionOf = (set: ReplicaSet): number =>
  Number(set.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0)

function newestSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return sets
    .filter(set => set.metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid))
    .sort((left, right) => revisionOf(right) - revisionOf(left))[0]
}

/** Pods of an earlier attempt that cannot start would wait out their back-off, and be taken for failures of this attempt. */
export async function removeStuckPods(
  client: Client,
  namespace: string,
  labels: Record<string, string>,
): Promise<void> {
  const { items } = await client.list(pods, { namespace, labelSelector: labelSelectorText({ matchLabels: labels }) })
  const stuck = items.filter(pod => pod.metadata.deletionTimestamp === undefined && podFailure(pod) !== undefined)
  await Promise.all(
    stuck.map(({ metadata: { name } }) =>
      client.delete(pods, { namespace, name }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      }),
    ),
  )
}

function podFailure(pod: Pod): Verdict | undefined {
  const { name } = pod.metadata
  for (const status of [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]) {
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

export interface WaitOptions {
  readonly client: Client
  readonly namespace: string
  readonly name: string
  readonly timeoutMs: number
  readonly clock: Clock
  readonly progress: (ready: number, wanted: number) => void
}

/** Driven by watches, not by polling. */
export async function waitForRollout({
  client,
  namespace,
  name,
  timeoutMs,
  clock,
  progress,
}: WaitOptions): Promise<Verdict> {
  const abort = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<Verdict>()
  let view: RolloutView = { deployment: await client.get(deployments, { namespace, name }), replicaSets: [], pods: [] }
  const deadline = clock.after(timeoutMs, () =>
    resolve({ state: 'failed', reason: `the rollout was not finished after ${Math.round(timeoutMs / 1000)} seconds` }),
  )
  const labelSelector = labelSelectorText(view.deployment.spec.selector)
  const seen = { replicaSets: new Map<string, ReplicaSet>(), pods: new Map<string, Pod>() }

  function look(): void {
    view = { ...view, replicaSets: [...seen.replicaSets.values()], pods: [...seen.pods.values()] }
    const verdict = judge(view)
    if (verdict.state === 'waiting') progress(verdict.ready, verdict.wanted)
    else resolve(verdict)
  }

  async function follow<T extends Deployment | ReplicaSet | Pod>(
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

  const options = { namespace, signal: abort.signal }
  const keep =
    <T extends ReplicaSet | Pod>(map: Map<string, T>) =>
    (type: string, object: T): void => {
      if (type === 'DELETED') map.delete(object.metadata.uid)
      else map.set(object.metadata.uid, object)
    }
  const watches = [
    follow(
      () => client.watch(deployments, { ...options, fieldSelector: `metadata.name=${name}` }),
      (type, object) => {
        if (type === 'DELETED')
          resolve({ state: 'failed', reason: `the Deployment ${name} was deleted while it was being rolled out` })
        else view = { ...view, deployment: object }
      },
    ),
    follow(() => client.watch(replicaSets, { ...options, labelSelector }), keep(seen.replicaSets)),
    follow(() => client.watch(pods, { ...options, labelSelector }), keep(seen.pods)),
  ]
  for (const watching of watches) watching.catch(reject)
  try {
    return await promise
  } finally {
    deadline.cancel()
    abort.abort()
  }
}
