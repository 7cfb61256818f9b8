// Clients that mean no good: what is no request of HTTP, what can be read in two ways, and what never ends. Real bytes to the
// real HAProxy, in front of a service that says what it was asked.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect as connectHttp2, constants } from 'node:http2'
import type { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { processesOf } from '../../src/gateway/haproxy/haproxy-places.ts'
import { tellingService, type Told } from '../../src/testing/handled-requests.ts'
import type { HTTPRouteFilter } from '../../src/api/gateway-api/types.ts'
import { accessPolicy, policedModel } from '../../src/testing/policed-gateway.ts'
import { privateHaproxy, type PrivateHaproxy } from '../../src/testing/private-haproxy.ts'

const reason = spawnSync('haproxy', ['-v']).error === undefined ? undefined : 'there is no haproxy'

const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n\r\n`
const get = (path: string, ...headers: readonly string[]): string =>
  lines(`GET ${path} HTTP/1.1`, 'Host: a.example', ...headers)
const post = (headers: readonly string[], body: string): string =>
  `${lines('POST /open HTTP/1.1', 'Host: a.example', ...headers)}${body}`
const behind = get('/guarded')

describe.skipIf(reason !== undefined)(`hostile clients${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let haproxy: PrivateHaproxy
  let service: Server & { readonly port: number }
  const heard: Told[] = []

  beforeAll(async () => {
    service = await tellingService(told => heard.push(told))
    haproxy = await privateHaproxy()
    const closed = { authentication: { keys: { header: 'x-key' } } }
    const rewrite: HTTPRouteFilter = {
      type: 'URLRewrite',
      urlRewrite: { hostname: 'odd.example' },
    }
    const pattern = [{ path: { type: 'RegularExpression' as const, value: '/secret/.*' } }]
    const { model } = policedModel(haproxy.port, service.port, {
      rules: {
        all: { matches: [{ path: { type: 'PathPrefix', value: '/' } }] },
        open: {},
        guarded: {},
        secret: { matches: pattern },
        odd: { matches: [{ path: { type: 'PathPrefix', value: '/odd;v=1' } }], filters: [rewrite] },
      },
      accessPolicies: [accessPolicy('guarded', 'guarded', closed), accessPolicy('secret', 'secret', closed)],
    })
    await haproxy.haproxy.bring(model)
  })
  afterAll(async () => {
    await haproxy?.close()
    service?.closeAllConnections()
    service?.close()
  })
  beforeEach(() => void heard.splice(0))

  /** @returns the statuses of all answers that come within a moment, or until the end of the connection */
  async function send(bytes: string, ms = 300): Promise<number[]> {
    const socket = connect(haproxy.port, '127.0.0.1')
    let answer = ''
    socket.on('data', part => (answer += part.toString('latin1')))
    socket.on('error', () => {})
    socket.write(Buffer.from(bytes, 'latin1'))
    await Promise.race([once(socket, 'close'), sleep(ms)])
    socket.destroy()
    return [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))
  }

  test.each([
    ['two lengths', post(['Content-Length: 1', 'Content-Length: 2'], 'ab')],
    ['a signed length', post(['Content-Length: +1'], 'a')],
    ['no length', post(['Content-Length: '], behind)],
    ['two codings', post(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], `0\r\n\r\n${behind}`)],
    ['an unknown coding', post(['Transfer-Encoding: xchunked'], `0\r\n\r\n${behind}`)],
    ['a space before the colon', post(['Transfer-Encoding : chunked'], `0\r\n\r\n${behind}`)],
    ['a chunk that is too large', post(['Transfer-Encoding: chunked'], 'fffffffffffffffff1\r\nx\r\n0\r\n\r\n')],
    ['a line within an extension', post(['Transfer-Encoding: chunked'], '1;a=\nb\r\nx\r\n0\r\n\r\n')],
    ['a carriage return in a header', get('/open', 'X-A: b\rX-B: c')],
    ['a zero in a header', get('/open', 'X-A: b\0c')],
    ['a header without a name', get('/open', ': x')],
    ['two names', lines('GET /open HTTP/1.1', 'Host: a.example', 'Host: b.example')],
    ['two names in one', lines('GET /open HTTP/1.1', 'Host: a.example, b.example')],
    ['no name', lines('GET /open HTTP/1.1')],
    ['a name that says who asks', lines('GET /open HTTP/1.1', 'Host: b.example@a.example')],
    ['a name with a path', lines('GET /open HTTP/1.1', 'Host: a.example/open')],
    ['a name with a backslash', lines('GET /open HTTP/1.1', String.raw`Host: a\b`)],
    ['another name in its address', lines('GET http://b.example/open HTTP/1.1', 'Host: a.example')],
    ['a fragment', get('/open#/../guarded')],
    ['a space in its path', get('/open /guarded')],
    ['no version', 'GET /open\r\n'],
    ['long headers', get('/open', `X-Long: ${'a'.repeat(20_000)}`)],
    ['many headers', get('/open', ...Array.from({ length: 200 }, (_, at) => `X-${at}: 1`))],
    ['a long path', get(`/open/${'a'.repeat(20_000)}`)],
    ['a broken escape', get('/open/%zz')],
    ['the end of a text in its path', get('/guarded%00')],
  ])('a request with %s is refused, and nothing behind it is asked', async (_, bytes) => {
    expect(await send(bytes)).toEqual([400])
    expect(heard).toEqual([])
  })

  test('nobody is connected to something else', async () => {
    expect(await send(lines('CONNECT a.example:80 HTTP/1.1', 'Host: a.example:80'))).toEqual([405])
    expect(heard).toEqual([])
  })

  test('what stands behind a body is no request of the same client', async () => {
    await send(post(['Content-Length: 6', 'Transfer-Encoding: chunked'], `0\r\n\r\n${behind}`))
    expect(heard.map(({ url }) => url)).toEqual(['/open'])
  })

  test.each([
    ['/guarded'],
    ['/guarded/'],
    ['/guarded?x'],
    ['/%67uarded'],
    ['/./guarded'],
    ['//guarded'],
    ['/open/../guarded'],
    ['/open/%2e%2e/guarded'],
    ['/open/%2E./guarded'],
    ['/open/..%2fguarded'],
    ['/open/%2e%2e%2Fguarded'],
    ['/open%2f..%2fguarded'],
    ['/open/..;/guarded'],
    ['/open/..;x=y/guarded'],
    ['/guarded;x=1'],
    ['/guarded;/x'],
    ['/guarded%2fx'],
    ['/%2fguarded'],
    ['/guarded%5cx'],
    [String.raw`/guarded\x`],
    [String.raw`/open/..\guarded`],
    ['/open/..%5cguarded'],
    ['http://a.example/guarded'],
    ['/secret/x'],
    ['/secret%2fx'],
    ['/secret;a/x'],
    ['/open/..%2fsecret/x'],
    ['/odd;v=1/..%2fguarded'],
  ])('%s is no way around a policy', async path => {
    const [status] = await send(get(path))
    expect([400, 401]).toContain(status)
    expect(heard).toEqual([])
  })

  test.each([
    ['/open/a%2Fb', '/open/a%2Fb'],
    ['/open/a;v=1/b', '/open/a;v=1/b'],
    ['/odd;v=1', '/odd;v=1'],
    ['/odd;v=1/x', '/odd;v=1/x'],
    ['/projects/group%2fproject/files', '/projects/group%2Fproject/files'],
    ['http://a.example/open/x?y=z', '/open/x?y=z'],
    ['/open/x;a=%2f?b=%2F;c', '/open/x;a=%2F?b=%2F;c'],
  ])('%s, which leads to the same however it is read, is asked as %s', async (path, asked) => {
    expect(await send(get(path))).toEqual([200])
    expect(heard.map(({ url }) => url)).toEqual([asked])
  })

  test('nobody says by underscores what the gateway says', async () => {
    const said = [
      'X_Consumer_Name: ann',
      'X-Consumer_Name: ann',
      'X_Forwarded-For: 10.0.0.1',
      'X-Forwarded_Proto: https',
    ]
    expect(await send(get('/open', ...said))).toEqual([200])
    expect(Object.keys(heard[0]!.headers).filter(name => name.includes('_'))).toEqual([])
  })

  const memoryMb = (): number =>
    Math.max(
      ...processesOf(haproxy.configFile).map(pid =>
        Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024),
      ),
    )

  test('clients that never end their requests cost little, and others are served beside them', async () => {
    const before = memoryMb()
    const slow: Socket[] = []
    for (let count = 0; count < 400; count++) {
      const socket = connect(haproxy.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write('GET /open HTTP/1.1\r\nHost: a.example\r\nX-Slow: ')
      slow.push(socket)
    }
    await sleep(200)
    for (const socket of slow) socket.write('a')
    expect(await send(get('/open'))).toEqual([200])
    expect(memoryMb() - before).toBeLessThan(60)
    slow.forEach(socket => socket.destroy())
  })

  test('streams that are taken back at once cost nobody anything', { timeout: 30_000 }, async () => {
    const before = memoryMb()
    for (let round = 0; round < 5; round++) {
      const session = connectHttp2(`http://127.0.0.1:${haproxy.port}`)
      session.on('error', () => {})
      for (let count = 0; count < 2000; count++) {
        if (session.destroyed || session.closed) break
        const stream = session.request({ ':path': '/open', ':authority': 'a.example' })
        stream.on('error', () => {})
        stream.close(constants.NGHTTP2_CANCEL)
        if (count % 100 === 0) await sleep(1)
      }
      session.destroy()
    }
    expect(await send(get('/open', 'Connection: close'), 10_000)).toEqual([200])
    expect(memoryMb() - before).toBeLessThan(60)
  })
})
