// Label selectors: what a requirement means, matching against the structured form (`matchLabels`,
// `matchExpressions`), and printing. The grammar of query parameters is read in selectors.ts.
// Source: apimachinery pkg/labels and pkg/apis/meta/v1/helpers.go.
import type { LabelSelector, LabelSelectorRequirement } from './generated/models.ts'

export type Labels = Readonly<Record<string, string>>

/** Of the structured form, and those that only the text form has. */
export type LabelOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | '=' | '==' | '!=' | '>' | '<'

export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  readonly values: readonly string[]
}

const noLabels: Labels = {}
const noValues: readonly string[] = []

/** An empty selector matches everything; an absent one, and one with an unknown operator, nothing. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels | undefined = noLabels): boolean {
  if (selector === undefined) return false
  return (
    matchesLabels(selector.matchLabels, labels) &&
    (selector.matchExpressions ?? []).every(requirement => holds(requirement, labels))
  )
}

/** Whether every pair of `wanted` is among `labels`. */
export function matchesLabels(wanted: Labels | undefined, labels: Labels | undefined = noLabels): boolean {
  for (const key in wanted) if (labels[key] !== wanted[key]) return false
  return true
}

/** An unknown operator never holds. */
export function holds(
  { key, operator, values = noValues }: LabelRequirement | LabelSelectorRequirement,
  labels: Labels,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
    case '=':
    case '==':
      return value !== undefined && values.includes(value)
    case 'NotIn':
    case '!=':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case '>':
      return value !== undefined && isInteger(value) && BigInt(value) > BigInt(values[0]!)
    case '<':
      return value !== undefined && isInteger(value) && BigInt(value) < BigInt(values[0]!)
    default:
      return false
  }
}

export const isInteger = (text: string): boolean => /^[+-]?\d+$/.test(text)

export const isEmptySelector = (selector: LabelSelector | undefined): boolean =>
  Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0

/**
 * The text form, keys in order, as in `status.selector` of a Scale and in queries: `app=web,!old,tier in (a,b)`.
 * Empty for an empty or absent selector; `<error>`, which no server takes for a selector, with an unknown operator.
 */
export function labelSelectorText(selector: LabelSelector | undefined): string {
  const pairs = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }))
  const expressions = (selector?.matchExpressions ?? []).map(requirement => ({
    key: requirement.key,
    text: expressionText(requirement),
  }))
  const terms = [...pairs, ...expressions].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return terms.some(({ text }) => text === undefined) ? '<error>' : terms.map(({ text }) => text).join(',')
}

function expressionText({ key, operator, values = [] }: LabelSelectorRequirement): string | undefined {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return `${key} ${operator.toLowerCase()} (${[...values].sort().join(',')})`
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `!${key}`
    default:
      return undefined
  }
}

/** As the columns of `kubectl get -o wide` show it: the text form, or `<none>`. */
export const formatSelector = (selector: LabelSelector | undefined): string => labelSelectorText(selector) || '<none>'

/** `a=1,b=2`, or `<none>`. */
export const formatLabels = (labels: Labels | undefined): string => formatSelector({ matchLabels: labels ?? noLabels })
