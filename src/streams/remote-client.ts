// The client's side of Kubernetes' streaming protocols over SPDY: exec, attach and port-forward towards a
// container runtime's streaming server (or a kubelet), which is given as a URL; and port-forward through an API server.
import { request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { ServerAccess } from '../api/server-access.ts'
import type { RemoteSession, StreamOptions } from './node-streams.ts'
import { SpdySession, type SpdyStream } from './spdy/session.ts'

const connectTimeoutMs = 30_000

/** Opens an exec or attach URL. The streams of the session follow `options`. */
export async function openRemoteSession(url: string, options: StreamOptions): Promise<RemoteSession> {
  const { session } = await upgrade(url, ['v4.channel.k8s.io'])
  const open = (streamType: string, fin = false): SpdyStream => session.openStream({ streamType }, fin)
  const errors = open('error')
  errors.end()
  const stdin = options.stdin ? open('stdin') : undefined
  const stdout = options.stdout ? open('stdout') : undefined
  const stderr = options.stderr ? open('stderr') : undefined
  const resize = options.tty ? open('resize') : undefined
  const all = [errors, stdin, stdout, stderr, resize].filter(stream => stream !== undefined)
  for (const stream of all) stream.on('error', () => {})
  // Only written, but the end of the other side must be noticed for the stream to close.
  stdin?.resume()
  resize?.resume()
  stdout?.end()
  stderr?.end()
  try {
    await Promise.all(all.map(stream => stream.accepted))
  } catch (error) {
    session.destroy()
    throw error
  }
  return {
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    resize: (columns, rows) => {
      if (resize?.writable === true) resize.write(`${JSON.stringify({ Width: columns, Height: rows })}\n`)
    },
    done: statusOf(errors).finally(() => {
      session.close()
    }),
    abort: () => session.destroy(),
  }
}

/** One connection to a port of the pod behind a port-forward URL. */
export async function openPortForward(url: string, port: number): Promise<Duplex> {
  const { session } = await upgrade(url, ['portforward.k8s.io'])
  return forwardOver(session, port)
}

/** The same through an API server. A WebSocket would need a protocol whose name is none (it has a slash). */
export async function openServerPortForward(server: ServerAccess, path: string, port: number): Promise<Duplex> {
  const { session } = await upgrade(`${server.url}${path}`, ['portforward.k8s.io'], server)
  return forwardOver(session, port)
}

async function forwardOver(session: SpdySession, port: number): Promise<Duplex> {
  const headers = { port: String(port), requestID: '0' }
  const errors = session.openStream({ ...headers, streamType: 'error' }, true)
  const data = session.openStream({ ...headers, streamType: 'data' })
  errors.on('error', () => {})
  const message = text(errors).catch(() => '')
  try {
    await Promise.all([errors.accepted, data.accepted])
  } catch (error) {
    session.destroy()
    throw error
  }
  return connectionOf(data, message, session)
}

/** The data stream ends before the error stream says why: its end waits for the message. */
function connectionOf(data: SpdyStream, message: Promise<string>, session: SpdySession): Duplex {
  const connection = new Duplex({
    read: () => data.resume(),
    write: (chunk, encoding, callback) => data.write(chunk, encoding, callback),
    final: callback => data.end(callback),
    destroy(error, callback) {
      session.destroy()
      callback(error)
    },
  })
  data.on('data', (chunk: Buffer) => {
    if (!connection.push(chunk)) data.pause()
  })
  data.on('error', error => connection.destroy(error))
  data.on(
    'end',
    () => void message.then(reason => (reason === '' ? connection.push(null) : connection.destroy(new Error(reason)))),
  )
  return connection
}

async function statusOf(errors: SpdyStream): Promise<Awaited<RemoteSession['done']>> {
  const message = await text(errors).catch((error: unknown) => (error as Error).message)
  const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } as const
  if (message === '') return success
  try {
    return { ...success, ...(JSON.parse(message) as object) }
  } catch {
    return { ...success, status: 'Failure', reason: 'InternalError', message, code: 500 }
  }
}

function upgrade(
  url: string,
  protocols: readonly string[],
  { headers = {}, tls }: Partial<ServerAccess> = {},
): Promise<{ session: SpdySession }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ session: SpdySession }>()
  const call = (url.startsWith('https:') ? secureRequest : request)(url, {
    ...tls,
    method: 'POST',
    headers: {
      ...headers,
      Connection: 'Upgrade',
      Upgrade: 'SPDY/3.1',
      'X-Stream-Protocol-Version': [...protocols],
      'Content-Length': 0,
    },
    timeout: connectTimeoutMs,
  })
  call.on('upgrade', (_response, socket, head) => {
    socket.setTimeout(0)
    socket.setNoDelay(true)
    if (head.length > 0) socket.unshift(head)
    resolve({ session: new SpdySession(socket, { role: 'client' }) })
  })
  call.on('response', response => {
    void text(response).then(
      body => reject(new Error(`the streaming server answered ${response.statusCode}: ${body.trim()}`)),
      reject,
    )
  })
  call.on('timeout', () =>
    call.destroy(new Error(`the streaming server did not answer within ${connectTimeoutMs / 1_000} s`)),
  )
  call.on('error', reject)
  call.end()
  return promise
}
