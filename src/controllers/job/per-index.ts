// Jobs with `backoffLimitPerIndex`: every index has failures, waits and an end of its own. The count
// travels on the pods: each replacement says how often its index failed before.
import type { Job, Pod } from '../../api/generated/models.ts'
import { indexOf } from './indexes.ts'

export const failureCountKey = 'batch.kubernetes.io/job-index-failure-count'

export const limitsEachIndex = ({ spec }: Job): boolean => spec.backoffLimitPerIndex !== undefined

/** Failures of the pod's index before this pod. */
export const failuresBefore = ({ metadata }: Pod): number => Number(metadata.annotations?.[failureCountKey] ?? 0) || 0

/** The newest pod of every index: the one that failed last, or that runs. */
export function newestByIndex(pods: readonly Pod[]): Map<number, Pod> {
  const newest = new Map<number, Pod>()
  for (const pod of pods) {
    const index = indexOf(pod)
    if (index === undefined) continue
    const other = newest.get(index)
    if (
      other === undefined ||
      failuresBefore(pod) > failuresBefore(other) ||
      (failuresBefore(pod) === failuresBefore(other) && pod.status.phase !== 'Failed')
    )
      newest.set(index, pod)
  }
  return newest
}

/** The first rule of the success policy that the completed indexes fulfil. */
export function fulfilledRule(
  { spec }: Job,
  completed: ReadonlySet<number>,
  parse: (text: string) => ReadonlySet<number>,
): number | undefined {
  const rules = spec.successPolicy?.rules ?? []
  const found = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    const wanted = succeededIndexes === undefined ? undefined : parse(succeededIndexes)
    const matching = wanted === undefined ? completed.size : [...wanted].filter(index => completed.has(index)).length
    return matching >= (succeededCount ?? wanted?.size ?? Infinity)
  })
  return found < 0 ? undefined : found
}
