// The condition of a PodDisruptionBudget that says whether a pod may go now. The controller sets it when it
// counts, the eviction of a pod when it takes the last place.
// Source: component-helpers apps/poddisruptionbudget.
import type { Condition, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from './generated/models.ts'
import { matchesSelector } from './label-selector.ts'
import { formatTime } from '../lib/clock.ts'

const type = 'DisruptionAllowed'

export const disruptionCondition = (status: PodDisruptionBudgetStatus | undefined): Condition | undefined =>
  status?.conditions?.find(condition => condition.type === type)

/** @param failure why nothing could be counted */
export function withDisruptionCondition(
  status: PodDisruptionBudgetStatus,
  nowMs: number,
  failure?: string,
): PodDisruptionBudgetStatus {
  const allowed = failure === undefined && (status.disruptionsAllowed ?? 0) > 0
  const before = disruptionCondition(status)
  const value = allowed ? 'True' : 'False'
  const condition: Condition = {
    type,
    status: value,
    ...(status.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }),
    lastTransitionTime: before !== undefined && before.status === value ? before.lastTransitionTime : formatTime(nowMs),
    reason: failure !== undefined ? 'SyncFailed' : allowed ? 'SufficientPods' : 'InsufficientPods',
    message: failure ?? '',
  }
  return { ...status, conditions: [...(status.conditions ?? []).filter(each => each.type !== type), condition] }
}

/** No selector protects nothing, an empty one everything in the namespace. */
export const protects = ({ metadata, spec }: PodDisruptionBudget, pod: Pod): boolean =>
  metadata.namespace === pod.metadata.namespace && matchesSelector(spec?.selector, pod.metadata.labels)
