// From a request's body to an object of a model: unknown fields are dropped and reported, nulls and
// zero values vanish as they do in Go, scalars get their canonical form, and a value of a wrong type is
// refused with the sentence Go's decoder has for it. Nothing here fills in defaults.
import { parseExactJson } from '../lib/exact-json.ts'
import { badRequest, type ApiError } from './api-error.ts'
import { scanJson } from './json-scanner.ts'
import {
  scalarDecoder,
  typeMismatch,
  type DecodeContext,
  type PathPart,
  type ScalarType,
  type ValueDecoder,
} from './scalars.ts'
import { modelOf, type Field, type FieldType } from './schema/schema.ts'

export interface ParseOptions {
  /** Whether to look for keys that occur twice (strict and warning field validation). */
  readonly duplicates: boolean
  /** The kind the caller waits for; it is named in the error. */
  readonly expected?: string
  /** What stands before the problem where the text is no object at all but says how to change one. */
  readonly ofPatch?: string
}

/** How Kubernetes shows a body it could not read. */
function summarize(text: string): string {
  if (text === '') return '<empty>'
  const shown = text.slice(0, 30)
  return `${shown}${text.length > 30 ? ' ...' : ''}`
}

export function parseJson(text: string, options: ParseOptions): { value: unknown; duplicates: string[] } {
  let value: unknown
  try {
    value = parseExactJson(text)
  } catch {
    const problem = scanJson(text).error ?? 'invalid JSON'
    if (options.ofPatch !== undefined) throw badRequest(`${options.ofPatch}${problem}`)
    throw badRequest(
      options.expected === undefined
        ? `couldn't get version/kind; json parse error: ${problem}`
        : `the object provided is unrecognized (must be of type ${options.expected}): couldn't get version/kind; json parse error: ${problem} (${summarize(text)})`,
    )
  }
  return { value, duplicates: options.duplicates && !isCanonical(text, value) ? scanJson(text).duplicates : [] }
}

/** What says the same when it is written again has no key twice. Programs write JSON so, with a newline at most. */
function isCanonical(text: string, value: unknown): boolean {
  const again = JSON.stringify(value)
  return text.length - again.length <= 1 && text.startsWith(again)
}

/** The refusal of a strict decode; `kind` and `version` as the object names them. */
export function strictDecodingError(
  kind: string,
  version: string,
  unknownFields: readonly string[],
  duplicates: readonly string[],
): ApiError {
  const texts = [
    ...duplicates.map(path => `duplicate field "${path}"`),
    ...unknownFields.map(path => `unknown field "${path}"`),
  ]
  return badRequest(
    `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${texts.join(', ')}`,
  )
}

type Decoded = Record<string, unknown>

interface FieldDecoder {
  readonly name: string
  readonly decode: ValueDecoder
  /** Whether `decoded` is the same as nothing for this field. */
  readonly isZero: (decoded: unknown) => boolean
}

interface ModelDecoder {
  readonly goName: string
  readonly fields: ReadonlyMap<string, FieldDecoder>
  /** Required scalars, and structures that are held by value, are there even when nobody gave them, as in Go. */
  readonly zeros: readonly (readonly [name: string, zero: () => unknown])[]
}

const decoders = new Map<string, ModelDecoder>()

function decoderOf(name: string): ModelDecoder {
  let decoder = decoders.get(name)
  if (decoder === undefined) {
    const model = modelOf(name)
    const fields = new Map<string, FieldDecoder>()
    const zeros = [...model.fields.values()]
      .filter(
        field =>
          field.required &&
          field.shape === 'one' &&
          !field.pointer &&
          (scalarTypes.has(field.type) || field.type === 'object'),
      )
      .map(field => [field.name, () => zeroOf(field)] as const)
    decoder = { goName: model.goName, fields, zeros }
    decoders.set(name, decoder)
    for (const field of model.fields.values())
      fields.set(field.name, { name: field.name, decode: fieldDecoder(field), isZero: zeroTest(field) })
  }
  return decoder
}

const never = (): boolean => false
const isEmptyList = (value: unknown): boolean => (value as unknown[]).length === 0
const isZeroScalar = (value: unknown): boolean => value === '' || value === 0 || value === false

function isEmptyMap(value: unknown): boolean {
  for (const _ in value as object) return false
  return true
}

const scalarTypes = new Set(['string', 'boolean', 'int32', 'int64', 'double'])

function zeroTest(field: Field): FieldDecoder['isZero'] {
  if (field.required) return never
  if (field.shape === 'list') return isEmptyList
  if (field.shape === 'map') return isEmptyMap
  return !field.pointer && scalarTypes.has(field.type) ? isZeroScalar : never
}

/** The type's name in Go, for messages. */
function goType(field: Field): string {
  const names: Partial<Record<Field['type'], string>> = {
    boolean: 'bool',
    double: 'float64',
    bytes: '[]uint8',
    quantity: 'resource.Quantity',
    time: 'v1.Time',
    microTime: 'v1.MicroTime',
    intOrString: 'intstr.IntOrString',
    raw: 'runtime.RawExtension',
    fieldsV1: 'v1.FieldsV1',
    json: 'v1.JSON',
    stringList: 'v1.ExtraValue',
  }
  let name: string = names[field.type] ?? field.type
  if (field.type === 'object') {
    const definition = modelOf(field.model).definition.split('.')
    name = definition.slice(-2).join('.')
  }
  return field.shape === 'list' ? `[]${name}` : field.shape === 'map' ? `map[string]${name}` : name
}

function fieldDecoder(field: Field): ValueDecoder {
  const one = valueDecoder(field)
  const name = goType(field)
  if (field.shape === 'one') return one
  const zero = (): unknown =>
    scalarTypes.has(field.type) || field.type === 'bytes' || field.type === 'object' ? zeroOf(field) : {}
  return field.shape === 'list' ? listDecoder(one, name, zero) : mapDecoder(one, name, zero)
}

const zeroOf = (field: Field): unknown =>
  field.type === 'object'
    ? zeroModel(decoderOf(field.model))
    : field.type === 'boolean'
      ? false
      : field.type === 'string' || field.type === 'bytes'
        ? ''
        : 0

function zeroModel({ zeros }: ModelDecoder): Decoded {
  const zero: Decoded = {}
  for (const [name, make] of zeros) zero[name] = make()
  return zero
}

const asIs: ValueDecoder = value => value

/** The types that are not simple scalars; `object` is dealt with where the model is known. */
const structured: Partial<Record<FieldType, ValueDecoder>> = {
  any: asIs,
  raw: asIs,
  fieldsV1: asIs,
  json: asIs,
  stringList: listDecoder(scalarDecoder('string'), 'v1.ExtraValue', () => ''),
  schemaOrBool: (value, context) => (typeof value === 'boolean' ? value : decodeSchema(value, context)),
  schemaOrArray: (value, context) =>
    Array.isArray(value) ? value.map(item => decodeSchema(item, context)) : decodeSchema(value, context),
  schemaOrStrings: (value, context) => (Array.isArray(value) ? value : decodeSchema(value, context)),
}

function valueDecoder(field: Field): ValueDecoder {
  if (field.type !== 'object') return structured[field.type] ?? scalarDecoder(field.type as ScalarType)
  const name = goType({ ...field, shape: 'one' })
  let decoder: ModelDecoder | undefined
  return (value, context) => decodeModel((decoder ??= decoderOf(field.model)), value, context, name)
}

function decodeSchema(value: unknown, context: DecodeContext): unknown {
  return decodeModel(decoderOf('V1JSONSchemaProps'), value, context, 'v1.JSONSchemaProps')
}

function listDecoder(one: ValueDecoder, name: string, zero: () => unknown): ValueDecoder {
  return (value, context) => {
    if (!Array.isArray(value)) throw typeMismatch(value, name, context)
    const { path } = context
    const decoded: unknown[] = Array.from({ length: value.length })
    for (let index = 0; index < value.length; index++) {
      path.push(index)
      const item: unknown = value[index]
      decoded[index] = item === null ? zero() : one(item, context)
      path.pop()
    }
    return decoded
  }
}

function mapDecoder(one: ValueDecoder, name: string, zero: () => unknown): ValueDecoder {
  return (value, context) => {
    if (typeof value !== 'object' || Array.isArray(value)) throw typeMismatch(value, name, context)
    const { path } = context
    const decoded: Decoded = {}
    for (const key of Object.keys(value as object)) {
      path.push([key])
      const item = (value as Decoded)[key]
      setKey(decoded, key, item === null ? zero() : one(item, context))
      path.pop()
    }
    return decoded
  }
}

/** Assigns a key that a client chose, `__proto__` included. */
function setKey(target: Decoded, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}

function decodeModel(decoder: ModelDecoder, value: unknown, context: DecodeContext, name: string): Decoded {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw typeMismatch(value, name, context)
  const { path } = context
  const outer = context.struct
  const decoded: Decoded = {}
  for (const key in value) {
    const field = decoder.fields.get(key)
    const given = (value as Decoded)[key]
    if (field === undefined) {
      context.unknownFields.push(pathText([...path, key]))
    } else if (given !== null && given !== undefined) {
      path.push(key)
      context.struct = decoder.goName
      const item = field.decode(given, context)
      if (!field.isZero(item)) decoded[key] = item
      path.pop()
    }
  }
  context.struct = outer
  for (const [key, zero] of decoder.zeros) decoded[key] ??= zero()
  return decoded
}

/** `spec.containers[0].image` */
function pathText(path: readonly PathPart[]): string {
  let text = ''
  for (const part of path)
    text += typeof part === 'number' ? `[${part}]` : text === '' ? (part as string) : `.${part as string}`
  return text
}

/**
 * Decodes a whole object of `model`; the input is not changed and shares nothing that is later changed.
 * @param subject what errors begin with: `Pod in version "v1" cannot be handled as a Pod` unless given; nothing when empty
 */
export function decodeObject(
  model: string,
  value: unknown,
  subject?: string,
): { object: Record<string, unknown>; unknownFields: string[] } {
  const decoder = decoderOf(model)
  const context: DecodeContext = {
    path: [],
    struct: decoder.goName,
    unknownFields: [],
    subject: () => subject ?? subjectOf(decoder, value),
  }
  return { object: decodeModel(decoder, value, context, `v1.${decoder.goName}`), unknownFields: context.unknownFields }
}

/** `Pod in version "v1" cannot be handled as a Pod` */
function subjectOf(decoder: ModelDecoder, value: unknown): string {
  const { kind, apiVersion } = (value ?? {}) as { kind?: unknown; apiVersion?: unknown }
  const name = typeof kind === 'string' && kind !== '' ? kind : decoder.goName
  const version = typeof apiVersion === 'string' ? apiVersion.slice(apiVersion.indexOf('/') + 1) : 'v1'
  return `${name} in version "${version}" cannot be handled as a ${name}`
}
