// How instances share requests: policies as a cluster has them, real requests through the real HAProxy.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect, createServer as createHttp2Server, type ClientHttp2Session } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { balancedModel, type BalancedService } from '../../src/testing/balanced-gateway.ts'
import { listening } from '../../src/testing/handled-requests.ts'
import { privateHaproxy, type PrivateHaproxy } from '../../src/testing/private-haproxy.ts'

const reason = spawnSync('haproxy', ['-v']).error === undefined ? undefined : 'there is no haproxy'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Whose it is. */
  readonly instance: number
  /** That the instance saw. */
  readonly cookie: string
}

interface Instance {
  readonly port: number
  close(): void
}

describe.skipIf(reason !== undefined)(`balancing${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let haproxy: PrivateHaproxy
  let instances: readonly Instance[] = []
  let grpc: readonly Instance[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })

  /** `/eject 0`: the instance 0 fails there. */
  const broken = new Set<string>()
  /** `/least 0` -> those whom it keeps waiting. */
  const holding = new Map<string, (() => void)[]>()
  const services: Record<string, BalancedService> = {}

  const segment = (path: string): string => path.slice(0, /^\/[^/?]*/.exec(path)![0].length)

  const answering = async (index: number): Promise<Instance> => {
    const server = createServer((asked, response) => {
      const key = `${segment(asked.url!)} ${index}`
      if (broken.has(key)) response.statusCode = 500
      response.setHeader('cache-control', 'max-age=60')
      const end = (): void => void response.end(JSON.stringify({ instance: index, cookie: asked.headers.cookie ?? '' }))
      const held = holding.get(key)
      if (held === undefined) end()
      else held.push(end)
    })
    return listening(server)
  }

  const streaming = async (index: number): Promise<Instance> => {
    const server = createHttp2Server()
    server.on('stream', stream => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end(String(index))
    })
    return listening(server)
  }

  const bring = (): Promise<string> => haproxy.haproxy.bring(balancedModel(haproxy.port, services).model)

  const at = (...indexes: readonly number[]): readonly number[] => indexes.map(index => instances[index]!.port)

  /** Instances come or go, which must not take a load. */
  async function serve(service: string, ...indexes: readonly number[]): Promise<void> {
    services[service] = { ...services[service], instances: at(...indexes) }
    expect(await bring()).toBe('commands')
  }

  async function ask(path: string, headers: Record<string, string> = {}, by?: Agent): Promise<Answer> {
    const asking = request({ host: '127.0.0.1', port: haproxy.port, path, headers, agent: by ?? false }).end()
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    const parts: Buffer[] = []
    for await (const part of response) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString()
    const told = text.startsWith('{') ? (JSON.parse(text) as Pick<Answer, 'instance' | 'cookie'>) : undefined
    return {
      status: response.statusCode!,
      headers: response.headers,
      instance: told?.instance ?? -1,
      cookie: told?.cookie ?? '',
    }
  }

  /** How many of the requests, one after the other, each instance got. */
  async function counts(count: number, path: string, by?: Agent): Promise<number[]> {
    const found = [0, 0, 0, 0]
    for (let asked = 0; asked < count; asked++) found[(await ask(path, {}, by)).instance]!++
    return found
  }

  /** Which instance each tenant is led to. */
  async function tenants(): Promise<number[]> {
    const found: number[] = []
    for (let tenant = 0; tenant < 120; tenant++)
      found.push((await ask('/hash', { 'x-tenant': `tenant-${tenant}` }, agent)).instance)
    return found
  }

  /** @returns lets go of those who wait */
  function hold(path: string, index: number): () => void {
    const waiting: (() => void)[] = []
    holding.set(`${path} ${index}`, waiting)
    return () => {
      holding.delete(`${path} ${index}`)
      for (const end of waiting) end()
    }
  }

  beforeAll(async () => {
    instances = await Promise.all([0, 1, 2, 3].map(answering))
    grpc = await Promise.all([0, 1, 2].map(streaming))
    haproxy = await privateHaproxy()
    const three = { instances: at(0, 1, 2) }
    Object.assign(services, {
      turns: three,
      grpc: { instances: grpc.map(({ port }) => port), appProtocol: 'kubernetes.io/h2c' },
      least: { ...three, policy: { algorithm: 'LeastConnections' } },
      hash: { ...three, policy: { algorithm: 'ConsistentHash', hash: { by: 'Header', name: 'X-Tenant' } } },
      cookie: { ...three, policy: { algorithm: 'ConsistentHash', hash: { by: 'Cookie', name: 'tenant' } } },
      query: { ...three, policy: { algorithm: 'ConsistentHash', hash: { by: 'QueryParameter', name: 'tenant' } } },
      address: { ...three, policy: { algorithm: 'ConsistentHash', hash: { by: 'Address' } } },
      sticky: { ...three, policy: { affinity: { cookie: { name: 'at', maxAge: '1h' } } } },
      named: { ...three, policy: { affinity: { cookie: {} } } },
      eject: { ...three, policy: { ejection: { consecutiveErrors: 3, duration: '1s' } } },
      slow: { instances: at(0, 1), policy: { slowStart: '4s' } },
      queue: {
        instances: at(0),
        policy: {
          algorithm: 'LeastConnections',
          concurrency: { perInstance: 1, queue: { length: 2, timeout: '20s' } },
        },
      },
      hasty: { instances: at(0), policy: { concurrency: { perInstance: 1, queue: { timeout: '300ms' } } } },
    } satisfies Record<string, BalancedService>)
    await bring()
  })
  afterAll(async () => {
    agent.destroy()
    await haproxy?.close()
    for (const instance of [...instances, ...grpc]) instance.close()
  })

  describe('without a policy, instances take turns', () => {
    test('request by request, also within one connection', async () => {
      expect(await counts(9, '/turns')).toEqual([3, 3, 3, 0])
      expect(await counts(9, '/turns', agent)).toEqual([3, 3, 3, 0])
    })

    test('within one connection of HTTP/2, and of gRPC', async () => {
      const session = connect(`http://127.0.0.1:${haproxy.port}`)
      const turns = await Promise.all(Array.from({ length: 9 }, () => streamed(session, '/turns')))
      const streams = await Promise.all(Array.from({ length: 9 }, () => streamed(session, '/grpc/shop.Orders/List')))
      session.destroy()
      expect(shares(turns.map(text => (JSON.parse(text) as Answer).instance))).toEqual([3, 3, 3])
      expect(shares(streams.map(Number))).toEqual([3, 3, 3])
    })
  })

  test('with the fewest connections, an instance that is busy gets nothing more', async () => {
    const letGo = hold('/least', 0)
    const first = [0, 1, 2].map(() => ask('/least'))
    await expect.poll(() => holding.get('/least 0')!.length).toBeGreaterThan(0)
    // One that is led there waits until the test ends.
    expect((await counts(12, '/least'))[0]).toBe(0)
    letGo()
    await Promise.all(first)
  })

  describe('by consistent hash', () => {
    test('a tenant has one instance, and only those of an instance that comes or goes move', async () => {
      const before = await tenants()
      expect(await tenants()).toEqual(before)
      for (const share of shares(before)) expect(share).toBeGreaterThan(120 / 3 / 2)
      await serve('hash', 0, 1, 2, 3)
      const more = await tenants()
      const moved = more.filter((instance, tenant) => instance !== before[tenant])
      expect(moved.every(instance => instance === 3)).toBe(true)
      expect(moved.length).toBeGreaterThan(120 / 4 / 2)
      expect(moved.length).toBeLessThan((120 / 4) * 1.7)
      await serve('hash', 0, 2, 3)
      const fewer = await tenants()
      expect(fewer.filter((instance, tenant) => instance !== more[tenant] && more[tenant] !== 1)).toEqual([])
      await serve('hash', 0, 1, 2)
      expect(await tenants()).toEqual(before)
    })

    test('it is the same after a load', async () => {
      const before = await tenants()
      services['other'] = { instances: at(0), policy: { algorithm: 'LeastConnections' } }
      expect(await bring()).toBe('load')
      expect(await tenants()).toEqual(before)
    })

    test.each<[string, (tenant: string) => Promise<Answer>]>([
      ['a cookie', tenant => ask('/cookie', { cookie: `a=b; tenant=${tenant}` })],
      ['a parameter', tenant => ask(`/query?a=b&tenant=${tenant}`)],
    ])('of %s', async (_, asked) => {
      const of = async (): Promise<number[]> => {
        const found: number[] = []
        for (let tenant = 0; tenant < 20; tenant++) found.push((await asked(`t${tenant}`)).instance)
        return found
      }
      const before = await of()
      expect(new Set(before).size).toBe(3)
      expect(await of()).toEqual(before)
    })

    test('of the address, and whoever has nothing to be known by is led anywhere', async () => {
      expect(Math.max(...(await counts(9, '/address')))).toBe(9)
      const led = await Promise.all(Array.from({ length: 30 }, () => ask('/hash')))
      expect(new Set(led.map(({ instance }) => instance)).size).toBe(3)
    })
  })

  describe('by affinity', () => {
    const pairOf = ({ headers }: Answer): string => headers['set-cookie']![0]!.split(';')[0]!

    test('a client stays with its instance, which does not see how', async () => {
      const first = await ask('/sticky')
      expect(first.headers['set-cookie']).toEqual([
        expect.stringMatching(/^at=[0-9a-f]{16}; path=\/; HttpOnly; SameSite=Lax; Max-Age=3600$/),
      ])
      expect(first.headers['cache-control']).toContain('private')
      for (let again = 0; again < 6; again++) {
        const next = await ask('/sticky', { cookie: `mine=1; ${pairOf(first)}` })
        expect([next.instance, next.cookie, next.headers['set-cookie']]).toEqual([first.instance, 'mine=1', undefined])
      }
      expect(new Set((await Promise.all([1, 2, 3].map(() => ask('/sticky')))).map(pairOf)).size).toBe(3)
    })

    test('it stays when another one comes, and after a load, and finds another one when its own goes', async () => {
      const first = await ask('/sticky')
      const headers = { cookie: pairOf(first) }
      await serve('sticky', 0, 1, 2, 3)
      const last = (await Promise.all([1, 2, 3, 4].map(() => ask('/sticky')))).find(({ instance }) => instance === 3)!
      for (let again = 0; again < 4; again++) {
        expect((await ask('/sticky', headers)).instance).toBe(first.instance)
        // One that came while it runs has a cookie, too.
        expect((await ask('/sticky', { cookie: pairOf(last) })).instance).toBe(3)
      }
      delete services['other']
      services['another'] = { instances: at(0), policy: { algorithm: 'LeastConnections' } }
      expect(await bring()).toBe('load')
      expect((await ask('/sticky', headers)).instance).toBe(first.instance)
      services['sticky'] = {
        ...services['sticky'],
        instances: at(...[0, 1, 2, 3].filter(index => index !== first.instance)),
        ending: at(first.instance),
      }
      expect(await bring()).toBe('commands')
      const moved = await ask('/sticky', headers)
      expect(moved.instance).not.toBe(first.instance)
      expect((await ask('/sticky', { cookie: pairOf(moved) })).instance).toBe(moved.instance)
    })

    test('a cookie that nobody named is one that no other service has', async () => {
      expect(pairOf(await ask('/named'))).toMatch(/^instance-\w+=/)
    })
  })

  describe('by ejection', () => {
    test('an instance that fails gets nothing for a while, and then again', async () => {
      broken.add('/eject 0')
      const found = []
      for (let asked = 0; asked < 30; asked++) found.push((await ask('/eject')).status)
      expect(found.filter(status => status === 500)).toHaveLength(3)
      expect((await counts(6, '/eject'))[0]).toBe(0)
      broken.delete('/eject 0')
      await expect.poll(async () => (await counts(3, '/eject'))[0], { timeout: 10_000 }).toBe(1)
    })

    test('one that comes while it runs is ejected as well', async () => {
      broken.add('/eject 3')
      await serve('eject', 0, 1, 2, 3)
      await counts(16, '/eject')
      expect((await counts(8, '/eject'))[3]).toBe(0)
      broken.delete('/eject 3')
      await expect.poll(async () => (await counts(4, '/eject'))[3], { timeout: 10_000 }).toBe(1)
      await serve('eject', 0, 1, 2)
    })

    test('when all fail, all go on', async () => {
      for (const index of [0, 1, 2]) broken.add(`/eject ${index}`)
      const found = new Set<number>()
      for (let asked = 0; asked < 30; asked++) found.add((await ask('/eject')).status)
      expect([...found]).toEqual([500])
      for (const index of [0, 1, 2]) broken.delete(`/eject ${index}`)
      expect((await counts(9, '/eject')).slice(0, 3)).toEqual([3, 3, 3])
    })
  })

  test('an instance that comes gets little at first', async () => {
    expect((await counts(30, '/slow')).slice(0, 2)).toEqual([15, 15])
    await serve('slow', 0, 1, 2)
    expect((await counts(30, '/slow'))[2]).toBeLessThan(6)
    await expect.poll(async () => (await counts(30, '/slow'))[2], { timeout: 10_000 }).toBe(10)
  })

  describe('by concurrency', () => {
    test('those beyond it wait, and more than may wait are told to come back', async () => {
      const letGo = hold('/queue', 0)
      const first = ask('/queue')
      await expect.poll(() => holding.get('/queue 0')!.length).toBe(1)
      const more = Array.from({ length: 10 }, () => ask('/queue'))
      // Nobody else can have an answer yet.
      const { status, headers } = await Promise.race(more)
      expect([status, headers['retry-after']]).toEqual([503, '20'])
      letGo()
      const statuses = (await Promise.all([first, ...more])).map(each => each.status)
      expect(statuses.filter(each => each === 200).length).toBeGreaterThanOrEqual(3)
    })

    test('who has waited too long is told to come back', async () => {
      const letGo = hold('/hasty', 0)
      const first = ask('/hasty')
      await expect.poll(() => holding.get('/hasty 0')!.length).toBe(1)
      const { status, headers } = await ask('/hasty')
      expect([status, headers['retry-after']]).toEqual([503, '1'])
      letGo()
      expect((await first).status).toBe(200)
    })

    test('those who wait are seen to by an instance that comes', async () => {
      const letGo = hold('/queue', 0)
      const first = ask('/queue')
      await expect.poll(() => holding.get('/queue 0')!.length).toBe(1)
      const next = ask('/queue')
      await sleep(50)
      await serve('queue', 0, 3)
      expect((await next).instance).toBe(3)
      letGo()
      expect((await first).instance).toBe(0)
    })
  })
})

/** Of the first three. */
const shares = (found: readonly number[]): number[] =>
  [0, 1, 2].map(index => found.filter(each => each === index).length)

async function streamed(session: ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({ ':path': path, ':method': 'GET' })
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
