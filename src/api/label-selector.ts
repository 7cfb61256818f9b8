// The structured label selector (`matchLabels`, `matchExpressions`): matching and printing. The text
// grammar of query parameters is another matter.
import type { LabelSelector, LabelSelectorRequirement } from './generated/models.ts'

type Labels = Readonly<Record<string, string>>

/** An empty selector matches everything, an absent one nothing. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels | undefined = {}): boolean {
  if (selector === undefined) return false
  return matchesLabels(selector.matchLabels, labels) && (selector.matchExpressions ?? []).every(requirement => matchesRequirement(requirement, labels))
}

/** Whether every pair of `wanted` is among `labels`. */
export function matchesLabels(wanted: Labels | undefined, labels: Labels | undefined = {}): boolean {
  for (const key in wanted) if (labels[key] !== wanted[key]) return false
  return true
}

function matchesRequirement({ key, operator, values = [] }: LabelSelectorRequirement, labels: Labels): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In': return value !== undefined && values.includes(value)
    case 'NotIn': return value === undefined || !values.includes(value)
    case 'Exists': return value !== undefined
    case 'DoesNotExist': return value === undefined
    default: return false
  }
}

export const isEmptySelector = (selector: LabelSelector | undefined): boolean =>
  Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0

/** As `kubectl get -o wide` and the scale subresource show it: `app=web,tier in (a,b),!old`. */
export function formatSelector(selector: LabelSelector | undefined): string {
  if (selector === undefined) return '<none>'
  const pairs = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => [key, `${key}=${value}`] as const)
  const expressions = (selector.matchExpressions ?? []).map(requirement => [requirement.key, formatRequirement(requirement)] as const)
  const parts = [...pairs, ...expressions].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, text]) => text)
  return parts.length === 0 ? '<none>' : parts.join(',')
}

function formatRequirement({ key, operator, values = [] }: LabelSelectorRequirement): string {
  const list = `(${[...values].sort().join(',')})`
  switch (operator) {
    case 'In': return `${key} in ${list}`
    case 'NotIn': return `${key} notin ${list}`
    case 'Exists': return key
    default: return `!${key}`
  }
}

/** `a=1,b=2`, or `<none>`. */
export function formatLabels(labels: Labels | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? '<none>' : pairs.join(',')
}
