// Validation findings with the path, the reason and the wording of Kubernetes
// (staging/src/k8s.io/apimachinery/pkg/util/validation/field). A validator returns a list of them;
// `invalid()` in api-error.ts turns the list into a 422 Status.
import { goQuote } from '../lib/go-quote.ts'

export type FieldErrorReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError'

export interface FieldError {
  readonly reason: FieldErrorReason
  /** `spec.containers[0].image` */
  readonly field: string
  /** Without the path: `Invalid value: "x": must be ...`. */
  readonly message: string
}

/** How Kubernetes prints a bad value: strings quoted, objects as JSON, absent as null. */
function show(value: unknown): string {
  if (typeof value === 'string') return goQuote(value)
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'object') return JSON.stringify(value)
  return `${value as number | boolean}`
}

const withDetail = (head: string, detail: string): string => (detail === '' ? head : `${head}: ${detail}`)

export const required = (field: string, detail = ''): FieldError => ({
  reason: 'FieldValueRequired',
  field,
  message: withDetail('Required value', detail),
})
export const invalidValue = (field: string, value: unknown, detail: string): FieldError => ({
  reason: 'FieldValueInvalid',
  field,
  message: withDetail(`Invalid value: ${show(value)}`, detail),
})
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  reason: 'FieldValueNotSupported',
  field,
  message: withDetail(
    `Unsupported value: ${show(value)}`,
    supported.length === 0 ? '' : `supported values: ${[...supported].sort().map(goQuote).join(', ')}`,
  ),
})
export const duplicate = (field: string, value: unknown): FieldError => ({
  reason: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${show(value)}`,
})
export const forbiddenField = (field: string, detail: string): FieldError => ({
  reason: 'FieldValueForbidden',
  field,
  message: withDetail('Forbidden', detail),
})
export const notFoundValue = (field: string, value: unknown): FieldError => ({
  reason: 'FieldValueNotFound',
  field,
  message: `Not found: ${show(value)}`,
})
export const tooLong = (field: string, maximumBytes: number): FieldError => ({
  reason: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${maximumBytes} bytes`,
})
export const tooMany = (field: string, actual: number, maximum: number): FieldError => ({
  reason: 'FieldValueTooMany',
  field,
  message: `Too many: ${actual}: must have at most ${maximum} item${maximum === 1 ? '' : 's'}`,
})

const none: readonly FieldError[] = Object.freeze([])

/** The findings of several validators. Mostly there are none, which costs nothing: spreading empty lists into a new one would. */
export function joinErrors(...lists: readonly (readonly FieldError[])[]): FieldError[] {
  let joined: readonly FieldError[] = none
  for (const list of lists) if (list.length > 0) joined = joined.length === 0 ? list : [...joined, ...list]
  return joined as FieldError[]
}
