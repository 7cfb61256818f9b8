// Asks a gateway as its clients do, run as a program of its own so that it can stand in a network namespace:
// a question is a line of JSON on standard input, its answer a line of JSON on standard output. Each question has a
// connection of its own.
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { WebSocket } from 'ws'

export interface Place {
  readonly address: string
  readonly port: number
}

export interface TlsQuestion {
  readonly serverName: string
  /** Of the authority, or of the server itself. */
  readonly trusted: string
  readonly certificate?: string
  readonly key?: string
}

export type Question = Place &
  (
    | {
        readonly type: 'http'
        readonly method: string
        readonly path: string
        readonly host: string
        readonly headers: Readonly<Record<string, string>>
        readonly tls?: TlsQuestion
      }
    | {
        readonly type: 'call'
        readonly method: string
        readonly host: string
        readonly headers: Readonly<Record<string, string>>
      }
    | { readonly type: 'webSocket'; readonly path: string; readonly message: string }
    | { readonly type: 'connection'; readonly message: string }
    | { readonly type: 'datagram'; readonly message: string }
  )

export interface Answer {
  /** Of HTTP, or of gRPC. */
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Why there is no answer at all. */
  readonly error?: string
}

const limitMs = 5_000
const said = (body: string): Answer => ({ status: 0, headers: {}, body })

async function askHttp({ address, port, ...question }: Question & { type: 'http' }): Promise<Answer> {
  const { method, path, host, headers, tls } = question
  const options = { host: address, port, method, path, headers: { ...headers, host }, agent: false, timeout: limitMs }
  const outgoing: ClientRequest =
    tls === undefined
      ? requestHttp(options)
      : requestHttps({ ...options, servername: tls.serverName, ca: tls.trusted, cert: tls.certificate, key: tls.key })
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
  outgoing.end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const answered: Record<string, string> = {}
  for (const [name, values] of Object.entries(response.headersDistinct)) answered[name] = values!.join(',')
  return { status: response.statusCode!, headers: answered, body: await text(response) }
}

async function call({ address, port, method, host, headers }: Question & { type: 'call' }): Promise<Answer> {
  const client = new Client(`${address}:${port}`, credentials.createInsecure(), {
    'grpc.default_authority': host,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  })
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  const same = (bytes: Buffer): Buffer => bytes
  const { promise, resolve } = Promise.withResolvers<Answer>()
  client.makeUnaryRequest(
    method,
    same,
    same,
    Buffer.alloc(0),
    metadata,
    { deadline: Date.now() + limitMs },
    (error, answer) => resolve({ status: error?.code ?? 0, headers: {}, body: answer?.toString() ?? '' }),
  )
  return promise.finally(() => client.close())
}

async function askWebSocket({ address, port, path, message }: Question & { type: 'webSocket' }): Promise<Answer> {
  const socket = new WebSocket(`ws://${address}:${port}${path}`, { handshakeTimeout: limitMs })
  try {
    await once(socket, 'open')
    const heard: string[] = []
    for (const binary of [false, true]) {
      socket.send(message, { binary })
      const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean]
      heard.push(`${isBinary ? 'binary' : 'text'} ${data}`)
    }
    return said(heard.join(', '))
  } finally {
    socket.terminate()
  }
}

/** Two lines: who answers, and what was said. */
async function connect({ address, port, message }: Question & { type: 'connection' }): Promise<Answer> {
  const socket = connectTcp(port, address)
  socket.setTimeout(limitMs, () => socket.destroy(new Error('no answer in time')))
  try {
    await once(socket, 'connect')
    socket.end(`${message}\n`)
    return said(await text(socket))
  } finally {
    socket.destroy()
  }
}

async function send({ address, port, message }: Question & { type: 'datagram' }): Promise<Answer> {
  const socket = createSocket('udp4')
  try {
    socket.send(message, port, address)
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(1_000) })) as [Buffer]
    return said(answer.toString())
  } finally {
    socket.close()
  }
}

function ask(question: Question): Promise<Answer> {
  switch (question.type) {
    case 'http':
      return askHttp(question)
    case 'call':
      return call(question)
    case 'webSocket':
      return askWebSocket(question)
    case 'connection':
      return connect(question)
    case 'datagram':
      return send(question)
  }
}

createInterface({ input: process.stdin })
  .on('line', line => {
    const { id, question } = JSON.parse(line) as { id: number; question: Question }
    ask(question)
      .catch((error: Error) => ({ ...said(''), error: error.message }))
      .then(
        answer => console.log(JSON.stringify({ id, answer })),
        () => {},
      )
  })
  .on('close', () => process.exit())
