// Whole bodies in protobuf: the magic number, the envelope that names apiVersion and kind, and in it the
// message; lists, whose items were encoded before; and watch events, whose object is an envelope too.
import { badRequest } from '../api-error.ts'
import { modelOf } from '../schema/schema.ts'
import { readMessage, writeMessage } from './message.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

type JsonObject = Record<string, unknown>

const magic = new Uint8Array([0x6b, 0x38, 0x73, 0x00])
const shared = new Writer()

/** Runs `body` on the shared writer, which must not hold anything of an earlier failure. */
function written(body: (writer: Writer) => void): Uint8Array {
  shared.reset()
  body(shared)
  return shared.finish()
}

/** The bare message of an object or a part of one, without envelope. */
export const encodeProtobufMessage = (model: string, object: object): Uint8Array =>
  written(writer => writeMessage(writer, model, object as JsonObject))

export const decodeProtobufMessage = (model: string, message: Uint8Array): JsonObject =>
  readMessage(new Reader(message), model)

function writeEnvelope(writer: Writer, apiVersion: string, kind: string, body: () => void): void {
  writer.raw(magic)
  writer.messageField(1, () => {
    writer.stringField(1, apiVersion)
    writer.stringField(2, kind)
  })
  writer.messageField(2, body)
  writer.stringField(3, '')
  writer.stringField(4, '')
}

/** A body: `k8s\0`, the envelope, the message. apiVersion and kind are those of the object. */
export function encodeProtobuf(model: string, object: object): Uint8Array {
  const { apiVersion, kind } = object as { apiVersion?: string; kind?: string }
  const { topLevel, goName } = modelOf(model)
  const version =
    apiVersion ??
    (topLevel === undefined ? 'v1' : `${topLevel.group === '' ? '' : `${topLevel.group}/`}${topLevel.version}`)
  return written(writer =>
    writeEnvelope(writer, version, kind ?? goName, () => writeMessage(writer, model, object as JsonObject)),
  )
}

export interface ListMeta {
  readonly resourceVersion?: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

export interface ProtobufList {
  readonly apiVersion: string
  /** `PodList` */
  readonly kind: string
  readonly metadata: ListMeta
  /** Objects, or messages encoded before (`encodeProtobufMessage`), so that one encoding serves many lists. */
  readonly items: Iterable<object | Uint8Array>
}

export function encodeProtobufList(model: string, { apiVersion, kind, metadata, items }: ProtobufList): Uint8Array {
  return written(writer =>
    writeEnvelope(writer, apiVersion, kind, () => {
      writer.messageField(1, () => writeMessage(writer, 'V1ListMeta', metadata as JsonObject))
      for (const item of items) {
        if (item instanceof Uint8Array) writer.bytesField(2, item)
        else writer.messageField(2, () => writeMessage(writer, model, item as JsonObject))
      }
    }),
  )
}

/** One watch event: its type and the object as a whole body (`encodeProtobuf`). */
export function encodeProtobufWatchEvent(type: string, body: Uint8Array): Uint8Array {
  return written(writer => {
    writer.stringField(1, type)
    writer.messageField(2, () => writer.bytesField(1, body))
  })
}

/** A watch event as it travels: four bytes of length, then the event. */
export function encodeWatchFrame(type: string, body: Uint8Array): Uint8Array {
  const event = encodeProtobufWatchEvent(type, body)
  const frame = new Uint8Array(event.length + 4)
  new DataView(frame.buffer).setUint32(0, event.length)
  frame.set(event, 4)
  return frame
}

export function isProtobuf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && magic.every((byte, index) => bytes[index] === byte)
}

/** Opens a body; `message` is for `decodeProtobufMessage`. */
export function decodeProtobuf(bytes: Uint8Array): { apiVersion: string; kind: string; message: Uint8Array } {
  if (!isProtobuf(bytes))
    throw badRequest('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  const reader = new Reader(bytes, magic.length)
  const envelope = { apiVersion: '', kind: '', message: new Uint8Array() }
  while (!reader.done) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) Object.assign(envelope, readTypeMeta(reader.nested()))
    else if (tag >>> 3 === 2) envelope.message = reader.blob() as Uint8Array<ArrayBuffer>
    else reader.skip(tag & 7)
  }
  return envelope
}

function readTypeMeta(reader: Reader): { apiVersion: string; kind: string } {
  const meta = { apiVersion: '', kind: '' }
  while (!reader.done) {
    const tag = reader.uint32()
    if (tag >>> 3 === 1) meta.apiVersion = reader.string()
    else if (tag >>> 3 === 2) meta.kind = reader.string()
    else reader.skip(tag & 7)
  }
  return meta
}
