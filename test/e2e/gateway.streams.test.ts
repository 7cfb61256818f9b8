// What goes on while a gateway is changed: streams of gRPC and WebSockets to their end, and every request by HTTP/1.1 and HTTP/2,
// while instances are replaced and drained, versions share requests and take over, and HAProxy is loaded anew.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { Agent, createServer, request, type IncomingMessage, type Server } from 'node:http'
import {
  connect,
  constants,
  createServer as createHttp2Server,
  type ClientHttp2Session,
  type Http2Server,
} from 'node:http2'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Action, Backend, GatewayModel, Handling } from '../../src/gateway/model/model.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { privateHaproxy, type PrivateHaproxy } from '../../src/testing/private-haproxy.ts'

const reason = spawnSync('haproxy', ['-v']).error === undefined ? undefined : 'there is no haproxy'

/** An instance of a service: its answers begin with its name, and what streams send comes back. */
interface Instance {
  readonly name: string
  readonly port: number
  close(): void
}

async function plainInstance(name: string): Promise<Instance> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((_asked, answer) => answer.end(name))
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('upgrade', (asked: IncomingMessage, socket: Socket) => {
    const accept = createHash('sha1')
      .update(`${asked.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    socket.on('data', part => socket.write(part))
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = (): void => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { name, port: (server.address() as AddressInfo).port, close }
}

async function callInstance(name: string): Promise<Instance> {
  const server: Http2Server = createHttp2Server()
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', session => sessions.add(session))
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
    if (String(headers[':path']).endsWith('/once')) stream.end(name)
    else stream.pipe(stream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = (): void => {
    for (const session of sessions) session.destroy()
    server.close()
  }
  return { name, port: (server.address() as AddressInfo).port, close }
}

describe.skipIf(reason !== undefined)(`streams${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let haproxy: PrivateHaproxy
  const instances: Instance[] = []
  const sessions: ClientHttp2Session[] = []
  let plain: readonly [Instance, Instance, Instance]
  let calls: readonly [Instance, Instance, Instance]

  interface Served {
    readonly serving: readonly Instance[]
    readonly draining?: readonly Instance[]
    readonly handling?: Handling
  }

  /** Versions of both services, and which shares of requests they get. */
  interface Wanted {
    readonly web: Readonly<Record<string, Served>>
    readonly calls: Readonly<Record<string, Served>>
    readonly shares: Readonly<Record<string, number>>
  }

  function modelOf({ shares, ...services }: Wanted): GatewayModel {
    const backends = (['web', 'calls'] as const).flatMap(service =>
      Object.entries(services[service]).map(([version, { serving, draining = [], handling = {} }]): Backend => ({
        id: `${service}-${version}`,
        handling,
        protocol: service === 'calls' ? 'h2' : 'http',
        servers: [
          ...serving.map(({ port }) => ({ address: '127.0.0.1', port, draining: false })),
          ...draining.map(({ port }) => ({ address: '127.0.0.1', port, draining: true })),
        ],
      })),
    )
    const action = (service: string): Action => ({
      shares: Object.entries(shares).map(([version, weight]) => ({ backend: `${service}-${version}`, weight })),
    })
    return {
      entrances: [
        {
          address: '127.0.0.1',
          port: haproxy.port,
          hosts: [
            {
              name: { kind: 'any' },
              listener: '',
              rules: ['web', 'calls'].map(service => ({
                source: service,
                match: { path: { kind: 'prefix', value: `/${service}` }, headers: [], query: [] },
                action: action(service),
              })),
            },
          ],
        },
      ],
      backends: new Map(backends.map(backend => [backend.id, backend])),
      credentials: new Map(),
      certificates: new Map(),
    }
  }

  const bring = (wanted: Wanted): Promise<string> => haproxy.haproxy.bring(modelOf(wanted))

  beforeAll(async () => {
    haproxy = await privateHaproxy()
    plain = [await plainInstance('web one'), await plainInstance('web two'), await plainInstance('web three')]
    calls = [await callInstance('call one'), await callInstance('call two'), await callInstance('call three')]
    instances.push(...plain, ...calls)
  })
  afterAll(async () => {
    sessions.forEach(session => session.destroy())
    await haproxy?.close()
    instances.forEach(instance => instance.close())
  })

  async function askPlain(agent: Agent): Promise<string> {
    const asking = request({ host: '127.0.0.1', port: haproxy.port, path: '/web', agent }).end()
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    let text = `${response.statusCode} `
    for await (const part of response) text += String(part)
    return text
  }

  function session(): ClientHttp2Session {
    const made = connect(`http://127.0.0.1:${haproxy.port}`)
    made.on('error', () => {})
    sessions.push(made)
    return made
  }

  /** On one connection for as long as the gateway keeps it. */
  function multiplexed(path: string): () => Promise<string> {
    let current: ClientHttp2Session | undefined
    return async function ask(): Promise<string> {
      if (current === undefined || current.closed || current.destroyed) current = session()
      const stream = current.request({ ':path': path, ':method': 'POST' })
      stream.end()
      try {
        const [headers] = (await once(stream, 'response')) as [{ ':status': number }]
        let text = `${headers[':status']} `
        for await (const part of stream) text += String(part)
        return text
      } catch (error) {
        // It was not looked at: clients send it again (RFC 9113, 8.7).
        if (stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM) throw error
        return ask()
      }
    }
  }

  interface Stream {
    /** What has come back. */
    readonly heard: () => string
    readonly isOver: () => boolean
    end(): void
  }

  /** Sends a number each moment. */
  function streamOf(write: (text: string) => void, stop: () => void): Omit<Stream, 'heard' | 'isOver'> {
    let number = 0
    const timer = setInterval(() => write(`${number++} `), 10)
    return {
      end() {
        clearInterval(timer)
        stop()
      },
    }
  }

  function callStream(): Stream {
    let text = ''
    let isOver = false
    const stream = session().request({
      ':path': '/calls/stream',
      ':method': 'POST',
      'content-type': 'application/grpc',
    })
    stream.on('data', part => (text += String(part)))
    stream.on('close', () => (isOver = true))
    stream.on('error', () => {})
    return {
      heard: () => text,
      isOver: () => isOver,
      ...streamOf(
        each => stream.write(each),
        () => stream.close(),
      ),
    }
  }

  function webSocket(): Stream {
    let text = ''
    let isOver = false
    const asking = request({
      host: '127.0.0.1',
      port: haproxy.port,
      path: '/web/socket',
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    }).end()
    let socket: Socket | undefined
    asking.on('upgrade', (_answer, upgraded: Socket) => {
      socket = upgraded
      upgraded.on('data', part => (text += String(part)))
      upgraded.on('close', () => (isOver = true))
      upgraded.on('error', () => {})
    })
    asking.on('error', () => (isOver = true))
    return {
      heard: () => text,
      isOver: () => isOver,
      ...streamOf(
        each => socket?.write(each),
        () => socket?.destroy(),
      ),
    }
  }

  /** Everything before the last number that has come, without one that is missing. */
  const isWhole = (text: string): boolean => {
    const numbers = text.trim().split(' ').map(Number)
    return numbers.every((number, at) => at === 0 || number === numbers[at - 1]! + 1)
  }

  test('none is cut, and no request is lost', { timeout: 60_000 }, async () => {
    const [one, two, three] = plain
    const [callOne, callTwo, callThree] = calls
    const all = { v1: 1 }
    const both = (v1: Served, calls1: Served): Wanted => ({ web: { v1 }, calls: { v1: calls1 }, shares: all })
    await bring(both({ serving: [one, two] }, { serving: [callOne, callTwo] }))
    const streams = [callStream(), callStream(), callStream(), webSocket(), webSocket()]
    await eventually('all streams', () => streams.every(({ heard }) => heard().length > 20))

    const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    const ways = [
      ...agents.map(agent => () => askPlain(agent)),
      ...Array.from({ length: 3 }, () => multiplexed('/web')),
      ...Array.from({ length: 3 }, () => multiplexed('/calls/once')),
    ]
    const answers = new Map<string, number>()
    let isOver = false
    const asking = ways.map(async ask => {
      while (!isOver) {
        const answer = await ask().catch((error: Error) => error.message)
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
    })
    const meanwhile = async (): Promise<void> => {
      const before = [...answers.values()].reduce((sum, count) => sum + count, 0)
      await eventually(
        'more answers',
        () => [...answers.values()].reduce((sum, count) => sum + count, 0) > before + 100,
      )
    }

    // Rolling: one instance comes, another one is drained and goes.
    expect(await bring(both({ serving: [one, two, three] }, { serving: [callOne, callTwo, callThree] }))).toBe(
      'commands',
    )
    await meanwhile()
    await bring(
      both({ serving: [two, three], draining: [one] }, { serving: [callTwo, callThree], draining: [callOne] }),
    )
    await meanwhile()
    const drained = answers.get('200 web one')
    await meanwhile()
    expect(answers.get('200 web one')).toBe(drained)
    await bring(both({ serving: [one, two, three] }, { serving: [callOne, callTwo, callThree] }))
    await meanwhile()

    // Canary: another version gets a share, then more, then all (blue-green).
    const versions = (v1: number, v2: number): Wanted => ({
      web: { v1: { serving: [one, two] }, v2: { serving: [three] } },
      calls: { v1: { serving: [callOne, callTwo] }, v2: { serving: [callThree] } },
      shares: { v1, v2 },
    })
    for (const [v1, v2] of [
      [9, 1],
      [1, 1],
      [0, 1],
      [1, 0],
    ] as const) {
      await bring(versions(v1, v2))
      await meanwhile()
    }

    // Loads.
    for (const name of ['a', 'b', 'c']) {
      const handling: Handling = { requestHeaders: [{ set: [{ name, value: 'x' }], add: [], remove: [] }] }
      expect(
        await bring(
          both({ serving: [one, two, three], handling }, { serving: [callOne, callTwo, callThree], handling }),
        ),
      ).toBe('load')
      await meanwhile()
    }
    isOver = true
    await Promise.all(asking)
    await sleep(100)
    expect([...answers.keys()].toSorted()).toEqual([...plain, ...calls].map(({ name }) => `200 ${name}`).toSorted())
    expect(streams.map(stream => stream.isOver())).toEqual(streams.map(() => false))
    expect(streams.map(stream => isWhole(stream.heard()))).toEqual(streams.map(() => true))
    const before = streams.map(({ heard }) => heard().length)
    await eventually('that they go on', () => streams.every(({ heard }, at) => heard().length > before[at]!))
    streams.forEach(stream => stream.end())
    agents.forEach(agent => agent.destroy())
  })
})
