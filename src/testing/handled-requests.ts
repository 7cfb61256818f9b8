// A gateway that handles requests in many ways, each at a path of its own, in front of services of this process that tell
// what they were asked.
import { once } from 'node:events'
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Server as TcpServer } from 'node:net'
import type { Backend, BackendProtocol, GatewayModel, Handling, HostName, Rule } from '../gateway/model/model.ts'
import { privateHaproxy, type PrivateHaproxy } from './private-haproxy.ts'

export interface Told {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** What the service was asked, where it tells. */
  readonly told: Told
}

interface Asking {
  readonly method?: string
  readonly host?: string
  /** In the order in which they are sent, names and values in turns. */
  readonly headers?: readonly string[]
  readonly body?: string | Buffer
}

export interface Handled {
  /** undefined: nobody serves. */
  readonly port?: number
  readonly handling?: Handling
  readonly protocol?: BackendProtocol
}

/**
 * A request may ask for headers of the answer: as JSON in `x-answer`.
 * @param heard gets what it was asked, too
 */
export function tellingService(heard: (told: Told) => void = () => {}): Promise<Server & { readonly port: number }> {
  const tell = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await bodyOf(asked)).toString('latin1')
    const told: Told = { method: asked.method!, url: asked.url!, headers: asked.headers, body }
    heard(told)
    const more = JSON.parse(String(asked.headers['x-answer'] ?? '{}')) as OutgoingHttpHeaders
    response.writeHead(200, more).end(JSON.stringify(told))
  }
  return listening(createServer((asked, response) => void tell(asked, response)))
}

/** At a port of loopback that is free. */
export async function listening<T extends TcpServer>(server: T): Promise<T & { readonly port: number }> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(server, { port: (server.address() as AddressInfo).port })
}

export class HandlingGateway {
  private readonly gateway: PrivateHaproxy

  private constructor(gateway: PrivateHaproxy) {
    this.gateway = gateway
  }

  static async start(): Promise<HandlingGateway> {
    return new HandlingGateway(await privateHaproxy())
  }

  get port(): number {
    return this.gateway.port
  }

  close(): Promise<void> {
    return this.gateway.close()
  }

  /** @param all by the first segment of their paths, which is the id of the backend, too */
  async bring(all: Readonly<Record<string, Handled>>): Promise<string> {
    return this.gateway.haproxy.bring(modelOf(this.port, all))
  }

  async ask(
    path: string,
    { method = 'GET', host = `shop.localhost:${this.port}`, headers = [], body }: Asking = {},
  ): Promise<Answer> {
    const own = ['Host', host, ...headers]
    if (body !== undefined) own.push('Content-Length', String(Buffer.byteLength(body)))
    const asking = request({ host: '127.0.0.1', port: this.port, path, method, headers: own, agent: false }).end(body)
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    const text = (await bodyOf(response)).toString()
    const told = text.startsWith('{') ? (JSON.parse(text) as Told) : nothingTold
    return { status: response.statusCode!, headers: response.headers, text, told }
  }
}

const nothingTold: Told = { method: '', url: '', headers: {}, body: '' }

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of message) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** By its name, it is looked up in another way than by any. */
const names: readonly HostName[] = [{ kind: 'exact', name: 'shop.localhost' }, { kind: 'any' }]

function modelOf(port: number, all: Readonly<Record<string, Handled>>): GatewayModel {
  const rules = Object.keys(all).map((id): Rule => ({
    source: id,
    match: { path: { kind: 'prefix', value: `/${id}` }, headers: [], query: [] },
    action: { shares: [{ backend: id, weight: 1 }] },
  }))
  const backends = Object.entries(all).map(([id, { port: at, handling = {}, protocol = 'http' }]): Backend => ({
    id,
    handling,
    protocol,
    servers: at === undefined ? [] : [{ address: '127.0.0.1', port: at, draining: false }],
  }))
  return {
    entrances: [{ address: '127.0.0.1', port, hosts: names.map(name => ({ name, listener: '', rules })) }],
    backends: new Map(backends.map(backend => [backend.id, backend])),
    credentials: new Map(),
    certificates: new Map(),
  }
}
