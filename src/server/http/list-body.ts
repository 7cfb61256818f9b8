// Writes a list. Its items are worked off in slices, each encoded when the client has taken the one before,
// so that a big list neither blocks the event loop nor stands in memory as a whole.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { stringify } from 'yaml'
import type { KindDefinition } from '../../api/kind.ts'
import { encodeProtobufList, encodeProtobufMessage } from '../../api/protobuf/envelope.ts'
import { apiVersionOf } from '../../api/resource.ts'
import type { ListPage } from '../operations/list.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { Exchange } from './exchange.ts'
import { mediaTypes, negotiate } from './negotiation.ts'
import { fastestLevel, includeObject, sendBytes, sendValue, setHeaders } from './respond.ts'
import { partialObject, table, tableRow } from './transformations.ts'

/** Bytes that go to the client at once. Larger buffers would each be mapped and unmapped by the system. */
const sliceBytes = 48 * 1024
/** Objects encoded before others get their turn. */
const encodedAtOnce = 100

export async function sendList(exchange: Exchange, kind: KindDefinition, page: ListPage, nowMs: number): Promise<void> {
  const accepted = negotiate(exchange.request.headers.accept)
  const metadata = listMetadata(page)
  const { objects } = page
  if (accepted.as === 'Table') {
    const include = includeObject(exchange)
    return sendItems(exchange, table(kind, [], metadata, nowMs, include), 'rows', objects, (object, push) => push(encoded(tableRow(kind, object.object, nowMs, include))))
  }
  if (accepted.as !== undefined) {
    const list = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata }
    if (accepted.format === 'json') return sendItems(exchange, { ...list, items: [] }, 'items', objects, ({ object }, push) => push(encoded(partialObject(object))))
    return sendValue(exchange, 200, { ...list, items: objects.map(({ object }) => partialObject(object)) }, 'V1PartialObjectMetadataList', accepted)
  }
  const list = { kind: `${kind.resource.kind}List`, apiVersion: apiVersionOf(kind.resource), metadata }
  switch (accepted.format) {
    case 'json': return sendItems(exchange, { ...list, items: [] }, 'items', objects, withoutType(kind))
    case 'protobuf': return sendBytes(exchange, 200, mediaTypes.protobuf, encodeProtobufList(kind.model, { ...list, items: await messages(kind.model, objects) }))
    case 'yaml': return sendBytes(exchange, 200, mediaTypes.yaml, Buffer.from(stringify({ ...list, items: objects.map(({ object: { kind: _kind, apiVersion: _version, ...rest } }) => rest) })))
  }
}

function listMetadata({ revision, continueToken, remaining }: ListPage): { resourceVersion: string; continue?: string; remainingItemCount?: number } {
  return { resourceVersion: String(revision), ...(continueToken !== undefined && { continue: continueToken }), ...(remaining !== undefined && { remainingItemCount: remaining }) }
}

/** Gives the JSON of an item, in one or several parts. */
type Encode = (object: CachedObject, push: (part: Buffer) => void) => void

const encoded = (value: object): Buffer => Buffer.from(JSON.stringify(value))

const opening = Buffer.from('{')

/** The list says what its items are; they do not. */
function withoutType(kind: KindDefinition): Encode {
  const head = Buffer.from(`{"kind":"${kind.resource.kind}","apiVersion":"${apiVersionOf(kind.resource)}",`)
  return ({ bytes }, push) => {
    if (bytes.compare(head, 0, head.length, 0, head.length) !== 0) return push(bytes)
    push(opening)
    push(bytes.subarray(head.length))
  }
}

async function messages(model: string, objects: readonly CachedObject[]): Promise<Uint8Array[]> {
  const made: Uint8Array[] = []
  for (const { object } of objects) {
    made.push(encodeProtobufMessage(model, object))
    if (made.length % encodedAtOnce === 0) await nextTurn()
  }
  return made
}

/** @param list is the answer without its items, which come last, under the name `field` */
async function sendItems(exchange: Exchange, list: object, field: string, objects: readonly CachedObject[], encode: Encode): Promise<void> {
  const ending = `${JSON.stringify({ [field]: [] }).slice(1, -2)}`
  const text = JSON.stringify(list)
  const head = Buffer.from(text.slice(0, text.lastIndexOf(ending) + ending.length))
  const slices = slicesOf(head, objects, encode)
  const first = slices.next()
  const second = slices.next()
  if (second.done) return sendBytes(exchange, 200, mediaTypes.json, first.value ?? head)
  const { response } = exchange
  const compressed = setHeaders(exchange, mediaTypes.json, Number.POSITIVE_INFINITY)
  response.writeHead(200)
  const body = Readable.from(resumed([first.value!, second.value], slices), { objectMode: false, highWaterMark: sliceBytes })
  // A client that leaves early is no fault.
  await (compressed ? pipeline(body, createGzip({ level: fastestLevel }), response) : pipeline(body, response)).catch(() => response.destroy())
}

function* resumed(taken: readonly Buffer[], rest: Iterable<Buffer>): Generator<Buffer> {
  yield* taken
  yield* rest
}

function* slicesOf(head: Buffer, objects: readonly CachedObject[], encode: Encode): Generator<Buffer> {
  let parts: Buffer[] = []
  let size = 0
  const push = (part: Buffer): void => {
    parts.push(part)
    size += part.length
  }
  push(head)
  for (const [index, object] of objects.entries()) {
    if (index > 0) push(comma)
    encode(object, push)
    if (size < sliceBytes) continue
    yield Buffer.concat(parts, size)
    parts = []
    size = 0
  }
  push(closing)
  yield Buffer.concat(parts)
}

const comma = Buffer.from(',')
const closing = Buffer.from(']}\n')
