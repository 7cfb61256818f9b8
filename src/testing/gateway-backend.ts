// A pod that plays many services of the gateway's tests, each on a port of its own, run as a program of its own:
//   node gateway-backend.ts '[{ "service": "web-backend", "port": 3001, "protocol": "http" }, ...]'
// Each says in JSON who it is and what it was asked, and prints the same, so that mirrored requests are seen. A query
// may ask for a late answer (`delay=1s`), the header `x-answer-headers` for headers of the answer, in JSON.
import { createSocket } from 'node:dgram'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'

export interface PlayedService {
  readonly service: string
  readonly port: number
  readonly protocol: 'http' | 'http2' | 'https' | 'tcp' | 'udp'
  /** Of `https`; clients are asked for theirs, and need none. */
  readonly certificate?: string
  readonly key?: string
}

/** What a service says. */
export interface Echo {
  readonly service: string
  readonly namespace: string
  readonly method: string
  readonly host: string
  readonly path: string
  readonly protocol: string
  /** In lower case; those that came more than once are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly serverName?: string
  /** Names of the subject of the client's certificate. */
  readonly client?: string
}

type Asked = IncomingMessage | Http2ServerRequest
/** What both have in common is said by the one of HTTP/1. */
type Answer = ServerResponse

const namespace = process.env['NAMESPACE'] ?? ''

function headersOf({ rawHeaders }: Asked): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    const value = rawHeaders[index + 1]!
    headers[name] = name in headers ? `${headers[name]},${value}` : value
  }
  return headers
}

function echo(service: string, asked: Asked): Echo {
  const headers = headersOf(asked)
  const socket = asked.socket as Partial<TLSSocket>
  const subject = socket.getPeerCertificate?.()?.subject
  return {
    service,
    namespace,
    method: asked.method ?? '',
    host: headers[':authority'] ?? headers['host'] ?? '',
    path: asked.url ?? '',
    protocol: asked.httpVersion,
    headers,
    ...(typeof socket.servername === 'string' && { serverName: socket.servername }),
    ...(subject !== undefined && { client: String(subject.CN) }),
  }
}

function delayMs(path: string): number {
  const [, amount, unit] = /[?&]delay=(\d+)(ms|s)/.exec(path) ?? []
  return Number(amount ?? 0) * (unit === 's' ? 1000 : 1)
}

const answerTo =
  (service: string) =>
  (asked: Asked, answer: Answer | Http2ServerResponse): void => {
    const said = echo(service, asked)
    asked.resume()
    console.log(JSON.stringify(said))
    if (said.headers['content-type']?.startsWith('application/grpc') === true) {
      answerCall(said, answer as Answer)
      return
    }
    const more = JSON.parse(said.headers['x-answer-headers'] ?? '{}') as Record<string, string>
    setTimeout(() => {
      ;(answer as Answer).writeHead(200, { 'content-type': 'application/json', ...more }).end(JSON.stringify(said))
    }, delayMs(said.path))
  }

/** A gRPC answer is one message, with its length before it, and trailers that say that it is well. */
function answerCall(said: Echo, answer: Answer): void {
  const message = Buffer.from(JSON.stringify(said))
  const length = Buffer.alloc(5)
  length.writeUInt32BE(message.length, 1)
  answer.writeHead(200, { 'content-type': 'application/grpc' })
  answer.addTrailers({ 'grpc-status': '0' })
  answer.end(Buffer.concat([length, message]))
}

/** Says what it is called, then says what it hears. */
const echoTo =
  (service: string) =>
  (socket: Socket): void => {
    socket.on('error', () => {})
    socket.write(`${service}\n`)
    socket.pipe(socket)
  }

function play({ service, port, protocol, certificate, key }: PlayedService): void {
  switch (protocol) {
    case 'http': {
      const sockets = new WebSocketServer({ noServer: true })
      createServer(answerTo(service))
        .on('upgrade', (request, socket, head) =>
          sockets.handleUpgrade(request, socket, head, opened =>
            opened.on('message', (message, isBinary) => opened.send(message, { binary: isBinary })),
          ),
        )
        .listen(port)
      return
    }
    case 'http2':
      createHttp2Server(answerTo(service)).listen(port)
      return
    case 'https':
      createHttpsServer({ cert: certificate, key, requestCert: true, rejectUnauthorized: false }, answerTo(service))
        .on('tlsClientError', () => {})
        .listen(port)
      return
    case 'tcp':
      createTcpServer(echoTo(service)).listen(port)
      return
    case 'udp': {
      const socket = createSocket('udp4')
      socket.on('message', (message, from) => socket.send(`${service} ${message}`, from.port, from.address)).bind(port)
    }
  }
}

for (const played of JSON.parse(process.argv[2] ?? '[]') as PlayedService[]) play(played)
process.on('SIGTERM', () => process.exit())
