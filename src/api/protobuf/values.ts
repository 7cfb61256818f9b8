// One value of a field, between JSON and protobuf: scalars, and the types whose JSON form differs from
// their message (quantities, times, int-or-string, wrapped lists, raw JSON, parts of JSON schemas).
import { badRequest } from '../api-error.ts'
import { parseExactJson } from '../../lib/exact-json.ts'
import type { Int64 } from '../../lib/int64.ts'
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from '../../lib/text.ts'
import type { Field } from '../schema/schema.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** How to get into the message of a model. */
export interface Nested {
  write(writer: Writer, model: string, value: unknown): void
  read(reader: Reader, model: string): unknown
}

const schemaModel = 'V1JSONSchemaProps'

export function writeValue(writer: Writer, field: Field, number: number, value: unknown, nested: Nested): void {
  switch (field.type) {
    case 'string':
      writer.stringField(number, value as string)
      break
    case 'boolean':
      writer.booleanField(number, value as boolean)
      break
    case 'int32':
    case 'int64':
      writer.integerField(number, value as Int64)
      break
    case 'double':
      writer.doubleField(number, value as number)
      break
    case 'bytes':
      writer.bytesField(number, decodeBase64(value as string))
      break
    case 'quantity':
      writer.messageField(number, () => writer.stringField(1, value as string))
      break
    case 'time':
    case 'microTime':
      writer.messageField(number, () => writeTime(writer, value as string))
      break
    case 'intOrString':
      writer.messageField(number, () => writeIntOrString(writer, value as string | number))
      break
    case 'raw':
    case 'json':
    case 'fieldsV1':
    case 'any':
      writer.messageField(number, () => writer.bytesField(1, encodeUtf8(JSON.stringify(value))))
      break
    case 'stringList':
      writer.messageField(number, () => {
        for (const item of value as string[]) writer.stringField(1, item)
      })
      break
    case 'schemaOrBool':
      writer.messageField(number, () => writeSchemaOrBool(writer, value, nested))
      break
    case 'schemaOrArray':
      writer.messageField(number, () =>
        writeSchemaOr(writer, value, nested, item =>
          writer.messageField(2, () => nested.write(writer, schemaModel, item)),
        ),
      )
      break
    case 'schemaOrStrings':
      writer.messageField(number, () =>
        writeSchemaOr(writer, value, nested, item => writer.stringField(2, item as string)),
      )
      break
    case 'object':
      writer.messageField(number, () => nested.write(writer, field.model, value))
      break
  }
}

function writeTime(writer: Writer, text: string): void {
  const epochMs = Date.parse(text)
  if (Number.isNaN(epochMs)) return
  writer.integerField(1, Math.floor(epochMs / 1000))
  const fraction = /\.(\d+)/.exec(text)?.[1]
  writer.integerField(2, fraction === undefined ? 0 : Number(fraction.padEnd(9, '0').slice(0, 9)))
}

function writeIntOrString(writer: Writer, value: string | number): void {
  const isText = typeof value === 'string'
  writer.integerField(1, isText ? 1 : 0)
  writer.integerField(2, isText ? 0 : value)
  writer.stringField(3, isText ? value : '')
}

function writeSchemaOrBool(writer: Writer, value: unknown, nested: Nested): void {
  writer.booleanField(1, value !== false)
  if (typeof value !== 'boolean') writer.messageField(2, () => nested.write(writer, schemaModel, value))
}

function writeSchemaOr(writer: Writer, value: unknown, nested: Nested, writeItem: (item: unknown) => void): void {
  if (Array.isArray(value)) for (const item of value) writeItem(item)
  else writer.messageField(1, () => nested.write(writer, schemaModel, value))
}

export function readValue(reader: Reader, field: Field, wireType: number, nested: Nested): unknown {
  switch (field.type) {
    case 'string':
      return reader.string()
    case 'boolean':
      return reader.integer() !== 0
    case 'int32':
      return Number(reader.integer()) | 0
    case 'int64':
      return field.shape === 'list' && wireType === 2 ? packed(reader) : reader.integer()
    case 'double':
      return reader.double()
    case 'bytes':
      return encodeBase64(reader.blob())
    case 'quantity':
      return readStrings(reader.nested())[0] ?? '0'
    case 'time':
      return readTime(reader.nested(), false)
    case 'microTime':
      return readTime(reader.nested(), true)
    case 'intOrString':
      return readIntOrString(reader.nested())
    case 'raw':
    case 'json':
    case 'fieldsV1':
    case 'any':
      return readJson(reader.nested())
    case 'stringList':
      return readStrings(reader.nested())
    case 'schemaOrBool':
      return readSchemaOr(reader.nested(), nested, 'bool')
    case 'schemaOrArray':
      return readSchemaOr(reader.nested(), nested, 'schema')
    case 'schemaOrStrings':
      return readSchemaOr(reader.nested(), nested, 'string')
    case 'object':
    default:
      return nested.read(reader.nested(), field.model)
  }
}

function packed(reader: Reader): Int64[] {
  const inner = reader.nested()
  const list: Int64[] = []
  while (!inner.done) list.push(inner.integer())
  return list
}

/** Field number and wire type of each field in turn. */
function* fieldsOf(reader: Reader): Generator<[number: number, wireType: number]> {
  while (!reader.done) {
    const tag = reader.uint32()
    yield [tag >>> 3, tag & 7]
  }
}

function readStrings(reader: Reader): string[] {
  const list: string[] = []
  for (const [number, wireType] of fieldsOf(reader)) {
    if (number === 1) list.push(reader.string())
    else reader.skip(wireType)
  }
  return list
}

/** Undefined for a time that is not set, which Go writes as an empty message. */
function readTime(reader: Reader, micro: boolean): string | undefined {
  if (reader.done) return undefined
  let seconds = 0
  let nanos = 0
  for (const [number, wireType] of fieldsOf(reader)) {
    if (number === 1) seconds = Number(reader.integer())
    else if (number === 2) nanos = Number(reader.integer())
    else reader.skip(wireType)
  }
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) throw badRequest('a time is out of range')
  const text = date.toISOString().slice(0, 19)
  return micro ? `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z` : `${text}Z`
}

function readIntOrString(reader: Reader): number | string {
  let [type, integer, text]: [number, number, string] = [0, 0, '']
  for (const [number, wireType] of fieldsOf(reader)) {
    if (number === 1) type = Number(reader.integer())
    else if (number === 2) integer = Number(reader.integer())
    else if (number === 3) text = reader.string()
    else reader.skip(wireType)
  }
  return type === 1 ? text : integer
}

function readJson(reader: Reader): unknown {
  let text = ''
  for (const [number, wireType] of fieldsOf(reader)) {
    if (number === 1) text = decodeUtf8(reader.blob())
    else reader.skip(wireType)
  }
  if (text === '') return undefined
  try {
    return parseExactJson(text)
  } catch {
    throw badRequest('a raw value is not JSON')
  }
}

function readSchemaOr(reader: Reader, nested: Nested, other: 'bool' | 'schema' | 'string'): unknown {
  let schema: unknown
  let allows = false
  const list: unknown[] = []
  for (const [number, wireType] of fieldsOf(reader)) {
    if (other === 'bool' && number === 1) allows = reader.integer() !== 0
    else if (number === (other === 'bool' ? 2 : 1)) schema = nested.read(reader.nested(), schemaModel)
    else if (number === 2) list.push(other === 'string' ? reader.string() : nested.read(reader.nested(), schemaModel))
    else reader.skip(wireType)
  }
  if (schema !== undefined) return schema
  return other === 'bool' ? allows : list
}

const scalarTypes = new Set<Field['type']>(['string', 'boolean', 'int32', 'int64', 'double'])

/**
 * Go writes scalars that are no pointers even when they are zero; in JSON they are left out unless required.
 * The target port of a service is the one int-or-string that is no pointer and optional.
 */
export function isZeroOnWire(field: Field, value: unknown): boolean {
  if (field.required || field.pointer || (value !== '' && value !== 0 && value !== false)) return false
  return scalarTypes.has(field.type) || field.name === 'targetPort'
}
