// What the status of a PodDisruptionBudget has to be: how many pods there should be, how many are healthy,
// how many may go. Source: pkg/controller/disruption.
import { withDisruptionCondition } from '../../api/disruption-budget.ts'
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/generated/models.ts'
import { resolveIntOrPercent } from '../../api/int-or-percent.ts'
import { isReady, isTerminating } from '../../control/pods.ts'
import { controllerOf } from '../../control/ownership.ts'

/** How long an evicted pod counts as going before it is believed to stay. */
export const deletionTimeoutMs = 120_000

export interface ControllerScale {
  readonly uid: string
  readonly replicas: number
}

export interface DisruptionPlan {
  readonly status: PodDisruptionBudgetStatus
  /** Evicted and still there after all. */
  readonly notDeleted: readonly Pod[]
  /** Of no controller, so that a share of them is a share of nothing. */
  readonly unmanaged: readonly Pod[]
  readonly recheckAfterMs: number | undefined
}

/** @param scaleOf what the controller of a pod wants to have; undefined when nobody knows that controller */
export function planDisruption(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  scaleOf: (pod: Pod) => ControllerScale | undefined,
  nowMs: number,
): DisruptionPlan {
  const { metadata, status } = budget
  const { disruptedPods, notDeleted, recheckAfterMs } = planDisrupted(status.disruptedPods ?? {}, pods, nowMs)
  const currentHealthy = pods.filter(
    pod => !isTerminating(pod) && disruptedPods[pod.metadata.name] === undefined && isReady(pod),
  ).length
  const unmanaged = needsScale(budget) ? pods.filter(pod => controllerOf(pod) === undefined) : []
  const counted = {
    observedGeneration: metadata.generation ?? 0,
    currentHealthy,
    ...(status.conditions && { conditions: status.conditions }),
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
  }
  try {
    const { desiredHealthy, expectedPods } = expected(budget, pods, scaleOf)
    const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy)
    return {
      status: withDisruptionCondition({ ...counted, desiredHealthy, expectedPods, disruptionsAllowed }, nowMs),
      notDeleted,
      unmanaged,
      recheckAfterMs,
    }
  } catch (error) {
    if (!(error instanceof UncountableError)) throw error
    return {
      status: withDisruptionCondition({ ...status, disruptionsAllowed: 0 }, nowMs, error.message),
      notDeleted: [],
      unmanaged,
      recheckAfterMs,
    }
  }
}

class UncountableError extends Error {}

const needsScale = ({ spec }: PodDisruptionBudget): boolean =>
  spec.maxUnavailable !== undefined || typeof spec.minAvailable === 'string'

function expected(
  { spec }: PodDisruptionBudget,
  pods: readonly Pod[],
  scaleOf: (pod: Pod) => ControllerScale | undefined,
): { desiredHealthy: number; expectedPods: number } {
  const { maxUnavailable, minAvailable } = spec
  if (maxUnavailable !== undefined) {
    const expectedPods = totalScale(pods, scaleOf)
    return {
      expectedPods,
      desiredHealthy: Math.max(0, expectedPods - resolveIntOrPercent(maxUnavailable, expectedPods, 'up')),
    }
  }
  if (typeof minAvailable === 'number') return { expectedPods: pods.length, desiredHealthy: minAvailable }
  if (minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 }
  const expectedPods = totalScale(pods, scaleOf)
  return { expectedPods, desiredHealthy: resolveIntOrPercent(minAvailable, expectedPods, 'up') }
}

/** What all controllers of these pods want together. */
function totalScale(pods: readonly Pod[], scaleOf: (pod: Pod) => ControllerScale | undefined): number {
  const scales = new Map<string, number>()
  for (const pod of pods) {
    if (controllerOf(pod) === undefined) continue
    const scale = scaleOf(pod)
    if (scale === undefined)
      throw new UncountableError(`found no controllers for pod ${JSON.stringify(pod.metadata.name)}`)
    scales.set(scale.uid, scale.replicas)
  }
  return [...scales.values()].reduce((total, replicas) => total + replicas, 0)
}

/** Evictions that were let pass and have not shown yet. */
function planDisrupted(
  noted: Readonly<Record<string, string>>,
  pods: readonly Pod[],
  nowMs: number,
): { disruptedPods: Record<string, string>; notDeleted: Pod[]; recheckAfterMs: number | undefined } {
  const waiting = pods.filter(pod => noted[pod.metadata.name] !== undefined && !isTerminating(pod))
  const leftMs = (pod: Pod): number => Date.parse(noted[pod.metadata.name]!) + deletionTimeoutMs - nowMs
  const kept = waiting.filter(pod => leftMs(pod) >= 0)
  return {
    disruptedPods: Object.fromEntries(kept.map(({ metadata: { name } }) => [name, noted[name]!])),
    notDeleted: waiting.filter(pod => leftMs(pod) < 0),
    recheckAfterMs: kept.length === 0 ? undefined : Math.min(...kept.map(leftMs)) + 1,
  }
}
