// The body of an answer as messages of a WebSocket: logs and watches, for clients (browsers above all) that read no
// endless bodies. Nothing is expected from the client but that it closes.
// Source: apimachinery pkg/util/httpstream/wsstream (Reader), apiserver pkg/endpoints/handlers/watch.go.
import type { IncomingMessage } from 'node:http'
import { Writable, type Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { badRequest, PlainError } from '../api/api-error.ts'

const binary = 'binary.k8s.io'
const base64 = 'base64.binary.k8s.io'
const largestReceivedBytes = 1 << 16

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: largestReceivedBytes,
  handleProtocols: offered => known(offered) ?? false,
})

const known = (offered: Iterable<string>): string | undefined =>
  [...offered].find(name => name === binary || name === base64)

interface Handshake {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/** @throws ApiError BadRequest or a plain 403 when the client wants something else */
export function assertWantsBody({ headers }: IncomingMessage): void {
  if (!/^websocket$/i.test(headers.upgrade ?? ''))
    throw badRequest(`expected an upgrade to websocket, found one to ${headers.upgrade}`)
  const offered = String(headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')
  if (offered.length > 0 && known(offered) === undefined)
    throw new PlainError(
      403,
      'Forbidden',
      `requested protocol(s) are not supported: [${offered.join(' ')}]; supports [${binary} ${base64}]`,
    )
}

/** Bytes as they come, after an empty message that says that the connection stands. */
export const acceptBytes = (handshake: Handshake): Writable =>
  accept(handshake, client => {
    const send = (bytes: Buffer, callback: (error?: Error) => void): void =>
      client.protocol === base64
        ? client.send(bytes.toString('base64'), callback)
        : client.send(bytes, { binary: true }, callback)
    send(Buffer.alloc(0), () => {})
    return send
  })

/** How many bytes of `bytes` are its first message; undefined while that is not whole. */
export type MessageEnd = (bytes: Buffer) => number | undefined

/** One message for each part that `endOf` finds, as text or binary, whatever the protocol's name. */
export const acceptMessages = (
  handshake: Handshake,
  { isBinary, skippedBytes = 0, endOf }: { isBinary: boolean; skippedBytes?: number; endOf: MessageEnd },
): Writable =>
  accept(handshake, client => {
    let rest: Buffer = Buffer.alloc(0)
    return (bytes, callback) => {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
      const messages: Buffer[] = []
      for (let end = endOf(rest); end !== undefined; end = endOf(rest)) {
        messages.push(rest.subarray(skippedBytes, end))
        rest = rest.subarray(end)
      }
      // The space of what is written belongs to the writer again once it was told.
      rest = Buffer.from(rest)
      const last = messages.pop()
      for (const message of messages) client.send(message, { binary: isBinary })
      if (last === undefined) callback()
      else client.send(last, { binary: isBinary }, callback)
    }
  })

type Send = (bytes: Buffer, callback: (error?: Error) => void) => void

function accept({ request, socket, head }: Handshake, begin: (client: WebSocket) => Send): Writable {
  let client: WebSocket | undefined
  server.handleUpgrade(request, socket, head, accepted => {
    client = accepted
  })
  // A request that is no proper handshake was answered.
  return client === undefined ? new Writable().destroy() : bodyOf(client, begin(client))
}

function bodyOf(client: WebSocket, send: Send): Writable {
  const body = new Writable({
    write: (bytes: Buffer, _encoding, callback) => send(bytes, callback),
    final(callback) {
      client.once('close', () => callback())
      client.close(1000)
    },
    destroy(error, callback) {
      client.terminate()
      callback(error)
    },
  })
  client.on('error', () => client.terminate())
  client.on('close', () => body.destroy())
  return body
}
