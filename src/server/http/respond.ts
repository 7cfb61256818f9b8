// Writes answers: an object, a list, a Status, raw bytes. Objects go out as the bytes the cache holds
// whenever the client takes JSON; other forms are made from the parsed object.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { stringify } from 'yaml'
import { ApiError, internalError, type Status } from '../../api/api-error.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { encodeProtobuf, encodeProtobufList } from '../../api/protobuf/envelope.ts'
import { apiVersionOf } from '../../api/resource.ts'
import type { ListPage } from '../operations/list.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { Exchange } from './exchange.ts'
import { mediaTypes, negotiate, type Accepted } from './negotiation.ts'
import { partialList, partialObject, table } from './transformations.ts'

/** Smaller answers are not worth compressing. */
const gzipFromBytes = 128 * 1024
const gzipAsync = promisify(gzip)
const fastestLevel = 1

export async function sendBytes({ request, response, caller }: Exchange, status: number, contentType: string, bytes: Uint8Array): Promise<void> {
  for (const warning of caller.warnings) response.appendHeader('Warning', `299 - ${JSON.stringify(warning)}`)
  response.setHeader('Content-Type', contentType)
  response.setHeader('Cache-Control', 'no-cache, private')
  let body = bytes
  if (bytes.length >= gzipFromBytes && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) {
    body = await gzipAsync(bytes, { level: fastestLevel })
    response.setHeader('Content-Encoding', 'gzip')
    response.setHeader('Vary', 'Accept-Encoding')
  }
  response.setHeader('Content-Length', body.length)
  response.writeHead(status)
  response.end(body)
}

/** Any value without a cached encoding. @param model is needed for protobuf */
export async function sendValue(exchange: Exchange, status: number, value: object, model?: string, accepted: Accepted = negotiate(exchange.request.headers.accept)): Promise<void> {
  const { format } = accepted
  if (format === 'protobuf' && model !== undefined) return sendBytes(exchange, status, mediaTypes.protobuf, encodeProtobuf(model, value))
  if (format === 'yaml') return sendBytes(exchange, status, mediaTypes.yaml, Buffer.from(stringify(value)))
  return sendBytes(exchange, status, mediaTypes.json, Buffer.from(`${JSON.stringify(value)}\n`))
}

export async function sendObject(exchange: Exchange, status: number, kind: KindDefinition, cached: CachedObject, nowMs: number): Promise<void> {
  const accepted = negotiate(exchange.request.headers.accept)
  if (accepted.as === 'Table') return sendValue(exchange, status, table(kind, [cached], { resourceVersion: String(cached.revision) }, nowMs, includeObject(exchange)), undefined, { format: 'json' })
  if (accepted.as !== undefined) return sendValue(exchange, status, partialObject(cached.object), 'V1PartialObjectMetadata', accepted)
  if (accepted.format === 'json') return sendBytes(exchange, status, mediaTypes.json, cached.bytes)
  return sendValue(exchange, status, cached.object, kind.model, accepted)
}

export async function sendList(exchange: Exchange, kind: KindDefinition, page: ListPage, nowMs: number): Promise<void> {
  const accepted = negotiate(exchange.request.headers.accept)
  const metadata = listMetadata(page)
  if (accepted.as === 'Table') return sendValue(exchange, 200, table(kind, page.objects, metadata, nowMs, includeObject(exchange)), undefined, { format: 'json' })
  if (accepted.as !== undefined) return sendValue(exchange, 200, partialList(page.objects, metadata), 'V1PartialObjectMetadataList', accepted)
  const listKind = `${kind.resource.kind}List`
  const apiVersion = apiVersionOf(kind.resource)
  if (accepted.format === 'json') return sendBytes(exchange, 200, mediaTypes.json, listBytes(listKind, apiVersion, metadata, page.objects))
  const items = page.objects.map(({ object }) => object)
  if (accepted.format === 'protobuf') return sendBytes(exchange, 200, mediaTypes.protobuf, encodeProtobufList(kind.model, { apiVersion, kind: listKind, metadata, items }))
  return sendValue(exchange, 200, { kind: listKind, apiVersion, metadata, items: items.map(({ kind: _kind, apiVersion: _version, ...rest }) => rest) }, undefined, accepted)
}

function listMetadata({ revision, continueToken, remaining }: ListPage): { resourceVersion: string; continue?: string; remainingItemCount?: number } {
  return { resourceVersion: String(revision), ...(continueToken !== undefined && { continue: continueToken }), ...(remaining !== undefined && { remainingItemCount: remaining }) }
}

const comma = Buffer.from(',')
const opening = Buffer.from('{')

/** A list is its head and the cached bytes of its items; nothing is encoded again. */
function listBytes(kind: string, apiVersion: string, metadata: object, objects: readonly CachedObject[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`)]
  // The list says what its items are; they do not.
  const head = Buffer.from(`{"kind":"${kind.slice(0, -'List'.length)}","apiVersion":"${apiVersion}",`)
  for (const [index, { bytes }] of objects.entries()) {
    if (index > 0) parts.push(comma)
    if (bytes.subarray(0, head.length).equals(head)) parts.push(opening, bytes.subarray(head.length))
    else parts.push(bytes)
  }
  parts.push(Buffer.from(']}\n'))
  return Buffer.concat(parts)
}

const includeObject = ({ query }: Exchange): 'None' | 'Metadata' | 'Object' => {
  const wanted = query.get('includeObject')
  return wanted === 'None' || wanted === 'Object' ? wanted : 'Metadata'
}

export async function sendStatus(exchange: Exchange, status: Status): Promise<void> {
  const { response } = exchange
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const retryAfter = status.details?.retryAfterSeconds
  if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter))
  let accepted: Accepted = { format: 'json' }
  try {
    accepted = negotiate(exchange.request.headers.accept)
  } catch {}
  await sendValue(exchange, status.code ?? 200, status, 'V1Status', { format: accepted.format })
}

/** What a client is told of an error; internal faults keep their details in the log. */
export function statusOf(error: unknown, report: (error: unknown) => void): Status {
  if (error instanceof ApiError) return error.status
  report(error)
  const known = error instanceof Error && error.name === 'StoreFailure'
  return internalError(known ? error.message : 'an unexpected fault; see the server log').status
}
