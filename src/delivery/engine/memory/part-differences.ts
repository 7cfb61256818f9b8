// How two parts differ, field by field. Pure.
import { isDeepStrictEqual } from 'node:util'
import type { Difference } from '../engine.ts'

/** Fields that only wrap what people speak of. */
const unspoken = new Set(['process', 'value'])

/** Told as a whole, as people write them. */
const whole = new Set(['health', 'timing'])

/** Lists of named things are compared by name. */
export function partDifferences(is: unknown, wanted: unknown, path: readonly string[] = []): Difference[] {
  if (isDeepStrictEqual(is, wanted)) return []
  const [left, right] = whole.has(path.at(-1) ?? '') ? [] : [fieldsOf(is), fieldsOf(wanted)]
  if (left === undefined || right === undefined)
    return [{ field: path.filter(name => !unspoken.has(name)).join('.'), is: shown(is), wanted: shown(wanted) }]
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap(name =>
    partDifferences(left[name], right[name], [...path, name]),
  )
}

/** undefined: it is compared as a whole. */
function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!Array.isArray(value)) return value as Record<string, unknown>
  const named = value as { readonly name?: string }[]
  return named.every(each => each?.name !== undefined)
    ? Object.fromEntries(named.map(each => [each.name!, each]))
    : undefined
}

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value))
