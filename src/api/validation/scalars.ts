// Small checks that validators of many kinds share. Each returns its findings.
import type { Int64 } from '../../lib/int64.ts'
import type { FieldError } from '../field-error.ts'
import { duplicate, invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { Check } from './formats.ts'
import { checkPortName, isPort, portRangeMessage } from './formats.ts'

export function collect(check: Check, field: string, value: string): FieldError[] {
  const found = check(value)
  return found.length === 0 ? joinErrors() : found.map(message => invalidValue(field, value, message))
}

export const validateNonNegative = (value: Int64 | undefined, field: string): FieldError[] =>
  value === undefined || value >= 0 ? [] : [invalidValue(field, value, 'must be greater than or equal to 0')]

export const validatePositive = (value: Int64 | undefined, field: string): FieldError[] =>
  value === undefined || value > 0 ? [] : [invalidValue(field, value, 'must be greater than 0')]

export const validatePort = (value: number | undefined, field: string): FieldError[] =>
  isPort(value ?? 0) ? [] : [invalidValue(field, value ?? 0, portRangeMessage)]

/** A number, or the name of a container port. */
export const validatePortNumberOrName = (value: number | string | undefined, field: string): FieldError[] =>
  typeof value === 'string' ? collect(checkPortName, field, value) : validatePort(value, field)

/** `emptyIsMissing`: an empty value is a missing one rather than an unsupported one. */
export function validateOneOf(
  value: string | undefined,
  supported: readonly string[],
  field: string,
  emptyIsMissing = false,
): FieldError[] {
  if (value !== undefined && supported.includes(value)) return []
  return emptyIsMissing && (value ?? '') === '' ? [required(field)] : [notSupported(field, value ?? '', supported)]
}

export const optionalOneOf = (value: string | undefined, supported: readonly string[], field: string): FieldError[] =>
  value === undefined || value === '' ? [] : validateOneOf(value, supported, field)

export const validateImmutable = (value: unknown, old: unknown, field: string): FieldError[] =>
  sameJson(value, old) ? [] : [invalidValue(field, value, 'field is immutable')]

/** Equality of plain data; the order of keys does not matter, absent equals undefined. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right))
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => sameJson(item, right[index]))
    )
  const a = left as Record<string, unknown>
  const b = right as Record<string, unknown>
  for (const key in a) if (!sameJson(a[key], b[key])) return false
  for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false
  return true
}

/** A part of an object, of which a client may have left anything out, whatever its type promises. */
export const partOf = <T extends object>(part: T | undefined): Partial<T> => part ?? {}

/** Validates every item under its own path: `spec.ports[2]`. */
export function each<T>(
  items: readonly T[] | undefined,
  field: string,
  validate: (item: T, field: string, index: number) => FieldError[],
): FieldError[] {
  return (items ?? []).reduce(
    (found, item, index) => joinErrors(found, validate(item, `${field}[${index}]`, index)),
    joinErrors(),
  )
}

/** Names that occur more than once among the items: one finding for each repetition. */
export function validateUnique<T>(
  items: readonly T[] | undefined,
  field: string,
  valueOf: (item: T) => unknown,
  name = '',
): FieldError[] {
  if (items === undefined || items.length < 2) return joinErrors()
  const seen = new Set<unknown>()
  return each(items, field, (item, path) => {
    const value = valueOf(item)
    if (value === undefined || value === '' || !seen.has(value)) {
      seen.add(value)
      return []
    }
    return [duplicate(name === '' ? path : `${path}.${name}`, value)]
  })
}

/** An empty or absent text is missing; otherwise the check decides. */
export const requireText = (value: string | undefined, field: string, check?: Check): FieldError[] =>
  (value ?? '') === '' ? [required(field)] : check === undefined ? [] : collect(check, field, value!)
