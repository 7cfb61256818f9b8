// The status of a Deployment: counts, and the conditions Available, Progressing and ReplicaFailure with
// Kubernetes' reasons and messages, which `kubectl rollout status` reads.
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../../api/generated/models.ts'
import { formatTime } from '../../lib/clock.ts'
import { limitsOf, wantedReplicas } from './rollout.ts'

type Conditions = readonly DeploymentCondition[]

const conditionOf = (conditions: Conditions | undefined, type: string): DeploymentCondition | undefined =>
  conditions?.find(condition => condition.type === type)

/** Nothing changes while status and reason stay; the transition time moves only with the status. */
function setCondition(
  conditions: Conditions,
  next: Omit<DeploymentCondition, 'lastTransitionTime' | 'lastUpdateTime'>,
  nowMs: number,
): Conditions {
  const before = conditionOf(conditions, next.type)
  if (before?.status === next.status && before.reason === next.reason) return conditions
  const now = formatTime(nowMs)
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : now
  return [...without(conditions, next.type), { ...next, lastUpdateTime: now, lastTransitionTime }]
}

const without = (conditions: Conditions, type: string): DeploymentCondition[] =>
  conditions.filter(condition => condition.type !== type)

export interface StatusInput {
  readonly deployment: Deployment
  readonly current: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
  readonly scalingOnly: boolean
  readonly created?: boolean
}

export function planStatus(input: StatusInput, nowMs: number): DeploymentStatus {
  const { deployment } = input
  const counts = countReplicas(input)
  let conditions = availability(deployment, counts, deployment.status.conditions ?? [], nowMs)
  conditions = pausing(deployment, conditions, nowMs)
  if (!input.scalingOnly) conditions = progress(input, counts, conditions, nowMs)
  conditions = replicaFailure(input, conditions)
  return { ...counts, ...(conditions.length > 0 && { conditions: [...conditions] }) }
}

type Counts = Omit<DeploymentStatus, 'conditions'>

function countReplicas({ deployment, current, old }: StatusInput): Counts {
  const all = current === undefined ? old : [...old, current]
  const sum = (count: (set: ReplicaSet) => number | undefined): number =>
    all.reduce((total, set) => total + (count(set) ?? 0), 0)
  const wanted = sum(set => set.spec.replicas)
  const availableReplicas = sum(set => set.status.availableReplicas)
  const numbers = {
    replicas: sum(set => set.status.replicas),
    updatedReplicas: current?.status.replicas ?? 0,
    readyReplicas: sum(set => set.status.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, wanted - availableReplicas),
  }
  const present = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value > 0)) as Partial<
    typeof numbers
  >
  return {
    observedGeneration: deployment.metadata.generation,
    ...present,
    terminatingReplicas: sum(set => set.status.terminatingReplicas),
    ...(deployment.status.collisionCount !== undefined && { collisionCount: deployment.status.collisionCount }),
  }
}

function availability(deployment: Deployment, counts: Counts, conditions: Conditions, nowMs: number): Conditions {
  const enough = (counts.availableReplicas ?? 0) >= wantedReplicas(deployment) - limitsOf(deployment).maxUnavailable
  return setCondition(
    conditions,
    enough
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    nowMs,
  )
}

const maximumDeadline = 2_147_483_647
export const hasDeadline = ({ spec }: Deployment): boolean =>
  spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== maximumDeadline

/** A paused rollout must not run into its deadline. */
function pausing(deployment: Deployment, conditions: Conditions, nowMs: number): Conditions {
  const before = conditionOf(conditions, 'Progressing')
  if (!hasDeadline(deployment) || before?.reason === 'ProgressDeadlineExceeded') return conditions
  const wasPaused = before?.reason === 'DeploymentPaused'
  if (deployment.spec.paused === true && !wasPaused)
    return setCondition(
      conditions,
      { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' },
      nowMs,
    )
  if (deployment.spec.paused !== true && wasPaused)
    return setCondition(
      conditions,
      { type: 'Progressing', status: 'Unknown', reason: 'DeploymentResumed', message: 'Deployment is resumed' },
      nowMs,
    )
  return conditions
}

/** Every wanted pod is of the current template, available, and no other is left. */
export function isComplete(deployment: Deployment, counts: Counts): boolean {
  const wanted = wantedReplicas(deployment)
  return (
    (counts.updatedReplicas ?? 0) === wanted &&
    (counts.replicas ?? 0) === wanted &&
    (counts.availableReplicas ?? 0) === wanted &&
    (counts.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

function hasProgressed(counts: Counts, before: DeploymentStatus): boolean {
  const old = (status: Counts): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (
    (counts.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(counts) < old(before) ||
    (counts.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (counts.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

/** When the rollout counts as stuck; undefined while that question does not arise. */
export function deadlineMs({ spec, status }: Deployment): number | undefined {
  const progressing = conditionOf(status.conditions, 'Progressing')
  if (
    progressing === undefined ||
    ['NewReplicaSetAvailable', 'ProgressDeadlineExceeded', 'DeploymentPaused'].includes(progressing.reason ?? '')
  )
    return undefined
  return Date.parse(progressing.lastUpdateTime ?? '') + (spec.progressDeadlineSeconds ?? 0) * 1000
}

function progress(
  { deployment, current, created }: StatusInput,
  counts: Counts,
  conditions: Conditions,
  nowMs: number,
): Conditions {
  if (!hasDeadline(deployment)) return without(conditions, 'Progressing')
  const subject =
    current === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${current.metadata.name}"`
  const found =
    created === true
      ? (['NewReplicaSetCreated', `Created new replica set "${current?.metadata.name}"`] as const)
      : (['FoundNewReplicaSet', `Found new replica set "${current?.metadata.name}"`] as const)
  const before = conditionOf(conditions, 'Progressing')
  const started =
    current !== undefined && (created === true || before === undefined)
      ? setCondition(conditions, { type: 'Progressing', status: 'True', reason: found[0], message: found[1] }, nowMs)
      : conditions
  const settled = counts.replicas === counts.updatedReplicas && before?.reason === 'NewReplicaSetAvailable'
  if (settled) return started
  if (isComplete(deployment, counts))
    return setCondition(
      started,
      {
        type: 'Progressing',
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: `${subject} has successfully progressed.`,
      },
      nowMs,
    )
  if (hasProgressed(counts, deployment.status)) return refresh(started, `${subject} is progressing.`, nowMs)
  const deadline = created === true ? undefined : deadlineMs(deployment)
  if (deadline !== undefined && nowMs > deadline)
    return setCondition(
      started,
      {
        type: 'Progressing',
        status: 'False',
        reason: 'ProgressDeadlineExceeded',
        message: `${subject} has timed out progressing.`,
      },
      nowMs,
    )
  return started
}

/** Progress always moves the update time, which the deadline counts from. */
function refresh(conditions: Conditions, message: string, nowMs: number): Conditions {
  const before = conditionOf(conditions, 'Progressing')
  const now = formatTime(nowMs)
  const lastTransitionTime = before?.status === 'True' ? before.lastTransitionTime : now
  return [
    ...without(conditions, 'Progressing'),
    {
      type: 'Progressing',
      status: 'True',
      reason: 'ReplicaSetUpdated',
      message,
      lastUpdateTime: now,
      lastTransitionTime,
    },
  ]
}

function replicaFailure({ current, old }: StatusInput, conditions: Conditions): Conditions {
  const failing = [current, ...old]
    .flatMap(set => set?.status.conditions ?? [])
    .find(condition => condition.type === 'ReplicaFailure')
  const others = without(conditions, 'ReplicaFailure')
  if (failing === undefined) return others.length === conditions.length ? conditions : others
  return [...others, { ...failing, lastUpdateTime: failing.lastTransitionTime }]
}
