// GET ...?watch=true: a stream of events, one JSON document a line (or length-prefixed protobuf frames), or messages of
// a WebSocket.
import type { Writable } from 'node:stream'
import { ApiError, isExpired } from '../../api/api-error.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { encodeProtobuf, encodeWatchFrame } from '../../api/protobuf/envelope.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { acceptMessages } from '../../streams/websocket-body.ts'
import { watch, type Delivery, type StartedWatch, type WatchQuery } from '../operations/watch.ts'
import type { ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { Upgrade } from '../subresources/subresource.ts'
import { EventStream } from './event-stream.ts'
import type { Exchange } from './exchange.ts'
import { writeInSlices } from './slices.ts'
import { mediaTypes, negotiateFor, type Accepted } from './negotiation.ts'
import { partialObject, table } from './transformations.ts'

/** Kubernetes ends watches after 30 to 60 minutes, so that clients spread over servers. */
const minimumSeconds = 1800
/** A bookmark about once a minute. */
const bookmarkMs = 60_000
/** As many events may happen while the initial ones are being sent. */
const backlogEvents = 100_000

const openings = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
}
const lineEnd = Buffer.from('}\n')

/** The line made last: all watchers of an event are told one after the other. */
let last: { object?: CachedObject; type?: Delivery['type']; line: Buffer } = { line: lineEnd }

function jsonLine({ type, object }: Delivery): Buffer {
  if (last.object !== object || last.type !== type)
    last = { object, type, line: Buffer.concat([openings[type], object.bytes, lineEnd]) }
  return last.line
}

type Encoder = (delivery: Delivery) => Uint8Array

function encoderFor(context: ServerContext, kind: KindDefinition, accepted: Accepted): Encoder {
  let first = true
  if (accepted.as === 'Table') {
    return ({ type, object }) => {
      const body = table(
        kind,
        [object],
        { resourceVersion: String(object.revision) },
        context.clock.now(),
        'Metadata',
        first,
      )
      first = false
      return Buffer.from(`${JSON.stringify({ type, object: body })}\n`)
    }
  }
  if (accepted.as !== undefined)
    return ({ type, object }) => Buffer.from(`${JSON.stringify({ type, object: partialObject(object.object) })}\n`)
  if (accepted.format === 'protobuf')
    return ({ type, object }) => encodeWatchFrame(type, encodeProtobuf(kind.model, object.object))
  return jsonLine
}

function bookmark(kind: KindDefinition, accepted: Accepted, revision: number, initialEventsEnd: boolean): Uint8Array {
  const annotations = initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  const metadata = { resourceVersion: String(revision), creationTimestamp: null, ...annotations }
  const object =
    accepted.as === 'Table'
      ? {
          kind: 'Table',
          apiVersion: 'meta.k8s.io/v1',
          metadata: { resourceVersion: String(revision) },
          columnDefinitions: [],
          rows: [{ cells: [], object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } }],
        }
      : {
          kind: accepted.as === undefined ? kind.resource.kind : 'PartialObjectMetadata',
          apiVersion: accepted.as === undefined ? apiVersionOf(kind.resource) : 'meta.k8s.io/v1',
          metadata,
        }
  if (accepted.format === 'protobuf' && accepted.as === undefined) {
    const { creationTimestamp: _none, ...meta } = metadata
    return encodeWatchFrame('BOOKMARK', encodeProtobuf(kind.model, { ...object, metadata: meta }))
  }
  return Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`)
}

/** A revision that is gone is told as an event of a watch that ends at once: its bytes. */
function startOrTell(start: () => StartedWatch, accepted: Accepted): StartedWatch | Uint8Array {
  try {
    return start()
  } catch (error) {
    if (!isExpired(error) || !(error instanceof ApiError)) throw error
    return isFramed(accepted)
      ? encodeWatchFrame('ERROR', encodeProtobuf('V1Status', error.status))
      : Buffer.from(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`)
  }
}

/** Whether events are protobuf with their length in front; else each is a line of JSON. */
const isFramed = ({ format, as }: Accepted): boolean => format === 'protobuf' && as === undefined

/** Where the events go, once there is nothing left to refuse. */
export type OpenWatch = (isProtobuf: boolean) => Writable

export const asBody =
  ({ response }: Pick<Exchange, 'response'>): OpenWatch =>
  isProtobuf => {
    response.setHeader('Content-Type', isProtobuf ? `${mediaTypes.protobuf};stream=watch` : mediaTypes.json)
    response.writeHead(200)
    response.flushHeaders()
    return response
  }

const lengthBytes = 4
const newline = 0x0a

/** One message for each event, without the length in front. */
export const asMessages =
  (upgrade: Pick<Upgrade, 'request' | 'socket' | 'head'>): OpenWatch =>
  isProtobuf =>
    isProtobuf
      ? acceptMessages(upgrade, {
          isBinary: true,
          skippedBytes: lengthBytes,
          endOf: bytes => {
            if (bytes.length < lengthBytes) return undefined
            const end = lengthBytes + bytes.readUInt32BE()
            return bytes.length < end ? undefined : end
          },
        })
      : acceptMessages(upgrade, { isBinary: false, endOf: bytes => bytes.indexOf(newline) + 1 || undefined })

/** Runs until the client leaves, the time is up, or the server closes it. */
export function streamWatch(
  exchange: Pick<Exchange, 'request' | 'query'>,
  context: ServerContext,
  kind: KindDefinition,
  query: WatchQuery,
  open: OpenWatch,
  ends: Set<() => void>,
): Promise<void> {
  const { request } = exchange
  const accepted = negotiateFor(kind, request.headers.accept)
  const encode = encoderFor(context, kind, accepted)
  const wantsBookmarks = query.allowWatchBookmarks === true
  /** What happens while the initial events are still being sent. */
  let waiting: Delivery[] | undefined = []
  const deliver = (delivery: Delivery): void => {
    if (waiting === undefined) stream.push(encode(delivery))
    else if (waiting.push(delivery) > backlogEvents) sink.destroy()
  }
  const started = startOrTell(() => watch(context, kind, { ...query, failed: () => sink.destroy() }, deliver), accepted)
  const sink = open(isFramed(accepted))
  const stream = new EventStream(sink)

  function* initialParts({ initial, revision }: StartedWatch): Generator<Uint8Array> {
    for (const delivery of initial) yield encode(delivery)
    if (query.sendInitialEvents && wantsBookmarks) yield bookmark(kind, accepted, revision, true)
  }
  async function begin(started: StartedWatch): Promise<void> {
    await writeInSlices(sink, initialParts(started))
    for (const delivery of waiting ?? []) stream.push(encode(delivery))
    waiting = undefined
  }

  return new Promise(resolve => {
    const seconds =
      Number(exchange.query.get('timeoutSeconds') ?? 0) || minimumSeconds * (1 + context.random.fraction())
    const end = (): void => stream.end()
    const timeout = context.clock.after(seconds * 1000, end)
    const repeat = (): { cancel(): void } =>
      context.clock.after(bookmarkMs, () => {
        if (waiting === undefined) stream.push(bookmark(kind, accepted, context.storage.revision, false))
        bookmarks = repeat()
      })
    let bookmarks = wantsBookmarks ? repeat() : undefined
    ends.add(end)
    const stay = context.kinds.whenGone(kind, end)
    sink.once('close', () => {
      ends.delete(end)
      stay()
      if (!(started instanceof Uint8Array)) started.close()
      timeout.cancel()
      bookmarks?.cancel()
      resolve()
    })
    if (started instanceof Uint8Array) {
      stream.push(started)
      end()
    } else
      // An event that cannot be encoded ends the watch; the client lists again.
      begin(started).catch((error: Error) => {
        context.logger.error('watch failed', { url: request.url, error: error.message, stack: error.stack })
        sink.destroy()
      })
  })
}
