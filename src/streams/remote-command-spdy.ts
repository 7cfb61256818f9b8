// Exec and attach over SPDY: the client opens one stream for each of error, stdin, stdout, stderr, resize.
import type { IncomingMessage } from 'node:http'
import type { Duplex, Readable, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import type { RemoteSession, StreamOptions } from './node-streams.ts'
import { parseSize } from './remote-command-websocket.ts'
import { acceptSpdy, negotiate, refuseUpgrade } from './spdy/accept-upgrade.ts'
import type { SpdySession, SpdyStream } from './spdy/session.ts'

const protocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io']
const streamsTimeoutMs = 30_000

export async function serveCommandOverSpdy(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  open: () => Promise<RemoteSession>,
  options: StreamOptions,
): Promise<void> {
  const protocol = negotiate(request, protocols)
  if (protocol === undefined)
    return refuseUpgrade(
      socket,
      403,
      'Forbidden',
      `unable to upgrade: unable to negotiate protocol: client supports [${String(request.headers['x-stream-protocol-version'] ?? '')}], server accepts [${protocols.join(' ')}]`,
    )
  const remote = await open()
  const wanted = [
    'error',
    ...(['stdin', 'stdout', 'stderr'] as const).filter(name => options[name]),
    ...(options.tty && protocol !== 'v2.channel.k8s.io' ? ['resize'] : []),
  ]
  const streams = new Map<string, SpdyStream>()
  const complete = Promise.withResolvers<void>()
  const session = acceptSpdy(socket, head, protocol, {
    onStream(stream) {
      stream.on('error', () => {})
      stream.reply()
      streams.set(stream.headers['streamtype'] ?? '', stream)
      if (wanted.every(name => streams.has(name))) complete.resolve()
    },
    onClose: () => {
      complete.reject(new Error('the client is gone'))
      remote.abort()
    },
  })
  const late = setTimeout(
    () => complete.reject(new Error('the client did not open its streams in time')),
    streamsTimeoutMs,
  )
  try {
    await complete.promise
    await pump(session, streams, remote, protocol)
  } catch {
    remote.abort()
    session.destroy()
  } finally {
    clearTimeout(late)
  }
}

/** Streams that break off need no handling of their own: the end of the command or of the session tells. */
async function pump(
  session: SpdySession,
  streams: ReadonlyMap<string, SpdyStream>,
  remote: RemoteSession,
  protocol: string,
): Promise<void> {
  feed(streams.get('stdin'), remote.stdin)
  streams.get('resize')?.on('data', (chunk: Buffer) => {
    const size = parseSize(chunk)
    if (size !== undefined) remote.resize(size.Width, size.Height)
  })
  const outputs = [copy(remote.stdout, streams.get('stdout')), copy(remote.stderr, streams.get('stderr'))]
  const status = await remote.done
  await Promise.all(outputs)
  const errors = streams.get('error')!
  const text =
    protocol === 'v4.channel.k8s.io'
      ? JSON.stringify(status)
      : status.status === 'Success'
        ? ''
        : (status.message ?? '')
  errors.end(text)
  await finished(errors, { readable: false }).catch(() => {})
  session.close()
}

/** What the command does not take is dropped: what nobody reads would keep the client from hearing of the end. */
function feed(stdin: SpdyStream | undefined, command: Writable | undefined): void {
  if (stdin === undefined) return
  if (command === undefined || command.destroyed) {
    stdin.resume()
    return
  }
  command.on('error', () => {})
  command.once('close', () => stdin.unpipe(command).resume())
  stdin.pipe(command)
}

async function copy(output: Readable | undefined, stream: SpdyStream | undefined): Promise<void> {
  if (output !== undefined && stream !== undefined) await pipeline(output, stream).catch(() => {})
  else output?.resume()
}
