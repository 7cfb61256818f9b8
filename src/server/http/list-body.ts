// Writes a list, in the form the client accepts. Items are encoded as the client takes them.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { encodeProtobufList, encodeProtobufMessage } from '../../api/protobuf/envelope.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { yamlText } from '../../lib/yaml-text.ts'
import type { ListPage } from '../operations/list.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { Exchange } from './exchange.ts'
import { mediaTypes, negotiateFor } from './negotiation.ts'
import { fastestLevel, includeObject, sendBytes, sendValue, setHeaders } from './respond.ts'
import { writeInSlices } from './slices.ts'
import { partialObject, tableHead, tableRow } from './transformations.ts'

/** Shorter lists are sent as one buffer. */
const wholeUpTo = 20
/** Objects encoded before others get their turn. */
const encodedAtOnce = 100

export async function sendList(exchange: Exchange, kind: KindDefinition, page: ListPage, nowMs: number): Promise<void> {
  const accepted = negotiateFor(kind, exchange.request.headers.accept)
  const metadata = listMetadata(page)
  const { objects } = page
  if (accepted.as === 'Table') {
    const include = includeObject(exchange)
    return sendItems(exchange, tableHead(kind, metadata), 'rows', objects, ({ object }) => [
      encoded(tableRow(kind, object, nowMs, include)),
    ])
  }
  if (accepted.as !== undefined) {
    const list = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata }
    if (accepted.format === 'json')
      return sendItems(exchange, list, 'items', objects, ({ object }) => [encoded(partialObject(object))])
    return sendValue(
      exchange,
      200,
      { ...list, items: objects.map(({ object }) => partialObject(object)) },
      'V1PartialObjectMetadataList',
      accepted,
    )
  }
  const list = { kind: kind.listKind ?? `${kind.resource.kind}List`, apiVersion: apiVersionOf(kind.resource), metadata }
  switch (accepted.format) {
    case 'json':
      return sendItems(exchange, list, 'items', objects, kind.custom === undefined ? withoutType(kind) : whole)
    case 'protobuf':
      return sendBytes(
        exchange,
        200,
        mediaTypes.protobuf,
        encodeProtobufList(kind.model, { ...list, items: await messages(kind.model, objects) }),
      )
    case 'yaml':
      return sendBytes(
        exchange,
        200,
        mediaTypes.yaml,
        Buffer.from(
          yamlText({
            ...list,
            items: objects.map(({ object }) => (kind.custom === undefined ? untyped(object) : object)),
          }),
        ),
      )
  }
}

const untyped = ({ kind: _kind, apiVersion: _version, ...rest }: KubeObject): object => rest

function listMetadata({ revision, continueToken, remaining }: ListPage): {
  resourceVersion: string
  continue?: string
  remainingItemCount?: number
} {
  return {
    resourceVersion: String(revision),
    ...(continueToken !== undefined && { continue: continueToken }),
    ...(remaining !== undefined && { remainingItemCount: remaining }),
  }
}

/** The JSON of an item, in one or several parts. */
type Encode = (object: CachedObject) => readonly Buffer[]

const encoded = (value: object): Buffer => Buffer.from(JSON.stringify(value))

const opening = Buffer.from('{')

/** Items of custom resources say what they are. */
const whole: Encode = ({ bytes }) => [bytes]

/** The list says what its items are; they do not. */
function withoutType(kind: KindDefinition): Encode {
  const head = Buffer.from(`{"kind":"${kind.resource.kind}","apiVersion":"${apiVersionOf(kind.resource)}",`)
  return ({ bytes }) =>
    bytes.compare(head, 0, head.length, 0, head.length) === 0 ? [opening, bytes.subarray(head.length)] : [bytes]
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
async function sendItems(
  exchange: Exchange,
  list: object,
  field: string,
  objects: readonly CachedObject[],
  encode: Encode,
): Promise<void> {
  const parts = partsOf(list, field, objects, encode)
  if (objects.length <= wholeUpTo) return sendBytes(exchange, 200, mediaTypes.json, Buffer.concat([...parts]))
  const { response } = exchange
  const compressed = setHeaders(exchange, mediaTypes.json, Number.POSITIVE_INFINITY)
  response.writeHead(200)
  const sink = compressed ? createGzip({ level: fastestLevel }) : response
  if (sink !== response) sink.pipe(response)
  if (await writeInSlices(response, parts, sink)) sink.end()
  else sink.destroy()
}

function* partsOf(list: object, field: string, objects: readonly CachedObject[], encode: Encode): Generator<Buffer> {
  yield Buffer.from(`${JSON.stringify(list).slice(0, -1)},"${field}":[`)
  for (const [index, object] of objects.entries()) {
    if (index > 0) yield comma
    yield* encode(object)
  }
  yield closing
}

const comma = Buffer.from(',')
const closing = Buffer.from(']}\n')
