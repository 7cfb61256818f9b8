// Requests from outside, by Ingresses, as people use them: what leads where, what is told of what does not, and what goes
// on while things change or die.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Ingress } from '../../src/api/generated/models.ts'
import { ClusterFixture, reasonToSkipCluster, succeeded } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { underLoad } from '../../src/testing/under-load.ts'

const reason = reasonToSkipCluster()

/** Tells its name and what it was asked; ends as a service should. */
const service = (name: string): string => `
  let stopping = false
  const server = require('http').createServer((request, response) => {
    if (stopping) response.setHeader('connection', 'close')
    if (request.url === '/load') response.end(JSON.stringify({ version: '${name}' }))
    else response.end('${name} ' + request.url + ' ' + request.headers['x-forwarded-host'])
  }).listen(8080)
  server.on('upgrade', (request, socket) => {
    const secret = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
    const accept = require('crypto').createHash('sha1').update(secret).digest('base64')
    socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
    socket.pipe(socket)
  })
  process.on('SIGTERM', () => { stopping = true; setTimeout(() => process.exit(), 2000) })`

const deployment = (name: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        volumes: [{ name: 'machine', hostPath: { path: '/' } }],
        containers: [
          {
            name: 'main',
            image: 'sampan.local/busybox:1',
            command: ['chroot', '/machine', process.execPath, '-e', service(name)],
            volumeMounts: [{ name: 'machine', mountPath: '/machine', readOnly: true }],
            readinessProbe: { httpGet: { port: 8080, path: '/' }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
})
const entrance = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
})
type Led = readonly [host: string | undefined, path: string, service: string, type?: string]
const ingress = (name: string, led: readonly Led[], more: object = {}): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name },
  spec: {
    rules: led.map(([host, path, backend, pathType = 'Prefix']) => ({
      ...(host !== undefined && { host }),
      http: { paths: [{ path, pathType, backend: { service: { name: backend, port: { number: 80 } } } }] },
    })),
    ...more,
  },
})

describe.skipIf(reason !== undefined)(`Ingresses${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  beforeAll(async () => {
    cluster = await ClusterFixture.up('gateway')
    await cluster.pushBusybox()
    await apply(...['web', 'api'].flatMap(name => [deployment(name), entrance(name)]))
    await cluster.show('rollout', 'status', 'deployment/web', '--timeout=60s')
    await cluster.show('rollout', 'status', 'deployment/api', '--timeout=60s')
  })
  afterAll(() => cluster?.close())

  const apply = async (...items: object[]): Promise<void> => {
    succeeded(await cluster.kubectlWith({ apiVersion: 'v1', kind: 'List', items }, 'apply'))
  }
  const ask = (url: string, ...more: string[]): Promise<string> => {
    const { hostname, pathname } = new URL(url)
    return cluster.curl(`http://127.0.0.1${pathname}`, '--header', `Host: ${hostname}`, '--path-as-is', ...more)
  }
  const answers = (url: string, start: string): Promise<unknown> =>
    eventually(`${url}: ${start}`, async () => (await ask(url)).startsWith(start))
  const events = async (name: string): Promise<string> =>
    cluster.show(
      'get',
      'events',
      '--field-selector',
      `involvedObject.name=${name}`,
      '-o',
      'custom-columns=:.reason,:.message',
    )

  test('a port that another program has is told, and served when it is free', async () => {
    const listening = `require('http').createServer((_, answer) => answer.end('other')).listen(80, '127.0.0.1', () => console.log('listening'))`
    const other = cluster.spawn(process.execPath, ['-e', listening])
    await new Promise(resolve => other.stdout!.once('data', resolve))
    await apply(ingress('early', [['early.localhost', '/', 'web']]))
    await eventually('an event', async () =>
      (await events('early')).includes('port 80 of 127.0.0.1 is in use by another program'),
    )
    expect((await cluster.sampan('status', '--name', cluster.name)).out).toMatch(
      /^warning +requests from outside are not served: port 80/m,
    )
    other.kill('SIGKILL')
    await answers('http://early.localhost/', 'web / early.localhost')
    expect((await cluster.sampan('status', '--name', cluster.name)).out).not.toContain('not served')
  })

  test('answers by name and path, with its address in the status', async () => {
    await apply(
      ingress('shop', [
        ['shop.localhost', '/', 'web'],
        ['shop.localhost', '/api', 'api'],
        ['shop.localhost', '/one', 'api', 'Exact'],
        ['*.example.com', '/', 'api'],
        [undefined, '/load', 'api'],
      ]),
      // These come while it runs.
    )
    await answers('http://shop.localhost/', 'web / shop.localhost')
    await apply(
      ingress('odd', [
        ['shop.localhost', '/odd/semi;colon', 'api'],
        ['shop.localhost', '/odd/two words', 'api', 'Exact'],
        ['shop.localhost', '/odd/ü', 'api'],
      ]),
    )
    await answers('http://shop.localhost/', 'web / shop.localhost')
    for (const [url, text] of [
      ['http://shop.localhost/apis', 'web /apis'],
      ['http://shop.localhost/api', 'api /api'],
      ['http://shop.localhost/api/orders', 'api /api/orders'],
      ['http://shop.localhost/one', 'api /one'],
      ['http://shop.localhost/one/more', 'web /one/more'],
      ['http://a.example.com/', 'api /'],
      ['http://a.b.example.com/', 'nothing is here'],
      ['http://other.localhost/', 'nothing is here'],
    ] as const)
      expect(await ask(url), url).toMatch(new RegExp(`^${text}`))
    const { status, spec } = await cluster.json<Ingress>('get', 'ingress', 'shop')
    expect(spec.ingressClassName).toBe('sampan')
    expect(status.loadBalancer?.ingress).toMatchObject([{ ip: '127.0.0.1', ports: [{ port: 80 }, { port: 443 }] }])
    expect((await cluster.sampan('status', '--name', cluster.name)).out).toMatch(
      /^gateway\s+127\.0\.0\.1:80, 127\.0\.0\.1:443 \(TLS\)$/m,
    )
  })

  test.each([
    ['/admin/../api/x', 'api /api/x'],
    ['/x/%2e%2e/api/x', 'api /api/x'],
    ['//api//x', 'api /api/x'],
    ['/./api/x', 'api /api/x'],
    ['/%61pi/x', 'api /api/x'],
    ['/x%2fapi', 'web /x%2Fapi'],
    ['/odd/semi;colon', 'api /odd/semi;colon'],
    ['/odd/two%20words', 'api /odd/two%20words'],
    ['/odd/%c3%bc', 'api /odd/%C3%BC'],
    ['/100%', '<html><body><h1>400 Bad request'],
    ['/x%zz', '<html><body><h1>400 Bad request'],
  ])('a path that is written as %s is asked for and led as %s', async (path, text) => {
    const raw = await cluster.curl(`http://127.0.0.1${path}`, '--header', 'Host: shop.localhost', '--path-as-is')
    expect(raw).toMatch(new RegExp(`^${text}`))
  })

  test('what leads where is listed, and explained for a request', async () => {
    const { out } = succeeded(await cluster.sampan('gateway', 'routes'))
    expect(out).toMatch(/^HOST +PATH +LEADS TO +READY +OF +AT/)
    expect(out).toMatch(/^shop\.localhost +\/api +api:80 +1 +Ingress default\/shop +80, 443 TLS$/m)
    const explained = succeeded(await cluster.sampan('gateway', 'explain', 'http://shop.localhost/x/../api/orders'))
    expect(explained.out).toContain('GET shop.localhost/api/orders is taken by Ingress default/shop')
    expect(explained.out).toContain('it comes in at 127.0.0.1:80 (Ingress)')
    expect(explained.out).toContain('it leads to default/api:80, 1 instance')
    const secure = succeeded(await cluster.sampan('gateway', 'explain', 'https://shop.localhost/api'))
    expect(secure.out).toContain('it comes in at 127.0.0.1:443 (Ingress), where TLS ends')
    expect(await cluster.sampan('gateway', 'explain', 'http://other.localhost/')).toMatchObject({
      code: 1,
      err: expect.stringContaining('nothing takes GET other.localhost/, so the gateway answers 404') as string,
    })
  })

  test('a Service of the type LoadBalancer is reached at its address, and at the front', async () => {
    const ports = [{ name: 'http', port: 8088, targetPort: 8080 }]
    await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'balanced' },
      spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports },
    })
    const address = (): Promise<string> =>
      cluster.show('get', 'service', 'balanced', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}')
    await eventually('an address', async () => (await address()) !== '')
    expect(await address()).toMatch(/^127\./)
    expect(await cluster.curl(`http://${await address()}:8088/x`)).toBe('web /x undefined')
    expect(await cluster.curl('http://127.0.0.1:8088/x')).toBe('web /x undefined')
    await cluster.show('patch', 'service', 'balanced', '-p', '{"spec":{"type":"ClusterIP"}}')
    await eventually('no address', async () => (await address()) === '')
    await cluster.show('delete', 'service', 'balanced')
  })

  test('what does not work is told, and the rest of it works', async () => {
    await apply(
      ingress('half', [
        ['half.localhost', '/', 'web'],
        ['half.localhost', '/none', 'none'],
      ]),
    )
    await answers('http://half.localhost/', 'web')
    expect(await ask('http://half.localhost/none', '--write-out', '%{http_code}')).toMatch(/503$/)
    await eventually('an event', async () =>
      (await events('half')).includes('there is no service "none" in the namespace default'),
    )
    await apply(ingress('late', [['shop.localhost', '/api', 'web']]))
    await eventually('an event', async () =>
      (await events('late')).includes('shop.localhost/api is taken by the older Ingress default/shop'),
    )
    await answers('http://shop.localhost/api', 'api')
    succeeded(await cluster.kubectl('delete', 'ingress', 'half', 'late'))
    await answers('http://half.localhost/', 'nothing is here')
  })

  test('a route that HAProxy cannot read is told so, and the others are served on', async () => {
    const route = (name: string, path: object): object => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name },
      spec: {
        parentRefs: [{ name: 'sampan', namespace: 'kube-system' }],
        hostnames: [`${name}.localhost`],
        rules: [{ matches: [{ path }], backendRefs: [{ name: 'web', port: 80 }] }],
      },
    })
    // RE2 knows it, and PCRE in bytes does not.
    const unread = { type: 'RegularExpression', value: String.raw`/\x{100}+` }
    await apply(route('unread', unread), route('read', { value: '/' }))
    await answers('http://read.localhost/', 'web / read.localhost')
    const conditions = 'jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")]}'
    await eventually('its status', async () =>
      (await cluster.show('get', 'httproute', 'unread', '-o', conditions)).includes('HAProxy does not take it'),
    )
    await answers('http://shop.localhost/api', 'api')
    await apply(route('unread', { value: '/now' }))
    await answers('http://unread.localhost/now', 'web /now')
    await cluster.show('delete', 'httproute', 'read', 'unread')
  })

  test('of another class is left alone', async () => {
    await apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'other' },
      spec: { controller: 'example.com/other' },
    })
    await apply(ingress('foreign', [['foreign.localhost', '/', 'web']], { ingressClassName: 'other' }))
    await apply(ingress('ours', [['ours.localhost', '/', 'web']]))
    await answers('http://ours.localhost/', 'web')
    expect(await ask('http://foreign.localhost/')).toBe('nothing is here')
    expect((await cluster.json<Ingress>('get', 'ingress', 'foreign')).status.loadBalancer).toEqual({})
  })

  test('goes on while instances are replaced, the server is killed and HAProxy is loaded anew; streams are not cut', async () => {
    const stream = cluster.spawn(process.execPath, ['-e', streaming])
    let echoed = ''
    stream.stdout!.on('data', (part: Buffer) => (echoed += part.toString()))
    await eventually('a stream', () => echoed.includes('5\n'))
    const load = { urls: ['http://127.0.0.1/load'], keptAlive: 4, newEachTime: 4, pauseMs: 5 }
    const { failures } = await underLoad(cluster, load, async () => {
      succeeded(await cluster.kubectl('scale', 'deployment', 'api', '--replicas=3'))
      await cluster.show('rollout', 'status', 'deployment/api', '--timeout=60s')
      succeeded(await cluster.kubectl('scale', 'deployment', 'api', '--replicas=1'))
      process.kill(await cluster.serverPid(), 'SIGKILL')
      succeeded(await cluster.up())
      succeeded(await cluster.kubectl('rollout', 'restart', 'deployment', 'api'))
      await cluster.show('rollout', 'status', 'deployment/api', '--timeout=60s')
    })
    expect(failures).toEqual([])
    const before = echoed
    await eventually('the stream goes on', () => echoed.length > before.length)
    expect(echoed).not.toContain('closed')
  })

  test('comes again when HAProxy dies', async () => {
    const kill = async (): Promise<void> => {
      const pid = (await cluster.run('cat', [`/run/sampan/${cluster.name}/haproxy.pid`])).out.trim()
      process.kill(Number(pid), 'SIGKILL')
      await eventually(
        'another one',
        async () => (await cluster.run('cat', [`/run/sampan/${cluster.name}/haproxy.pid`])).out.trim() !== pid,
      )
    }
    await kill()
    await answers('http://shop.localhost/', 'web')
    await apply(ingress('again', [['again.localhost', '/', 'web']]))
    await answers('http://again.localhost/', 'web')
    // What was told to it while it ran is not lost with it, nor with the worker that it left.
    await apply(ingress('more', [['more.localhost', '/', 'web']]))
    await answers('http://more.localhost/', 'web')
    await kill()
    const configuration = `${cluster.dataDirectory}/gateway/haproxy.cfg`
    await eventually(
      'one master and its worker',
      async () => (await cluster.run('pgrep', ['-fc', configuration])).out.trim() === '2',
    )
    expect(await ask('http://more.localhost/')).toMatch(/^web/)
  })

  test('nothing of it is left after the cluster is down', async () => {
    succeeded(await cluster.down())
    expect(await cluster.leftOvers()).toEqual([])
  })
})

/** Sends a number every 100 ms over one connection that is no HTTP any more, and prints what comes back. */
const streaming = `
  const socket = require('net').connect(80, '127.0.0.1')
  socket.write('GET / HTTP/1.1\\r\\nHost: shop.localhost\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n')
  let number = 0
  socket.once('data', () => setInterval(() => socket.write(++number + '\\n'), 100))
  socket.on('data', text => process.stdout.write(text))
  socket.on('close', () => console.log('closed'))`
