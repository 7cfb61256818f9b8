// Exec and attach over WebSocket: every message begins with a channel, a byte or (base64) a digit.
import type { IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { WebSocketServer, type WebSocket } from 'ws'
import { ChannelSocket, type ChannelMessage } from './channel-socket.ts'
import type { RemoteSession } from './node-streams.ts'

export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const

/** Best first; a client that names none gets the oldest. */
const protocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
]

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: 64 << 20,
  handleProtocols: offered => protocols.find(name => offered.has(name)) ?? false,
})

export async function serveCommandOverWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  open: () => Promise<RemoteSession>,
): Promise<void> {
  const session = await open()
  server.handleUpgrade(request, socket, head, client => void pump(client, session))
}

async function pump(client: WebSocket, session: RemoteSession): Promise<void> {
  const channel = new ChannelSocket(client)
  client.on('message', (data, isBinary) => receive(channel, session, channel.decode(data, isBinary)))
  client.on('close', () => session.abort())
  client.on('error', () => session.abort())
  session.stdin?.on('error', () => {})
  // Tells the client that the connection stands, before there is any output.
  channel.send(
    session.stdout !== undefined ? channels.stdout : session.stderr !== undefined ? channels.stderr : channels.error,
    Buffer.alloc(0),
  )
  const outputs = [forward(channel, channels.stdout, session.stdout), forward(channel, channels.stderr, session.stderr)]
  const status = await session.done
  await Promise.all(outputs)
  // From v4 on the error channel carries a Status.
  if (/^v[45]\./.test(client.protocol)) channel.send(channels.error, Buffer.from(JSON.stringify(status)))
  else if (status.status !== 'Success') channel.send(channels.error, Buffer.from(status.message ?? ''))
  await channel.close()
}

function receive(socket: ChannelSocket, session: RemoteSession, { channel, body }: ChannelMessage): void {
  switch (channel) {
    case channels.stdin:
      socket.deliver(body, session.stdin)
      return
    case channels.resize: {
      const size = parseSize(body)
      if (size !== undefined) session.resize(size.Width, size.Height)
      return
    }
    case channels.close:
      if (body[0] === channels.stdin) session.stdin?.end()
      return
    default:
  }
}

export function parseSize(body: Buffer): { Width: number; Height: number } | undefined {
  try {
    const { Width, Height } = JSON.parse(body.toString()) as { Width?: number; Height?: number }
    return typeof Width === 'number' && typeof Height === 'number' ? { Width, Height } : undefined
  } catch {
    return undefined
  }
}

async function forward(channel: ChannelSocket, id: number, output: Readable | undefined): Promise<void> {
  if (output === undefined) return
  output.on('data', (chunk: Buffer) => channel.send(id, chunk, output))
  // Output that breaks off has ended; the status of the command tells the rest.
  await finished(output, { writable: false }).catch(() => {})
}
