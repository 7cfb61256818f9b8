// `matchLabelKeys` and `mismatchLabelKeys` of affinities and spread constraints: "pods that have the same
// value as this one", such as those of the same revision. The value is written into the selector when the
// pod is made, so that schedulers look at selectors only. Source: pkg/registry/core/pod/strategy.go.
import type { LabelSelector, Pod, PodAffinity, PodAntiAffinity } from '../generated/models.ts'
import type { Labels } from '../label-selector.ts'

/** What says which pods it speaks of by the keys of labels. */
interface Keyed {
  labelSelector?: LabelSelector
  readonly matchLabelKeys?: readonly string[]
  readonly mismatchLabelKeys?: readonly string[]
}

export function mergeLabelKeys({
  metadata,
  spec,
}: Pick<Pod, 'spec'> & { readonly metadata: { readonly labels?: Labels } }): void {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {}
  for (const keyed of [...termsOf(podAffinity), ...termsOf(podAntiAffinity), ...(spec.topologySpreadConstraints ?? [])])
    merge(keyed, metadata.labels ?? {})
}

const termsOf = (affinity: PodAffinity | PodAntiAffinity | undefined): Keyed[] => [
  ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
  ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
]

function merge(keyed: Keyed, labels: Labels): void {
  const added = [
    ...requirements('In', keyed.matchLabelKeys, labels),
    ...requirements('NotIn', keyed.mismatchLabelKeys, labels),
  ]
  if (added.length === 0 || keyed.labelSelector === undefined) return
  keyed.labelSelector = {
    ...keyed.labelSelector,
    matchExpressions: [...(keyed.labelSelector.matchExpressions ?? []), ...added],
  }
}

/** Keys that the pod does not have say nothing. */
const requirements = (
  operator: string,
  keys: readonly string[] = [],
  labels: Labels,
): NonNullable<LabelSelector['matchExpressions']> =>
  keys.filter(key => labels[key] !== undefined).map(key => ({ key, operator, values: [labels[key]!] }))
