// Whether instances have come, told from their owner and its pods: a pod that cannot pull its image, or that keeps
// crashing, shows early that they will not. Pure.
import type { ContainerStatus, Deployment, Pod, ReplicaSet, StatefulSet } from '../../../api/generated/models.ts'
import { isTerminating } from '../../../control/pods.ts'
import { containersOf } from './standstill.ts'

export type RolloutVerdict =
  | { readonly state: 'done' }
  | { readonly state: 'waiting'; readonly ready: number; readonly wanted: number }
  | RolloutFailure

export interface RolloutFailure {
  readonly state: 'failed'
  readonly reason: string
  readonly pod?: string
  readonly container?: string
  /** The run before has the telling log. */
  readonly previous?: boolean
}

export interface RolloutView {
  readonly owner: Deployment | StatefulSet
  readonly replicaSets: readonly ReplicaSet[]
  readonly pods: readonly Pod[]
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

export function judge(view: RolloutView): RolloutVerdict {
  const { owner } = view
  const wanted = owner.spec.replicas ?? 1
  if (!isCurrent(owner)) return { state: 'waiting', ready: 0, wanted }
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0, conditions = [] } = owner.status
  if (updatedReplicas >= wanted && replicas === updatedReplicas && availableReplicas >= wanted) return { state: 'done' }
  const stuck = conditions.find(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded')
  if (stuck !== undefined) return { state: 'failed', reason: stuck.message ?? 'the rollout made no progress in time' }
  const failure = freshPods(view)
    .map(podFailure)
    .find(found => found !== undefined)
  if (failure !== undefined) return failure
  // Of those that are available, the old ones count first.
  const available = Math.max(0, availableReplicas - (replicas - updatedReplicas))
  return { state: 'waiting', ready: Math.min(available, updatedReplicas), wanted }
}

/** Until its controller has seen what is wanted, nothing that is there tells of it. */
const isCurrent = ({ status, metadata }: Deployment | StatefulSet): boolean =>
  (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)

const revisionOf = (set: ReplicaSet): number =>
  Number(set.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0)

export function newestSet({ owner, replicaSets }: RolloutView): ReplicaSet | undefined {
  return replicaSets
    .filter(set => set.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid))
    .toSorted((left, right) => revisionOf(right) - revisionOf(left))[0]
}

/** Those of the newest version that are to stay. */
export function freshPods(view: RolloutView): Pod[] {
  const { owner, pods } = view
  if (!isCurrent(owner)) return []
  const own = (uid: string | undefined): Pod[] =>
    pods.filter(pod => !isTerminating(pod) && pod.metadata.ownerReferences?.some(reference => reference.uid === uid))
  if (owner.kind === 'Deployment') return own(newestSet(view)?.metadata.uid)
  const { updateRevision } = (owner as StatefulSet).status
  return own(owner.metadata.uid).filter(
    ({ metadata }) => metadata.labels?.['controller-revision-hash'] === updateRevision,
  )
}

export function podFailure(pod: Pod): RolloutFailure | undefined {
  const { name } = pod.metadata
  for (const status of containersOf(pod)) {
    const failure = containerFailure(status)
    if (failure !== undefined) return { state: 'failed', pod: name, container: status.name, ...failure }
  }
  return undefined
}

function containerFailure(status: ContainerStatus): { reason: string; previous: boolean } | undefined {
  const { name, state, lastState, restartCount } = status
  const why = startFailure(status)
  if (why !== undefined) return { reason: why, previous: false }
  const ended = state?.terminated ?? lastState?.terminated
  const isDown = state?.waiting !== undefined || state?.terminated !== undefined
  if (restartCount < toleratedRestarts || ended === undefined || !isDown) return undefined
  const end =
    ended.reason === 'OOMKilled' ? 'it used more memory than its limit' : `it ended with exit code ${ended.exitCode}`
  return { reason: `container "${name}" keeps crashing: ${end}`, previous: state?.terminated === undefined }
}

/** Why a container can never start; undefined: it may. */
export function startFailure({ name, state }: ContainerStatus): string | undefined {
  const { reason, message = '' } = state?.waiting ?? {}
  if (reason === undefined || !hopeless.has(reason)) return undefined
  const advice = /non-numeric user|will run as root/.test(message)
    ? '; give it a numeric user, or let it run as root'
    : ''
  return `container "${name}" cannot start: ${reason}${message === '' ? '' : `: ${message}`}${advice}`
}
