// How gnostic writes OpenAPI documents as protobuf, in both versions: message by message, what the format does not
// know is left out. Values of any shape (extensions, examples) travel as YAML, of which JSON is a part.
import { isObject } from '../patch/json-value.ts'
import { Writer } from '../protobuf/writer.ts'

/** What clients may ask for: `@` is not allowed in a media type, but the older of them name it so. */
export const binaryAccepted = (version: 2 | 3): readonly [string, string] => [
  `application/com.github.proto-openapi.spec.v${version}@v1.0+protobuf`,
  binaryType(version),
]
export const binaryType = (version: 2 | 3): string =>
  `application/com.github.proto-openapi.spec.v${version}.v1.0+protobuf`

/** Writes a value as the field of that number. What is not of the right type is left out. */
export type Encoder = (writer: Writer, number: number, value: unknown) => void
export type Fields = Readonly<Record<string, readonly [number: number, encoder: Encoder]>>

export const text: Encoder = (writer, number, value) => {
  if (typeof value === 'string') writer.stringField(number, value)
}
export const flag: Encoder = (writer, number, value) => {
  if (typeof value === 'boolean') writer.booleanField(number, value)
}
export const integer: Encoder = (writer, number, value) => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) writer.integerField(number, value)
}
export const double: Encoder = (writer, number, value) => {
  if (typeof value === 'number') writer.doubleField(number, value)
}
export const any: Encoder = (writer, number, value) =>
  writer.messageField(number, () => writer.stringField(2, `${JSON.stringify(value)}\n`))

export const list =
  (element: Encoder): Encoder =>
  (writer, number, value) => {
    if (Array.isArray(value)) for (const each of value) element(writer, number, each)
  }

/** A message that holds nothing but the value: what the proto file has for `oneof`, and for lists in lists. */
export const wrapped =
  (inner: number, encoder: Encoder): Encoder =>
  (writer, number, value) =>
    writer.messageField(number, () => encoder(writer, inner, value))

const isExtension = (name: string): boolean => name.startsWith('x-')

export function writeEntry(writer: Writer, number: number, name: string, value: unknown, encoder: Encoder): void {
  writer.messageField(number, () => {
    writer.stringField(1, name)
    encoder(writer, 2, value)
  })
}

/** @param extensions is the number of `vendor_extension`, where keys that begin with `x-` go */
export const message =
  (fields: Fields, extensions?: number): Encoder =>
  (writer, number, value) => {
    if (!isObject(value)) return
    writer.messageField(number, () => {
      for (const [name, content] of Object.entries(value)) {
        const field = Object.hasOwn(fields, name) ? fields[name] : undefined
        if (field !== undefined) field[1](writer, field[0], content)
        else if (extensions !== undefined && isExtension(name)) writeEntry(writer, extensions, name, content, any)
      }
    })
  }

/** The pairs of a map whose keys are data. @param extensions is where those keys go that are none */
export const map =
  (entries: number, encoder: Encoder, extensions?: number): Encoder =>
  (writer, number, value) => {
    if (!isObject(value)) return
    writer.messageField(number, () => {
      for (const [name, content] of Object.entries(value)) {
        if (extensions === undefined || !isExtension(name)) writeEntry(writer, entries, name, content, encoder)
        else writeEntry(writer, extensions, name, content, any)
      }
    })
  }

/** The pairs of a large map. Yields after each, so that whoever runs it can let others have their turn. */
export function* entries(number: number, value: unknown, encoder: Encoder): Generator<undefined, Uint8Array> {
  const writer = new Writer()
  for (const [name, content] of Object.entries(isObject(value) ? value : {})) {
    writeEntry(writer, number, name, content, encoder)
    yield
  }
  return writer.finish()
}
