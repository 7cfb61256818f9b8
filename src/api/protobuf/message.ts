// A message of a model, between its JSON form and protobuf: one table of writers and readers for each
// model, made on first use from the wire numbers of the schema. What JSON shows flat may lie in an
// embedded message (a volume's source); what protobuf always carries (zero values that are no pointers)
// does not reach the JSON form.
import { badRequest } from '../api-error.ts'
import { modelOf, type Field } from '../schema/schema.ts'
import type { Reader } from './reader.ts'
import { isZeroOnWire, readValue, writeValue, type Nested } from './values.ts'
import type { Writer } from './writer.ts'

type JsonObject = Record<string, unknown>

/** A message level: its own fields and the messages embedded in it. */
interface Level {
  readonly fields: Field[]
  readonly byNumber: (LevelEntry | undefined)[]
  readonly embedded: Map<number, Level>
}

type LevelEntry = { readonly field: Field } | { readonly embedded: Level }

const levels = new Map<string, Level>()

function levelOf(model: string): Level {
  let level = levels.get(model)
  if (level === undefined) {
    level = { fields: [], byNumber: [], embedded: new Map() }
    levels.set(model, level)
    for (const field of modelOf(model).fields.values()) if (field.wire.length > 0) place(level, field)
  }
  return level
}

function place(root: Level, field: Field): void {
  let level = root
  for (const number of field.wire.slice(0, -1)) {
    let inner = level.embedded.get(number)
    if (inner === undefined) {
      inner = { fields: [], byNumber: [], embedded: new Map() }
      level.embedded.set(number, inner)
      level.byNumber[number] = { embedded: inner }
    }
    level = inner
  }
  level.fields.push(field)
  level.byNumber[field.wire.at(-1)!] = { field }
}

const nested: Nested = {
  write: (writer, model, value) => writeLevel(writer, levelOf(model), value as JsonObject),
  read: (reader, model) => readMessage(reader, model),
}

export function writeMessage(writer: Writer, model: string, object: JsonObject): void {
  writeLevel(writer, levelOf(model), object)
}

function writeLevel(writer: Writer, level: Level, object: JsonObject): void {
  for (const field of level.fields) {
    const value = object[field.name]
    if (value !== undefined && value !== null) writeField(writer, field, value)
  }
  for (const [number, inner] of level.embedded)
    if (hasAny(inner, object)) writer.messageField(number, () => writeLevel(writer, inner, object))
}

function hasAny(level: Level, object: JsonObject): boolean {
  for (const field of level.fields) if (object[field.name] !== undefined && object[field.name] !== null) return true
  for (const inner of level.embedded.values()) if (hasAny(inner, object)) return true
  return false
}

function writeField(writer: Writer, field: Field, value: unknown): void {
  const number = field.wire.at(-1)!
  if (field.shape === 'list') {
    for (const item of value as unknown[]) writeValue(writer, field, number, item, nested)
  } else if (field.shape === 'map') {
    for (const key of Object.keys(value as JsonObject).sort()) {
      writer.messageField(number, () => {
        writer.stringField(1, key)
        writeValue(writer, field, 2, (value as JsonObject)[key], nested)
      })
    }
  } else {
    writeValue(writer, field, number, value, nested)
  }
}

export function readMessage(reader: Reader, model: string): JsonObject {
  const object: JsonObject = {}
  readLevel(reader, levelOf(model), object)
  return object
}

function readLevel(reader: Reader, level: Level, object: JsonObject): void {
  while (!reader.done) {
    const tag = reader.uint32()
    const entry = level.byNumber[tag >>> 3]
    if (entry === undefined) reader.skip(tag & 7)
    else if ('embedded' in entry) readLevel(reader.nested(), entry.embedded, object)
    else readField(reader, entry.field, tag & 7, object)
  }
}

function readField(reader: Reader, field: Field, wireType: number, object: JsonObject): void {
  if (field.shape === 'map') {
    readMapEntry(reader.nested(), field, (object[field.name] ??= {}) as JsonObject)
    return
  }
  const value = readValue(reader, field, wireType, nested)
  if (field.shape === 'list') {
    const list = (object[field.name] ??= []) as unknown[]
    if (Array.isArray(value) && field.type !== 'stringList') for (const item of value as unknown[]) list.push(item)
    else list.push(value)
  } else if (value !== undefined && !isZeroOnWire(field, value)) {
    object[field.name] = value
  }
}

function readMapEntry(reader: Reader, field: Field, map: JsonObject): void {
  let key = ''
  let value: unknown
  while (!reader.done) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) key = reader.string()
    else if (tag >>> 3 === 2) value = readValue(reader, field, tag & 7, nested)
    else reader.skip(tag & 7)
  }
  if (key === '__proto__') throw badRequest('a key must not be __proto__')
  map[key] = value ?? (field.type === 'object' ? {} : '')
}
