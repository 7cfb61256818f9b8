// What a gateway does with requests before their service gets them, and with answers: real requests through the real
// HAProxy, to services of this process.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect as connectHttp2, constants, createServer as createHttp2Server, type Http2Server } from 'node:http2'
import { connect, createServer as createTcpServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Client,
  credentials,
  Metadata,
  Server as GrpcServer,
  ServerCredentials,
  status,
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
} from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Handling, PathChange, Redirect } from '../../src/gateway/model/model.ts'
import { eventually } from '../../src/testing/eventually.ts'
import {
  HandlingGateway,
  listening,
  tellingService,
  type Handled,
  type Told,
} from '../../src/testing/handled-requests.ts'

const reason = spawnSync('haproxy', ['-v']).error === undefined ? undefined : 'there is no haproxy'

const prefix = (from: string, to: string): PathChange => ({ kind: 'prefix', prefix: from, value: to })
const redirect = (more: Partial<Redirect> = {}): Handling => ({
  redirect: { status: 302, scheme: 'http', port: 80, ...more },
})
const noChanges = { set: [], add: [], remove: [] }
const cors = {
  credentials: false,
  methods: ['GET', 'PUT'],
  headers: ['x-a', 'x-b'],
  exposed: ['x-c'],
  maxAgeSeconds: 5,
}

describe.skipIf(reason !== undefined)(`a gateway${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let gateway: HandlingGateway
  let served: Readonly<Record<string, Handled>>
  const closing: { close(): unknown }[] = []
  const copies: Record<string, Told[]> = { one: [], two: [] }
  let isFailing: (url: string) => number | undefined = () => undefined

  beforeAll(async () => {
    const [service, one, two] = [
      await tellingService(),
      await tellingService(told => copies['one']!.push(told)),
      await tellingService(told => copies['two']!.push(told)),
    ]
    const answering = await listening(
      createServer((_request, response) => {
        response.setHeader('Access-Control-Allow-Origin', 'https://service.example')
        response.setHeader('access-control-allow-methods', 'DELETE')
        response.setHeader('X-Given', 'service')
        response.setHeader('X-Gone', 'service')
        response.end('answered')
      }),
    )
    const failing = await listening(
      createServer((request, response) => {
        const status = isFailing(request.url!)
        if (status === undefined) response.end('in the end')
        else if (status === 0) request.socket.destroy()
        else response.writeHead(status).end('failed')
      }),
    )
    const silent = await listening(createTcpServer(socket => void socket.on('error', () => {})))
    const late = await listening(createServer((_request, response) => void sleep(400).then(() => response.end('late'))))
    const grpc = grpcService()
    const grpcPort = await new Promise<number>((resolve, reject) =>
      grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    )
    const plainHttp2 = await http2Service()
    const sockets = await socketService()
    closing.push(service, one, two, answering, failing, late, plainHttp2, sockets)
    closing.push({ close: () => grpc.forceShutdown() }, silent)
    const by = (handling: Handling, port = service.port): Handled => ({ port, handling })
    served = {
      'to-https': { handling: redirect({ status: 301, scheme: 'https', port: 443 }) },
      'to-host': { handling: redirect({ host: 'other.example', port: 8080 }) },
      'to-8443': { handling: redirect({ status: 308, scheme: 'https', port: 8443 }) },
      old: { handling: redirect({ status: 307, path: prefix('/old', '/new') }) },
      'old-root': { handling: redirect({ status: 303, path: prefix('/old-root', '/') }) },
      'old-whole': { handling: redirect({ host: 'a.example', path: { kind: 'whole', value: '/50%/x y' } }) },
      headers: by({
        requestHeaders: [
          { set: [{ name: 'X-Set', value: '100% %[src] "a" \'b\' ${HOME} #c \\ {}' }], add: [], remove: [] },
          {
            set: [{ name: 'x-twice', value: 'second' }],
            add: [
              { name: 'X-Add', value: 'added' },
              { name: 'X-Add', value: 'ü' },
            ],
            remove: ['X-REMOVE'],
          },
          { ...noChanges, set: [{ name: 'X-Twice', value: 'third' }] },
        ],
      }),
      answers: by(
        {
          responseHeaders: [
            { set: [{ name: 'x-given', value: '%T' }], add: [{ name: 'X-More', value: '1' }], remove: ['x-gone'] },
            { ...noChanges, add: [{ name: 'X-More', value: '2' }] },
          ],
        },
        answering.port,
      ),
      hosted: by({ rewrite: { host: 'inner.example' } }),
      moved: by({ rewrite: { path: prefix('/moved', '/to/here%21') } }),
      'moved-root': by({ rewrite: { path: prefix('/moved-root/', '/') } }),
      whole: by({ rewrite: { host: 'inner.example', path: { kind: 'whole', value: '/all' } } }),
      everything: by({
        requestHeaders: [{ ...noChanges, set: [{ name: 'Host', value: 'by-header.example' }] }],
        rewrite: { path: prefix('/everything', '') },
      }),
      cors: by(
        {
          cors: { ...cors, origins: ['https://shop.example', 'https://*.pages.example', 'http://*.port.example:8080'] },
        },
        answering.port,
      ),
      'cors-any': by(
        { cors: { ...cors, origins: ['*'], methods: ['*'], headers: ['*'], exposed: ['*'] } },
        answering.port,
      ),
      'cors-credentials': by(
        { cors: { ...cors, origins: ['*'], methods: ['*'], headers: ['*'], exposed: ['*'], credentials: true } },
        answering.port,
      ),
      'cors-down': { handling: { cors: { ...cors, origins: ['https://shop.example:443'] } } },
      'mirror-one': { port: one.port },
      'mirror-two': { port: two.port },
      'mirror-silent': { port: silent.port },
      mirrored: by({
        requestHeaders: [{ ...noChanges, set: [{ name: 'X-Set', value: 'by the gateway' }] }],
        mirrors: [
          { backend: 'mirror-one', share: 1 },
          { backend: 'mirror-two', share: 1 },
        ],
      }),
      'mirrored-half': by({ mirrors: [{ backend: 'mirror-one', share: 0.5 }] }),
      'mirrored-to-silent': by({ mirrors: [{ backend: 'mirror-silent', share: 1 }] }),
      'mirrored-to-self': by({ mirrors: [{ backend: 'mirrored-to-self', share: 1 }] }, one.port),
      'timed-out': by({ timeoutMs: 100 }, late.port),
      'in-time': by({ timeoutMs: 5_000 }, late.port),
      retried: by({ retry: { attempts: 2, codes: [500, 503] } }, failing.port),
      'retried-late': by({ timeoutMs: 100, retry: { attempts: 1, codes: [504] } }, late.port),
      'never-again': by({ retry: { attempts: 0, codes: [500] } }, failing.port),
      'test.Echo': { port: grpcPort, protocol: 'h2' },
      h2: { port: plainHttp2.port, protocol: 'h2' },
      sockets: by({ timeoutMs: 200, responseHeaders: [noChanges] }, sockets.port),
    }
    // After those that take any port that is free.
    gateway = await HandlingGateway.start()
    await gateway.bring(served)
  })
  afterAll(async () => {
    await gateway?.close()
    for (const each of closing) each.close()
  })

  test.each([
    ['/to-https/a?b=c', 301, 'https://shop.localhost/to-https/a?b=c'],
    ['/to-host/a', 302, 'http://other.example:8080/to-host/a'],
    ['/to-8443', 308, 'https://shop.localhost:8443/to-8443'],
    ['/old', 307, 'http://shop.localhost/new'],
    ['/old/', 307, 'http://shop.localhost/new/'],
    ['/old/x/y?q=%20', 307, 'http://shop.localhost/new/x/y?q=%20'],
    ['/old-root', 303, 'http://shop.localhost/'],
    ['/old-root/', 303, 'http://shop.localhost/'],
    ['/old-root/x', 303, 'http://shop.localhost/x'],
    ['/old-root//evil.example/', 303, 'http://shop.localhost/evil.example/'],
    ['/old-whole/x?q', 302, 'http://a.example/50%25/x%20y?q'],
  ])('%s is redirected with %i to %s', async (path, status, location) => {
    const answer = await gateway.ask(path)
    expect([answer.status, answer.headers.location]).toEqual([status, location])
  })

  test('headers of requests are set, added and removed, word for word and one after the other', async () => {
    const sent = ['x-set', 'client', 'x-twice', 'client', 'x-add', 'client', 'x-remove', '1', 'X-Remove', '2']
    const { told } = await gateway.ask('/headers', { headers: sent })
    expect(told.headers).toMatchObject({
      'x-set': '100% %[src] "a" \'b\' ${HOME} #c \\ {}',
      'x-twice': 'third',
      'x-add': `client, added, ${Buffer.from('ü').toString('latin1')}`,
    })
    expect(told.headers).not.toHaveProperty('x-remove')
  })

  test('headers of answers are set, added and removed', async () => {
    const { headers, text } = await gateway.ask('/answers')
    expect(text).toBe('answered')
    expect(headers).toMatchObject({ 'x-given': '%T', 'x-more': '1, 2' })
    expect(headers).not.toHaveProperty('x-gone')
  })

  test.each([
    ['/hosted/a?b', '/hosted/a?b', 'inner.example'],
    ['/moved/a?b=%2F', '/to/here%21/a?b=%2F', undefined],
    ['/moved', '/to/here%21', undefined],
    ['/moved/', '/to/here%21/', undefined],
    ['/moved-root/a', '/a', undefined],
    ['/moved-root', '/', undefined],
    ['/whole/a/b?c=d', '/all?c=d', 'inner.example'],
    ['/everything/%61/../b', '/b', 'by-header.example'],
  ])('%s is rewritten to %s', async (path, url, host) => {
    const { told } = await gateway.ask(path)
    const asked = `shop.localhost:${gateway.port}`
    expect(told.url).toBe(url)
    expect(told.headers).toMatchObject({ host: host ?? asked, 'x-forwarded-host': asked })
  })

  test.each([
    ['shop.localhost', '/hosted/x', 200, '/hosted/x'],
    ['SHOP.localhost', '/hosted/x', 200, '/hosted/x'],
    ['shop.localhost', '/%68osted/y/../x', 200, '/hosted/x'],
    ['shop.localhost', '/hostedx', 404, ''],
    ['shop.localhost', '/hosted/?x', 200, '/hosted/?x'],
    ['other.localhost', '/hosted', 200, '/hosted'],
    // A name with a slash does not become a part of the path.
    ['shop.localhost/hosted', '/x', 400, ''],
    ['*/hosted', '/x', 400, ''],
    ['shop.localhost/hosted', '/', 400, ''],
  ])('%s%s is answered with %i', async (host, path, status, url) => {
    const answer = await gateway.ask(path, { host })
    expect([answer.status, answer.told.url]).toEqual([status, url])
  })

  const preflight = (path: string, origin: string, headers?: string): ReturnType<HandlingGateway['ask']> =>
    gateway.ask(path, {
      method: 'OPTIONS',
      headers: [
        'Origin',
        origin,
        'Access-Control-Request-Method',
        'PUT',
        ...(headers === undefined ? [] : ['Access-Control-Request-Headers', headers]),
      ],
    })
  const allowed = ({ headers }: { headers: object }): object =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => /^access-control-|^vary$/.test(name)))

  test.each([
    'https://shop.example',
    'https://a.pages.example',
    'https://a.b.pages.example',
    'http://x.port.example:8080',
  ])('browsers may ask from %s', async origin => {
    const answer = await preflight('/cors/x', origin, 'x-a')
    expect([answer.status, answer.text]).toEqual([200, ''])
    expect(allowed(answer)).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'x-a, x-b',
      'access-control-expose-headers': 'x-c',
      'access-control-max-age': '5',
    })
    const asked = await gateway.ask('/cors/x', { headers: ['Origin', origin] })
    expect(asked.text).toBe('answered')
    expect(allowed(asked)).toEqual({
      vary: 'Origin',
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'x-c',
    })
  })

  test.each([
    'http://shop.example',
    'https://shop.example.evil.example',
    'https://shop.example:444',
    'https://pages.example',
    'https://evilpages.example',
    'https://a.pages.example:8443',
    'https://evil.example/.pages.example',
    'null',
  ])('browsers may not ask from %s', async origin => {
    const answer = await preflight('/cors', origin)
    expect([answer.status, allowed(answer)]).toEqual([200, { vary: 'Origin' }])
    expect(allowed(await gateway.ask('/cors', { headers: ['Origin', origin] }))).toEqual({ vary: 'Origin' })
  })

  test('browsers may ask from anywhere, with credentials each by its name', async () => {
    const star = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' }
    const age = { 'access-control-max-age': '5' }
    const methods = { 'access-control-allow-methods': '*', 'access-control-allow-headers': '*' }
    expect(allowed(await preflight('/cors-any', 'https://a.example', 'x-q'))).toEqual({ ...star, ...methods, ...age })
    expect(allowed(await gateway.ask('/cors-any'))).toEqual(star)
    const named = {
      vary: 'Origin',
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-credentials': 'true',
    }
    const asked = await preflight('/cors-credentials', 'https://a.example', 'x-q, x-r')
    expect(allowed(asked)).toMatchObject({
      ...named,
      ...age,
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'x-q, x-r',
    })
    expect(allowed(await preflight('/cors-credentials', 'https://a.example'))).not.toHaveProperty(
      'access-control-allow-headers',
    )
    const answer = await gateway.ask('/cors-credentials', { headers: ['Origin', 'https://a.example'] })
    expect(allowed(answer)).toMatchObject(named)
    expect(answer.headers['access-control-expose-headers']).toMatch(/\bx-given\b/)
  })

  test('OPTIONS that is no preflight goes to the service; errors of the gateway may be read', async () => {
    expect((await gateway.ask('/cors', { method: 'OPTIONS' })).text).toBe('answered')
    expect((await gateway.ask('/cors', { method: 'OPTIONS', headers: ['Origin', 'https://a.example'] })).text).toBe(
      'answered',
    )
    const down = await gateway.ask('/cors-down', { headers: ['Origin', 'https://shop.example'] })
    expect([down.status, down.headers['access-control-allow-origin']]).toEqual([503, 'https://shop.example'])
  })

  const copiesOf = (path: string, of: keyof typeof copies = 'one'): Told[] =>
    copies[of]!.filter(({ url }) => url === path)

  test('a request is copied to each mirror as its service gets it', async () => {
    const body = Buffer.alloc(300_000, 'abcdefghijk')
    const { told } = await gateway.ask('/mirrored/%61?b=c', {
      method: 'PATCH',
      headers: ['X-Two', '1', 'X-Two', '2', 'Cookie', 'a=b', 'Connection', 'keep-alive', 'X-Sampan-Mirror', 'mirrored'],
      body,
    })
    for (const of of ['one', 'two']) {
      await eventually('a copy', () => copiesOf('/mirrored/a?b=c', of).length > 0)
      const [copy] = copiesOf('/mirrored/a?b=c', of)
      expect(copy!.method).toBe('PATCH')
      expect(copy!.body === body.toString()).toBe(true)
      const { connection: _connection, 'x-sampan-mirror': _mirror, ...headers } = told.headers
      expect(copy!.headers).toMatchObject({ ...headers, 'x-set': 'by the gateway', 'x-forwarded-for': '127.0.0.1' })
      expect(copy!.headers).not.toHaveProperty('x-sampan-mirror')
    }
  })

  test('a request that comes in pieces is copied when it is complete, and one that is too large is not', async () => {
    const large = Buffer.alloc(2_000_000, 'x')
    expect((await gateway.ask('/mirrored/large', { method: 'POST', body: large })).told.body).toHaveLength(2_000_000)
    expect((await gateway.ask('/mirrored/empty', { method: 'POST', body: '' })).status).toBe(200)
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write('POST /mirrored/pieces HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    await sleep(50)
    socket.write('2\r\nde\r\n0\r\n\r\n')
    await eventually('a copy', () => copiesOf('/mirrored/pieces').length > 0)
    socket.destroy()
    expect(copiesOf('/mirrored/pieces')[0]).toMatchObject({ method: 'POST', body: 'abcde' })
    expect(copiesOf('/mirrored/empty')).toHaveLength(1)
    expect(copiesOf('/mirrored/large')).toEqual([])
  })

  test('a share of requests is copied', async () => {
    for (let round = 0; round < 20; round++)
      await Promise.all(Array.from({ length: 10 }, () => gateway.ask('/mirrored-half')))
    await sleep(100)
    // Beyond these it is one time in 10^11.
    expect(copiesOf('/mirrored-half').length).toBeGreaterThan(50)
    expect(copiesOf('/mirrored-half').length).toBeLessThan(150)
  })

  test('a mirror that never answers keeps nobody waiting, however many requests there are', async () => {
    const answers = await Promise.all(
      Array.from({ length: 600 }, async (_each, index) => {
        await sleep(index)
        return gateway.ask('/mirrored-to-silent')
      }),
    )
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect((await gateway.ask('/mirrored/after')).status).toBe(200)
  })

  test('copies go where their backend has its servers, without a load', async () => {
    const { 'mirror-one': moved, ...rest } = served
    expect(await gateway.bring({ ...rest, 'mirror-one': served['mirror-two']! })).toBe('commands')
    await gateway.ask('/mirrored/moved')
    await eventually('two copies', () => copiesOf('/mirrored/moved', 'two').length === 2)
    expect(await gateway.bring({ ...rest, 'mirror-one': moved! })).toBe('commands')
    expect(await gateway.bring({ ...served, timed: { handling: { timeoutMs: 1 } } })).toBe('load')
    await gateway.ask('/mirrored/loaded')
    await eventually('a copy for each', () =>
      ['one', 'two'].every(each => copiesOf('/mirrored/loaded', each).length === 1),
    )
    expect(copiesOf('/mirrored/moved')).toEqual([])
  })

  test('a copy is not copied', async () => {
    await gateway.ask('/mirrored-to-self')
    await eventually('a copy', () => copiesOf('/mirrored-to-self').length === 2)
    await sleep(50)
    expect(copiesOf('/mirrored-to-self')).toHaveLength(2)
  })

  test('an answer that does not come in time is 504', async () => {
    expect((await gateway.ask('/timed-out')).status).toBe(504)
    expect((await gateway.ask('/in-time')).text).toBe('late')
    expect((await gateway.ask('/retried-late')).status).toBe(504)
  })

  const failingTimes = (times: number, status: number): (() => number) => {
    let asked = 0
    isFailing = () => (asked++ < times ? status : undefined)
    return () => asked
  }

  test.each([
    ['/retried', 500, 2, 200, 3],
    ['/retried', 503, 3, 503, 3],
    ['/retried', 502, 1, 502, 1],
    ['/retried', 0, 1, 200, 2],
    ['/never-again', 500, 1, 500, 1],
  ])(
    '%s, failing with %i for %i times, is answered with %i after %i attempts',
    async (path, failure, times, status, attempts) => {
      const asked = failingTimes(times, failure)
      expect((await gateway.ask(path, { method: 'POST', body: 'again' })).status).toBe(status)
      expect(asked()).toBe(attempts)
    },
  )

  test('HTTP/2 without TLS goes to services of either kind', async () => {
    const session = connectHttp2(`http://127.0.0.1:${gateway.port}`)
    const ask = (path: string): Promise<{ status: unknown; text: string }> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': path, ':authority': 'shop.localhost' })
        let status: unknown
        let text = ''
        stream.on('response', headers => (status = headers[constants.HTTP2_HEADER_STATUS]))
        stream.on('data', (part: Buffer) => (text += part.toString()))
        stream.on('end', () => resolve({ status, text })).on('error', reject)
      })
    expect(await ask('/h2/x')).toEqual({ status: 200, text: '2.0 /h2/x' })
    expect(JSON.parse((await ask('/moved/x?y')).text)).toMatchObject({ url: '/to/here%21/x?y' })
    expect((await ask('/mirrored/h2')).status).toBe(200)
    await eventually('a copy', () => copiesOf('/mirrored/h2').length > 0)
    session.close()
    expect((await gateway.ask('/h2/from-1')).text).toBe('2.0 /h2/from-1')
  })

  test('gRPC passes with its metadata, trailers and streams', async () => {
    const client = new Client(`127.0.0.1:${gateway.port}`, credentials.createInsecure())
    const metadata = new Metadata()
    metadata.set('x-asked', 'this')
    const same = (buffer: Buffer): Buffer => buffer
    const { promise, resolve } = Promise.withResolvers<object>()
    let trailer: unknown
    const call = client.makeUnaryRequest(
      '/test.Echo/Say',
      same,
      same,
      Buffer.from('hello'),
      metadata,
      (error, answer) => resolve({ error, answer: answer?.toString() }),
    )
    call.on('status', ({ metadata: trailers }) => (trailer = trailers.get('x-trailer')[0]))
    expect(await promise).toEqual({ error: null, answer: 'hello this' })
    await eventually('a status', () => trailer === 'at the end')
    const failed = await new Promise<{ code: number; details: string }>(done =>
      client.makeUnaryRequest('/test.Echo/Fail', same, same, Buffer.from(''), error => done(error!)),
    )
    expect([failed.code, failed.details]).toEqual([9, 'not now'])
    const stream = client.makeBidiStreamRequest<Buffer, Buffer>('/test.Echo/Converse', same, same)
    const heard: string[] = []
    stream.on('data', (part: Buffer) => heard.push(part.toString()))
    stream.write(Buffer.from('one'))
    await eventually('an answer before the end', () => heard.length === 1)
    stream.write(Buffer.from('two'))
    stream.end()
    await new Promise(done => stream.on('end', done))
    expect(heard).toEqual(['one', 'two'])
    client.close()
  })

  test('a client says neither who asked, nor that another protocol comes now', async () => {
    const headers = [
      ['X-Forwarded-For', '6.6.6.6'],
      ['Forwarded', 'for=6.6.6.6'],
      ['X-Real-IP', '6.6.6.6'],
      ['Proxy', 'evil.example'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
    ].flat()
    const { told } = await gateway.ask('/hosted/x', { headers: [...headers, 'Connection', 'Upgrade, HTTP2-Settings'] })
    expect(told.headers['x-forwarded-for']).toBe('127.0.0.1')
    for (const name of ['forwarded', 'x-real-ip', 'proxy', 'upgrade', 'http2-settings'])
      expect(told.headers[name]).toBeUndefined()
  })

  test.each([
    ['one.localhost,evil.example', 400],
    ['evil.example, one.localhost', 400],
    ['one.localhost.', 200],
  ])('the name %s is answered with %i', async (host, status) => {
    expect((await gateway.ask('/hosted/x', { host })).status).toBe(status)
  })

  test('WebSockets pass, for longer than an answer may take', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/sockets`)
    const heard: unknown[] = []
    socket.addEventListener('message', ({ data }) => heard.push(data))
    await once(socket, 'open')
    socket.send('first')
    await eventually('an echo', () => heard.length === 1)
    await sleep(500)
    socket.send('second')
    await eventually('another echo', () => heard.length === 2)
    expect(heard).toEqual(['first', 'second'])
    socket.close()
  })
})

function grpcService(): GrpcServer {
  const server = new GrpcServer()
  const same = (buffer: Buffer): Buffer => buffer
  const method = (path: string, isStream: boolean): MethodDefinition<Buffer, Buffer> => ({
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  })
  const say: handleUnaryCall<Buffer, Buffer> = ({ request, metadata }, callback) => {
    const trailers = new Metadata()
    trailers.set('x-trailer', 'at the end')
    callback(null, Buffer.from(`${request.toString()} ${String(metadata.get('x-asked')[0])}`), trailers)
  }
  const fail: handleUnaryCall<Buffer, Buffer> = (_call, callback) =>
    callback({ code: status.FAILED_PRECONDITION, details: 'not now' })
  const converse: handleBidiStreamingCall<Buffer, Buffer> = call => {
    call.on('data', (part: Buffer) => call.write(part))
    call.on('end', () => call.end())
  }
  server.addService(
    {
      say: method('/test.Echo/Say', false),
      fail: method('/test.Echo/Fail', false),
      converse: method('/test.Echo/Converse', true),
    },
    { say, fail, converse },
  )
  return server
}

const http2Service = (): Promise<Http2Server & { readonly port: number }> =>
  listening(createHttp2Server((request, response) => void response.end(`${request.httpVersion} ${request.url}`)))

async function socketService(): Promise<Server & { readonly port: number }> {
  const { WebSocketServer } = await import('ws')
  const server = createServer()
  new WebSocketServer({ server }).on('connection', socket =>
    socket.on('message', data => socket.send(data, { binary: false })),
  )
  return listening(server)
}
