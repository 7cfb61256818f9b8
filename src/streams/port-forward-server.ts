// Port-forward for kubectl and others: SPDY streams in pairs (error, data), either on the upgraded
// connection itself or tunnelled through binary WebSocket messages (what kubectl tries first); and the
// older WebSocket form with one pair of channels for each port of the query.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import { createWebSocketStream, WebSocketServer, type WebSocket } from 'ws'
import { ChannelSocket } from './channel-socket.ts'
import { acceptSpdy, isSpdyUpgrade, negotiate, refuseUpgrade } from './spdy/accept-upgrade.ts'
import { SpdySession, type SpdyStream } from './spdy/session.ts'

export type ConnectPort = (port: number) => Promise<Duplex>

const spdyProtocol = 'portforward.k8s.io'
const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io'
const channelProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io']

const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  handleProtocols: offered => [tunnelProtocol, ...channelProtocols].find(name => offered.has(name)) ?? false,
})

export async function servePortForward(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  ports: readonly number[],
  connect: ConnectPort,
): Promise<void> {
  socket.on('error', () => {})
  if (isSpdyUpgrade(request)) {
    if (negotiate(request, [spdyProtocol]) === undefined)
      return refuseUpgrade(
        socket,
        403,
        'Forbidden',
        `unable to upgrade: unable to negotiate protocol: server accepts [${spdyProtocol}]`,
      )
    const pairs = new StreamPairs(connect)
    acceptSpdy(socket, head, spdyProtocol, { onStream: stream => pairs.add(stream) })
    return
  }
  if (!/^websocket$/i.test(request.headers.upgrade ?? ''))
    return refuseUpgrade(socket, 400, 'BadRequest', 'expected an upgrade to websocket or SPDY/3.1')
  server.handleUpgrade(request, socket, head, client => {
    client.on('error', () => client.terminate())
    if (client.protocol !== tunnelProtocol)
      return void serveChannels(
        client,
        ports.filter(port => port > 0 && port < 65_536),
        connect,
      )
    const tunnel = createWebSocketStream(client)
    tunnel.on('error', () => {})
    const pairs = new StreamPairs(connect)
    openSession(tunnel, stream => pairs.add(stream))
  })
}

const openSession = (transport: Duplex, onStream: (stream: SpdyStream) => void): SpdySession =>
  new SpdySession(transport, { role: 'server', onStream })

/** Streams of the same request id belong together; the connection is made when both are there. */
class StreamPairs {
  private readonly connect: ConnectPort
  private readonly waiting = new Map<string, { error?: SpdyStream; data?: SpdyStream }>()

  constructor(connect: ConnectPort) {
    this.connect = connect
  }

  add(stream: SpdyStream): void {
    stream.on('error', () => {})
    stream.reply()
    const id = stream.headers['requestid'] ?? stream.headers['port'] ?? ''
    const pair = this.waiting.get(id) ?? {}
    if (stream.headers['streamtype'] === 'error') pair.error = stream
    else pair.data = stream
    this.waiting.set(id, pair)
    if (pair.error === undefined || pair.data === undefined) return
    this.waiting.delete(id)
    void forward(this.connect, Number(pair.data.headers['port']), pair.data, message => pair.error!.end(message ?? ''))
  }
}

/** Pumps until both sides are done; `finish` gets the reason if it failed. */
async function forward(
  connect: ConnectPort,
  port: number,
  client: Duplex,
  finish: (message?: string) => void,
): Promise<void> {
  let finished = false
  const end = (message?: string): void => {
    if (finished) return
    finished = true
    finish(message)
  }
  try {
    const connection = await connect(port)
    const fail = (error: Error): void => {
      end(error.message)
      client.destroy()
    }
    connection.on('error', fail)
    client.on('close', () => connection.destroy())
    connection.on('close', () => {
      end()
      client.end()
    })
    connection.on('end', () => end())
    client.pipe(connection)
    connection.pipe(client)
  } catch (error) {
    end((error as Error).message)
    client.end()
    client.resume()
  }
}

// ---- one pair of channels for each port

/** Until the pod's side of every port has closed, or the client is gone. */
async function serveChannels(client: WebSocket, ports: readonly number[], connect: ConnectPort): Promise<void> {
  const socket = new ChannelSocket(client)
  const connections = ports.map((port, index) => open(port, index))
  client.on('message', (data, isBinary) => {
    const { channel, body } = socket.decode(data, isBinary)
    if (channel % 2 === 0) void connections[channel / 2]?.then(connection => socket.deliver(body, connection))
  })
  await Promise.all(connections.map(serve))
  await socket.close()

  async function open(port: number, index: number): Promise<Duplex | undefined> {
    const announcement = Buffer.alloc(2)
    announcement.writeUInt16LE(port)
    socket.send(index * 2, announcement)
    socket.send(index * 2 + 1, announcement)
    try {
      return await connect(port)
    } catch (error) {
      tell(index, error as Error)
      return undefined
    }
  }

  async function serve(opening: Promise<Duplex | undefined>, index: number): Promise<void> {
    const connection = await opening
    if (connection === undefined) return
    client.on('close', () => connection.destroy())
    connection.on('data', (chunk: Buffer) => socket.send(index * 2, chunk, connection))
    await finished(connection, { writable: false }).catch((error: Error) => tell(index, error))
    connection.destroy()
  }

  function tell(index: number, error: Error): void {
    socket.send(index * 2 + 1, Buffer.from(error.message))
  }
}
