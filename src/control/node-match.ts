// Whether a node suits a pod by its labels, name and taints.
import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  Pod,
  Taint,
  Toleration,
} from '../api/generated/models.ts'
import { matchesLabels } from '../api/label-selector.ts'
import { compareInt64, parseInt64 } from '../lib/int64.ts'

export function matchesNodeAffinity({ spec }: Pod, node: Node): boolean {
  if (spec.nodeSelector !== undefined && !matchesLabels(spec.nodeSelector, node.metadata.labels)) return false
  const needed = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return needed === undefined || needed.nodeSelectorTerms.some(term => matchesTerm(term, node))
}

/** A term without any requirement matches nothing. */
export function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term
  if (matchExpressions.length + matchFields.length === 0) return false
  return (
    matchExpressions.every(requirement => matchesRequirement(requirement, node.metadata.labels?.[requirement.key])) &&
    matchFields.every(requirement =>
      matchesRequirement(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined),
    )
  )
}

function matchesRequirement({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return order(value, values[0]) === 1
    case 'Lt':
      return order(value, values[0]) === -1
    default:
      return false
  }
}

/** Undefined when one of them is no whole number of 64 bits. */
function order(left: string | undefined, right: string | undefined): number | undefined {
  const [a, b] = [parseInt64(left), parseInt64(right)]
  return a === undefined || b === undefined ? undefined : compareInt64(a, b)
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  return (
    toleration.operator === 'Exists' ||
    (toleration.key !== undefined && (toleration.value ?? '') === (taint.value ?? ''))
  )
}

/** Effects of taints that keep pods off a node. */
export const hardEffects: readonly string[] = ['NoSchedule', 'NoExecute']

/** The first taint with one of the effects that the pod does not tolerate. */
export function untolerated({ spec }: Pod, node: Node, effects: readonly string[]): Taint | undefined {
  return node.spec.taints?.find(
    taint =>
      effects.includes(taint.effect) && !(spec.tolerations ?? []).some(toleration => tolerates(toleration, taint)),
  )
}
