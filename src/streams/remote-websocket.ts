// A WebSocket to an API server, and the client's side of exec and attach over it: every message begins with a byte for
// the channel it is of.
import { PassThrough, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { text } from 'node:stream/consumers'
import { WebSocket } from 'ws'
import type { Status } from '../api/api-error.ts'
import type { ServerAccess } from '../api/server-access.ts'
import { ChannelSocket } from './channel-socket.ts'
import { channels } from './remote-command-websocket.ts'
import type { RemoteSession, StreamOptions } from './node-streams.ts'

const handshakeTimeout = 30_000

/**
 * @param opened is called before anything that the server sends can be missed
 * @throws Error with the server's words when it answers otherwise
 */
function openWebSocket<T>(
  { url, headers, tls }: ServerAccess,
  path: string,
  protocols: readonly string[],
  opened: (socket: WebSocket) => T,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, [...protocols], {
    headers,
    ...tls,
    perMessageDeflate: false,
    handshakeTimeout,
  })
  socket.once('open', () => resolve(opened(socket)))
  socket.on('error', reject)
  socket.once('unexpected-response', (_request, response) => {
    text(response).then(
      body => reject(new Error(wordsOf(body))),
      (error: unknown) => reject(error as Error),
    )
  })
  return promise
}

function wordsOf(body: string): string {
  try {
    return (JSON.parse(body) as Status).message ?? body.trim()
  } catch {
    return body.trim()
  }
}

/** Only the first of these can say that the input has ended. */
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']

/** Opens the path of an exec or attach, whose query says the same as `options`. */
export const openCommandOverWebSocket = (
  server: ServerAccess,
  path: string,
  options: StreamOptions,
): Promise<RemoteSession> => openWebSocket(server, path, protocols, socket => sessionOver(socket, options))

function sessionOver(socket: WebSocket, options: StreamOptions): RemoteSession {
  const channel = new ChannelSocket(socket)
  const stdout = options.stdout ? new PassThrough() : undefined
  const stderr = options.stderr ? new PassThrough() : undefined
  const stdin = options.stdin ? inputOf(socket, channel) : undefined
  const done = Promise.withResolvers<Status>()
  socket.on('message', (data, isBinary) => {
    const { channel: id, body } = channel.decode(data, isBinary)
    if (id === channels.stdout) channel.deliver(body, stdout)
    else if (id === channels.stderr) channel.deliver(body, stderr)
    else if (id === channels.error && body.length > 0) done.resolve(statusOf(body))
  })
  socket.on('close', (code, reason) => {
    stdout?.end()
    stderr?.end()
    stdin?.destroy()
    const outputs = [stdout, stderr].filter(output => output !== undefined)
    void Promise.allSettled(outputs.map(output => finished(output, { readable: false }))).then(() =>
      done.resolve(
        failure(`the connection ended before the command (${code}${reason.length > 0 ? `: ${reason}` : ''})`),
      ),
    )
  })
  return {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    resize: (columns, rows) =>
      channel.send(channels.resize, Buffer.from(JSON.stringify({ Width: columns, Height: rows }))),
    done: done.promise,
    abort: () => socket.terminate(),
  }
}

function inputOf(socket: WebSocket, channel: ChannelSocket): Writable {
  const input = new Writable({
    write: (chunk: Buffer, _encoding, callback) => channel.send(channels.stdin, chunk, undefined, callback),
    final: callback => {
      if (socket.protocol === protocols[0]) channel.send(channels.close, Buffer.from([channels.stdin]))
      callback()
    },
  })
  // Ended from the other side.
  input.on('error', () => {})
  return input
}

const failure = (message: string): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  reason: 'InternalError',
  message,
  code: 500,
})

function statusOf(body: Buffer): Status {
  try {
    return JSON.parse(body.toString()) as Status
  } catch {
    return failure(body.toString())
  }
}
