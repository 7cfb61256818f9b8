// Writes answers: an object, a Status, raw bytes. Objects go out as the bytes the cache holds whenever the
// client takes JSON; other forms are made from the parsed object. Lists: `list-body.ts`.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { ApiError, badRequest, internalError, PlainError, timedOut, type Status } from '../../api/api-error.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { encodeProtobuf } from '../../api/protobuf/envelope.ts'
import { yamlText } from '../../lib/yaml-text.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { Exchange } from './exchange.ts'
import { mediaTypes, negotiate, negotiateFor, type Accepted } from './negotiation.ts'
import { partialObject, table, type Included } from './transformations.ts'
import { warningHeaders } from './warning-header.ts'

/** Smaller answers are not worth compressing. */
const gzipFromBytes = 128 * 1024
export const fastestLevel = 1
const gzipAsync = promisify(gzip)

/** Of every answer, unless whoever gives it says otherwise. */
export const caching = 'no-cache, private'

/** Sets the headers that objects and texts have. @returns whether a body of this size is to be compressed */
export function setHeaders({ request, response, caller }: Exchange, contentType: string, size: number): boolean {
  if (caller.warnings.length > 0) response.setHeader('Warning', warningHeaders(caller.warnings))
  response.setHeader('Content-Type', contentType)
  if (size < gzipFromBytes || !/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return false
  response.setHeader('Content-Encoding', 'gzip')
  response.appendHeader('Vary', 'Accept-Encoding')
  return true
}

export async function sendBytes(
  exchange: Exchange,
  status: number,
  contentType: string,
  bytes: Uint8Array,
): Promise<void> {
  const { response } = exchange
  const body = setHeaders(exchange, contentType, bytes.length) ? await gzipAsync(bytes, { level: fastestLevel }) : bytes
  response.setHeader('Content-Length', body.length)
  response.writeHead(status)
  response.end(body)
}

/** Any value without a cached encoding. @param model is needed for protobuf */
export async function sendValue(
  exchange: Exchange,
  status: number,
  value: object,
  model?: string,
  accepted: Accepted = negotiate(exchange.request.headers.accept),
): Promise<void> {
  const { format } = accepted
  if (format === 'protobuf' && model !== undefined)
    return sendBytes(exchange, status, mediaTypes.protobuf, encodeProtobuf(model, value))
  if (format === 'yaml') return sendBytes(exchange, status, mediaTypes.yaml, Buffer.from(yamlText(value)))
  return sendBytes(exchange, status, mediaTypes.json, Buffer.from(`${JSON.stringify(value)}\n`))
}

export async function sendObject(
  exchange: Exchange,
  status: number,
  kind: KindDefinition,
  cached: CachedObject,
  nowMs: number,
): Promise<void> {
  const accepted = negotiateFor(kind, exchange.request.headers.accept)
  if (accepted.as === 'Table')
    return sendValue(
      exchange,
      status,
      table(kind, [cached], { resourceVersion: String(cached.revision) }, nowMs, includeObject(exchange)),
      undefined,
      { format: 'json' },
    )
  if (accepted.as !== undefined)
    return sendValue(exchange, status, partialObject(cached.object), 'V1PartialObjectMetadata', accepted)
  if (accepted.format === 'json') return sendBytes(exchange, status, mediaTypes.json, cached.bytes)
  return sendValue(exchange, status, cached.object, kind.model, accepted)
}

/** What the client wants the rows of a table to carry. */
export const includeObject = ({ query }: Exchange): Included => {
  const wanted = query.get('includeObject')
  return wanted === 'None' || wanted === 'Object' ? wanted : 'Metadata'
}

async function sendStatus(exchange: Exchange, status: Status): Promise<void> {
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
  } catch {
    // What was wanted cannot be had, which may be the error itself: it is told in JSON.
  }
  await sendValue(exchange, status.code ?? 200, status, 'V1Status', { format: accepted.format })
}

/** Tells a client what went wrong, in the form in which Kubernetes tells it. */
export function sendError(exchange: Exchange, error: ApiError): Promise<void> {
  return error instanceof PlainError
    ? sendText(exchange, error.code, error.message, error.status.details?.retryAfterSeconds)
    : sendStatus(exchange, error.status)
}

/** A line of bare text, as Go's net/http writes errors. */
async function sendText(exchange: Exchange, code: number, text: string, retryAfterSeconds?: number): Promise<void> {
  const { response } = exchange
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds))
  response.setHeader('X-Content-Type-Options', 'nosniff')
  await sendBytes(exchange, code, plainText, Buffer.from(`${text}\n`))
}

export const plainText = 'text/plain; charset=utf-8'

/** What Kubernetes answers in the place of a request that takes too long: a Status without its type, which goes out as text. */
export async function sendTimedOut(exchange: Exchange): Promise<void> {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = timedOut().status
  await sendBytes(exchange, 504, plainText, Buffer.from(`${JSON.stringify(rest)}\n`))
}

/** What a client is told of an error; internal faults keep their details in the log. */
export function tellable(error: unknown, report: (error: unknown) => void): ApiError {
  if (error instanceof ApiError) return error
  report(error)
  // Only what a client nested without end fills the stack.
  if (error instanceof RangeError && error.message.includes('call stack')) return badRequest('exceeded max depth')
  const known = error instanceof Error && error.name === 'StoreFailure'
  return internalError(known ? error.message : 'an unexpected fault; see the server log')
}
