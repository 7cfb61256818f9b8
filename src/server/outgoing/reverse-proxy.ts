// Hands a request on to another server and its answer back: pods, services and nodes through `proxy`,
// aggregated API servers. Bodies stream both ways, protocol switches are passed through. What only
// concerns one connection, and the caller's credentials, are not handed on.
import {
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ApiError, serviceUnavailable } from '../../api/api-error.ts'
import { tokenProtocolPrefix } from '../auth/authenticate.ts'
import { networkFaultText } from './network-fault.ts'

export interface ProxyDestination {
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly port: number
  /** With the query. */
  readonly path: string
  /** Set in addition to the caller's. */
  readonly headers?: OutgoingHttpHeaders
  /** For https; without it nothing is verified, as with pods and services. */
  readonly tls?: {
    readonly ca?: string | undefined
    readonly serverName?: string
    readonly verifies: boolean
    readonly certificate?: string
    readonly key?: string
  }
  /** How long to wait for a connection and the head of the answer. */
  readonly headTimeoutMs?: number
  /** What to say when there is no answer, given why; ServiceUnavailable by default. */
  readonly unanswered?: (why: string) => ApiError
}

const connectTimeoutMs = 30_000
const singleHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const protocolsHeader = 'sec-websocket-protocol'
const credentials = /^(?:authorization$|impersonate-|x-remote-)/

/** @param finish takes over the answer; it is passed on as it is by default. @throws ApiError ServiceUnavailable */
export async function forwardRequest(
  request: IncomingMessage,
  response: ServerResponse,
  destination: ProxyDestination,
  finish = passOn,
): Promise<void> {
  const call = open(request, destination, handedOn(request, false))
  response.once('close', () => call.destroy())
  const answer = answered(call)
  // A server may answer before it has read everything; that the rest cannot be sent is then no fault.
  pipeline(request, call).catch(() => {})
  let incoming: IncomingMessage
  try {
    incoming = await answer
  } catch (error) {
    throw (destination.unanswered ?? serviceUnanswered)(networkFaultText(error))
  }
  try {
    await finish(incoming, response)
  } catch {
    // The head is out: all that can be said is that the rest is missing.
    response.destroy()
  }
}

const serviceUnanswered = (why: string): ApiError => serviceUnavailable(`error trying to reach service: ${why}`)

async function passOn(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(incoming.statusCode ?? 502, responseHeaders(incoming))
  response.flushHeaders()
  await pipeline(incoming, response)
}

/** @throws ApiError when the other side cannot be reached or does not switch */
export async function forwardUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  destination: ProxyDestination,
): Promise<void> {
  const call = open(request, destination, handedOn(request, true))
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  call.once('upgrade', (incoming, backend, backendHead) => {
    if (head.length > 0) backend.write(head)
    backend.on('error', () => socket.destroy())
    backend.on('close', () => endSoon(socket))
    socket.on('close', () => backend.destroy())
    socket.write(rawHead(incoming))
    if (backendHead.length > 0) socket.write(backendHead)
    socket.pipe(backend).pipe(socket)
    resolve()
  })
  call.once('response', incoming => {
    const status = incoming.statusCode ?? 0
    if (status < 400) {
      call.destroy()
      reject(new ApiError(500, '', `invalid upgrade response: status code ${status}`))
      return
    }
    socket.write(rawHead(incoming, { connection: 'close' }))
    incoming.on('error', () => socket.destroy())
    incoming.pipe(socket)
    resolve()
  })
  call.on('error', error => reject(new ApiError(500, '', `error dialing backend: ${networkFaultText(error)}`)))
  call.end()
  return promise
}

/** What the other side said last may still be on its way. */
function endSoon(socket: Duplex): void {
  if (socket.writableEnded && !socket.writableFinished) socket.once('finish', () => socket.destroy())
  else socket.destroy()
}

function open(
  request: IncomingMessage,
  { scheme, host, port, path, headers, tls, headTimeoutMs = 0 }: ProxyDestination,
  handed: OutgoingHttpHeaders,
): ClientRequest {
  const options: RequestOptions = {
    host,
    port,
    path,
    method: request.method ?? 'GET',
    headers: { ...handed, ...headers },
    agent: false,
  }
  const call =
    scheme === 'http'
      ? httpRequest(options)
      : httpsRequest({
          ...options,
          rejectUnauthorized: tls?.verifies ?? false,
          ...(tls?.ca !== undefined && { ca: tls.ca }),
          ...(tls?.serverName !== undefined && { servername: tls.serverName }),
          ...(tls?.certificate !== undefined && { cert: tls.certificate, key: tls.key }),
        })
  call.once('socket', socket => {
    socket.setTimeout(headTimeoutMs || connectTimeoutMs, () =>
      call.destroy(Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT', address: host, port })),
    )
    const connected = (): void => void (headTimeoutMs === 0 && socket.setTimeout(0))
    socket.once(scheme === 'http' ? 'connect' : 'secureConnect', connected)
    call.once('response', () => socket.setTimeout(0))
    call.once('upgrade', () => socket.setTimeout(0))
  })
  return call
}

function answered(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once('response', resolve)
    call.once('upgrade', (_incoming, socket) => {
      socket.destroy()
      reject(new Error('the server switched protocols without being asked to'))
    })
    call.on('error', reject)
  })
}

function handedOn({ headers, socket }: IncomingMessage, switching: boolean): OutgoingHttpHeaders {
  const listed = new Set(
    String(headers.connection ?? '')
      .toLowerCase()
      .split(',')
      .map(name => name.trim()),
  )
  const kept = Object.entries(headers).filter(
    ([name]) => !credentials.test(name) && !singleHop.has(name) && !listed.has(name) && name !== protocolsHeader,
  )
  const protocols = withoutTokens(headers[protocolsHeader] ?? '')
  const forwarded = [headers['x-forwarded-for'], socket.remoteAddress].filter(Boolean).join(', ')
  return {
    ...Object.fromEntries(kept),
    ...(protocols !== '' && { [protocolsHeader]: protocols }),
    ...(forwarded !== '' && { 'x-forwarded-for': forwarded }),
    ...(switching && { connection: 'Upgrade', upgrade: headers.upgrade }),
    ...(headers['transfer-encoding'] !== undefined && { 'transfer-encoding': headers['transfer-encoding'] }),
  }
}

const withoutTokens = (protocols: string): string =>
  protocols
    .split(',')
    .map(name => name.trim())
    .filter(name => !name.startsWith(tokenProtocolPrefix))
    .join(', ')

/** Without what concerns only the connection to the other server. */
export function responseHeaders({ headers, rawHeaders }: IncomingMessage): OutgoingHttpHeaders {
  const listed = new Set(
    String(headers.connection ?? '')
      .toLowerCase()
      .split(',')
      .map(name => name.trim()),
  )
  const kept: Record<string, string[]> = {}
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    if (!singleHop.has(name) && !listed.has(name)) (kept[name] ??= []).push(rawHeaders[index + 1]!)
  }
  return Object.fromEntries(
    Object.entries(kept).map(([name, values]) => [name, values.length === 1 ? values[0]! : values]),
  )
}

function rawHead(incoming: IncomingMessage, more?: Record<string, string>): string {
  const lines: string[] = []
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    const name = incoming.rawHeaders[index]!
    if (more === undefined || !singleHop.has(name.toLowerCase()))
      lines.push(`${name}: ${incoming.rawHeaders[index + 1]}`)
  }
  for (const [name, value] of Object.entries(more ?? {})) lines.push(`${name}: ${value}`)
  return `HTTP/1.1 ${incoming.statusCode} ${incoming.statusMessage ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n`
}
