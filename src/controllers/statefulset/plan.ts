// The next steps of a StatefulSet, and its status. With the policy OrderedReady one pod is worked on at a
// time, from the first ordinal up, and from the last one down when pods go. Pure.
import type { Pod, StatefulSet, StatefulSetStatus } from '../../api/generated/models.ts'
import { resolveIntOrPercent } from '../../api/int-or-percent.ts'
import { hashOf } from '../../control/controller-revisions.ts'
import { availableAtMs, isReady, isTerminating } from '../../control/pods.ts'
import { firstOrdinal, ordinalOf } from './stateful-pod.ts'

/** Names of revisions: what the set came from, and what it goes to. */
export interface Revisions {
  readonly current: string
  readonly update: string
}

export interface StatefulPlan {
  readonly create: readonly { readonly ordinal: number; readonly revision: string }[]
  readonly remove: readonly Pod[]
  /** Those of `remove` that had ended on their own and are made anew. */
  readonly ended: readonly Pod[]
  readonly status: StatefulSetStatus
  readonly recheckAtMs?: number
}

interface Steps {
  readonly create: { ordinal: number; revision: string }[]
  readonly remove: Pod[]
  readonly ended: Pod[]
}

const hasEnded = ({ status }: Pod): boolean => status.phase === 'Failed' || status.phase === 'Succeeded'
const isHealthy = (pod: Pod): boolean => pod.status.phase === 'Running' && isReady(pod) && !isTerminating(pod)

export function planStatefulSet(
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: Revisions,
  nowMs: number,
): StatefulPlan {
  const { minReadySeconds = 0 } = set.spec
  const available = (pod: Pod): boolean => isHealthy(pod) && (availableAtMs(pod, minReadySeconds) ?? Infinity) <= nowMs
  const steps: Steps = { create: [], remove: [], ended: [] }
  if (set.metadata.deletionTimestamp === undefined) plan(set, pods, revisions, available, steps)
  const future = pods
    .map(pod => availableAtMs(pod, minReadySeconds))
    .filter((time): time is number => time !== undefined && time > nowMs)
  return {
    ...steps,
    status: statusOf(set, pods, revisions, available, steps),
    ...(future.length > 0 && { recheckAtMs: Math.min(...future) }),
  }
}

function plan(
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: Revisions,
  available: (pod: Pod) => boolean,
  steps: Steps,
): void {
  const ordered = set.spec.podManagementPolicy !== 'Parallel'
  const start = firstOrdinal(set)
  const end = start + (set.spec.replicas ?? 1)
  const byOrdinal = new Map(pods.map(pod => [ordinalOf(set, pod.metadata.name)!, pod]))
  for (let ordinal = start; ordinal < end; ordinal++) {
    if (keepOne(ordinal, byOrdinal.get(ordinal), set, revisions, steps) && !available(byOrdinal.get(ordinal)!)) {
      if (ordered) return
    } else if (ordered && (steps.create.length > 0 || steps.remove.length > 0)) return
  }
  const condemned = [...byOrdinal]
    .filter(([ordinal]) => ordinal < start || ordinal >= end)
    .toSorted(([left], [right]) => right - left)
    .map(([, pod]) => pod)
  const firstUnhealthy = pods
    .toSorted((left, right) => ordinalOf(set, left.metadata.name)! - ordinalOf(set, right.metadata.name)!)
    .find(pod => !isHealthy(pod))
  for (const pod of condemned) {
    if (isTerminating(pod)) {
      if (ordered) return
      continue
    }
    if (ordered && !isHealthy(pod) && pod !== firstUnhealthy) return
    steps.remove.push(pod)
    if (ordered) return
  }
  if (set.spec.updateStrategy?.type !== 'OnDelete') replaceOutdated(set, byOrdinal, revisions, available, steps)
}

/** @returns whether there is a pod that stays */
function keepOne(ordinal: number, pod: Pod | undefined, set: StatefulSet, revisions: Revisions, steps: Steps): boolean {
  if (pod === undefined) {
    steps.create.push({ ordinal, revision: needsCurrent(set, ordinal) ? revisions.current : revisions.update })
    return false
  }
  if (!hasEnded(pod)) return true
  if (!isTerminating(pod)) {
    steps.remove.push(pod)
    steps.ended.push(pod)
  }
  return false
}

/** Whether a missing pod is made as it was before the update under way. */
function needsCurrent(set: StatefulSet, ordinal: number): boolean {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {}
  if (type === 'OnDelete') return false
  const start = firstOrdinal(set)
  return (
    ordinal < start + (rollingUpdate?.partition ?? 0) ||
    (rollingUpdate === undefined && ordinal < start + (set.status.currentReplicas ?? 0))
  )
}

/** From the last pod down to the partition, as many at once as may be unavailable. */
function replaceOutdated(
  set: StatefulSet,
  byOrdinal: ReadonlyMap<number, Pod>,
  { update }: Revisions,
  available: (pod: Pod) => boolean,
  steps: Steps,
): void {
  const { partition = 0, maxUnavailable } = set.spec.updateStrategy?.rollingUpdate ?? {}
  const start = firstOrdinal(set)
  const replicas = set.spec.replicas ?? 1
  const limit = Math.max(1, maxUnavailable === undefined ? 1 : resolveIntOrPercent(maxUnavailable, replicas, 'up'))
  let unavailable = steps.create.length
  for (let ordinal = start + replicas - 1; ordinal >= start + partition; ordinal--) {
    const pod = byOrdinal.get(ordinal)
    if (pod === undefined) continue
    if (hashOf(pod) !== update && !isTerminating(pod) && !steps.remove.includes(pod)) {
      if (available(pod) && unavailable >= limit) return
      steps.remove.push(pod)
      unavailable++
    } else if (!available(pod)) unavailable++
    if (unavailable >= limit) return
  }
}

function statusOf(
  set: StatefulSet,
  pods: readonly Pod[],
  { current, update }: Revisions,
  available: (pod: Pod) => boolean,
  steps: Steps,
): StatefulSetStatus {
  const created = pods.filter(pod => !isTerminating(pod) && !steps.remove.includes(pod))
  const made = (revision: string): number =>
    created.filter(pod => hashOf(pod) === revision).length +
    steps.create.filter(one => one.revision === revision).length
  const replicas = pods.filter(pod => !steps.ended.includes(pod)).length + steps.create.length
  const readyReplicas = pods.filter(isHealthy).length
  const updated = made(update)
  const settled =
    set.spec.updateStrategy?.type !== 'OnDelete' &&
    updated === replicas &&
    readyReplicas === replicas &&
    replicas === (set.spec.replicas ?? 1)
  const currentRevision = settled ? update : current
  const { conditions, collisionCount = 0 } = set.status
  return {
    replicas,
    availableReplicas: pods.filter(available).length,
    ...(readyReplicas > 0 && { readyReplicas }),
    ...(made(currentRevision) > 0 && { currentReplicas: made(currentRevision) }),
    ...(updated > 0 && { updatedReplicas: updated }),
    currentRevision,
    updateRevision: update,
    collisionCount,
    ...(set.metadata.generation !== undefined && { observedGeneration: set.metadata.generation }),
    ...(conditions !== undefined && { conditions }),
  }
}
