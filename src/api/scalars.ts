// How each scalar type of the API is read from JSON: what is accepted, its canonical form, and Go's
// sentence when it is refused. Quantities stay as written: their canonical form is quantity.ts's business.
import { ApiError } from './api-error.ts'
import type { FieldType } from './schema/schema.ts'
import { isNumber } from '../lib/int64.ts'
import { base64ErrorAt } from '../lib/text.ts'

/** A field's name, a list index, or the key of a map. */
export type PathPart = string | number | readonly [key: string]

/** Where decoding is. `struct` is the innermost structure, for messages. */
export interface DecodeContext {
  readonly path: PathPart[]
  struct: string
  readonly unknownFields: string[]
  readonly subject: () => string
}

export type ValueDecoder = (value: unknown, context: DecodeContext) => unknown

/** A value that does not fit its field: a bad request, where whoever decodes has no better answer. */
export class DecodeError extends ApiError {
  readonly problem: string
  readonly conversion: string

  /**
   * @param problem as Go's JSON decoder words it
   * @param conversion as its converter between maps and structures words it, which strategic merge patches meet
   */
  constructor(subject: string, problem: string, conversion: string) {
    super(400, 'BadRequest', subject === '' ? problem : `${subject}: ${problem}`)
    this.problem = problem
    this.conversion = conversion
  }
}

const refuse = (context: DecodeContext, problem: string, conversion = problem): DecodeError =>
  new DecodeError(context.subject(), problem, conversion)

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value
}

/** `json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container` */
export function typeMismatch(
  value: unknown,
  goType: string,
  context: DecodeContext,
  literal = jsonKind(value),
): DecodeError {
  const names = context.path.filter(part => typeof part === 'string')
  const where = names.length === 0 ? 'value' : `struct field ${[context.struct, ...names].join('.')}`
  return refuse(
    context,
    `json: cannot unmarshal ${literal} into Go ${where} of type ${goType}`,
    conversionProblem(value, goType),
  )
}

/** `cannot restore map from string` (apimachinery pkg/runtime/converter.go) */
function conversionProblem(value: unknown, goType: string): string {
  const kind = goKind(value)
  if (goType.startsWith('map[')) return `cannot restore map from ${kind}`
  if (goType.startsWith('[]')) return `cannot restore slice from ${kind}`
  if (goType.includes('.')) return `cannot restore struct from: ${kind}`
  const isConvertible = isNumber(value) && (goType === 'string' ? kind === 'int64' : goType !== 'bool')
  return isConvertible ? `cannot convert ${kind} to ${goType}` : `unrecognized type: ${goType}`
}

/** What a JSON value becomes in Go when nothing says what it should be. */
function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice'
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int64'
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'float64'
    case 'string':
      return 'string'
    default:
      return 'map'
  }
}

const string: ValueDecoder = (value, context) => {
  if (typeof value !== 'string') throw typeMismatch(value, 'string', context)
  return value
}

const boolean: ValueDecoder = (value, context) => {
  if (typeof value !== 'boolean') throw typeMismatch(value, 'bool', context)
  return value
}

const double: ValueDecoder = (value, context) => {
  if (!isNumber(value)) throw typeMismatch(value, 'float64', context)
  return Number(value)
}

const int32: ValueDecoder = (value, context) => {
  if (!isNumber(value)) throw typeMismatch(value, 'int32', context)
  if (typeof value === 'bigint' || (value | 0) !== value) throw typeMismatch(value, 'int32', context, `number ${value}`)
  return value
}

const int64: ValueDecoder = (value, context) => {
  if (typeof value === 'bigint') return value
  if (typeof value !== 'number') throw typeMismatch(value, 'int64', context)
  if (!Number.isSafeInteger(value)) throw typeMismatch(value, 'int64', context, `number ${value}`)
  return value
}

const bytes: ValueDecoder = (value, context) => {
  if (typeof value !== 'string') throw typeMismatch(value, '[]uint8', context)
  const bad = base64ErrorAt(value)
  const problem = `illegal base64 data at input byte ${bad}`
  if (bad >= 0) throw refuse(context, problem, `error decoding from json: ${problem}`)
  return value.includes('\n') || value.includes('\r') ? value.replaceAll(/[\r\n]/g, '') : value
}

const intOrString: ValueDecoder = (value, context) => {
  if (typeof value === 'string') return value
  if (!isNumber(value)) throw refuse(context, `json: cannot unmarshal ${jsonKind(value)} into Go value of type int32`)
  if (typeof value === 'bigint' || (value | 0) !== value)
    throw refuse(context, `json: cannot unmarshal number ${value} into Go value of type int32`)
  return value
}

const quantityPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(.*)$/s
const suffixPattern = /^(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/

const quantity: ValueDecoder = (value, context) => {
  const text = isNumber(value) ? String(value) : value
  const suffix = typeof text === 'string' ? quantityPattern.exec(text)?.[1] : undefined
  if (suffix === undefined || /[^eEinumkKMGTP0-9+-]/.test(suffix)) {
    throw refuse(context, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
  }
  if (!suffixPattern.test(suffix)) throw refuse(context, "unable to parse quantity's suffix")
  return text
}

const canonicalTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/
const canonicalMicroTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/
const anyTime = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/

function timeParts(value: unknown, context: DecodeContext): { seconds: string; fraction: string } {
  if (typeof value !== 'string')
    throw refuse(context, `json: cannot unmarshal ${jsonKind(value)} into Go value of type string`)
  const match = anyTime.exec(value)
  const epochMs = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`)
  if (match === null || Number.isNaN(epochMs)) {
    const shown = JSON.stringify(value)
    throw refuse(context, `parsing time ${shown} as "2006-01-02T15:04:05Z07:00": cannot parse ${shown} as "2006"`)
  }
  return { seconds: new Date(epochMs).toISOString().slice(0, 19), fraction: match[2] ?? '' }
}

const time: ValueDecoder = (value, context) =>
  typeof value === 'string' && canonicalTime.test(value) ? value : `${timeParts(value, context).seconds}Z`

const microTime: ValueDecoder = (value, context) => {
  if (typeof value === 'string' && canonicalMicroTime.test(value)) return value
  const { seconds, fraction } = timeParts(value, context)
  return `${seconds}.${fraction.slice(0, 6).padEnd(6, '0')}Z`
}

export type ScalarType = Exclude<
  FieldType,
  'object' | 'any' | 'raw' | 'fieldsV1' | 'json' | 'stringList' | 'schemaOrArray' | 'schemaOrBool' | 'schemaOrStrings'
>
const decoders: Record<ScalarType, ValueDecoder> = {
  string,
  boolean,
  int32,
  int64,
  double,
  bytes,
  intOrString,
  quantity,
  time,
  microTime,
}

export const scalarDecoder = (type: ScalarType): ValueDecoder => decoders[type]
