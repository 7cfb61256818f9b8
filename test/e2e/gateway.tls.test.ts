// TLS at the gateway, as people use it: certificates of the own authority and of Secrets, what is told of those that cannot
// be shown, and what goes on while they are renewed. Clients are curl, openssl, ws and gRPC's own.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Ingress } from '../../src/api/generated/models.ts'
import { createAuthority, type KeyPairPem } from '../../src/server/auth/certificate-authority.ts'
import { ClusterFixture, reasonToSkipCluster, repository, succeeded } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { tlsSecret, type TlsSecret } from '../../src/testing/tls-secret.ts'

const reason = reasonToSkipCluster()

const library = (name: string): string => JSON.stringify(join(repository, 'node_modules', name))

/** Tells what it was asked with, echoes WebSockets, and answers gRPC in plain HTTP/2. */
const service = `
  process.on('SIGTERM', () => process.exit())
  const server = require('http').createServer((request, response) => {
    const { host, 'x-forwarded-proto': proto, 'x-forwarded-port': port } = request.headers
    response.end(JSON.stringify({ path: request.url, host, proto, port }))
  }).listen(8080)
  new (require(${library('ws')}).WebSocketServer)({ server }).on('connection', socket =>
    socket.on('message', text => socket.send('echo ' + text)))
  const grpc = require(${library('@grpc/grpc-js')})
  const bytes = { requestSerialize: x => x, requestDeserialize: x => x, responseSerialize: x => x, responseDeserialize: x => x }
  const rpc = new grpc.Server()
  rpc.addService(
    { say: { path: '/greeter/say', requestStream: false, responseStream: true, ...bytes } },
    { say: call => { for (const word of ['hello', 'again']) call.write(Buffer.from(word + ' ' + call.request)); call.end() } },
  )
  rpc.bindAsync('0.0.0.0:9090', grpc.ServerCredentials.createInsecure(), error => { if (error) throw error })`

const workload = [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          volumes: [{ name: 'machine', hostPath: { path: '/' } }],
          containers: [
            {
              name: 'main',
              image: 'sampan.local/busybox:1',
              command: ['chroot', '/machine', process.execPath, '-e', service],
              volumeMounts: [{ name: 'machine', mountPath: '/machine', readOnly: true }],
              readinessProbe: { tcpSocket: { port: 9090 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: {
      selector: { app: 'web' },
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'rpc', port: 9090, appProtocol: 'kubernetes.io/h2c' },
      ],
    },
  },
]

const ingress = (name: string, hosts: readonly string[], more: { tls?: readonly object[]; port?: number } = {}) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name },
  spec: {
    rules: hosts.map(host => ({
      host,
      http: {
        paths: [
          { path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: more.port ?? 80 } } } },
        ],
      },
    })),
    ...(more.tls !== undefined && { tls: more.tls }),
  },
})

describe.skipIf(reason !== undefined)(`TLS${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let second: ClusterFixture | undefined
  /** Of somebody else, as a company or Let's Encrypt. */
  let foreign: KeyPairPem
  let foreignFile: string
  beforeAll(async () => {
    cluster = await ClusterFixture.up('gateway-tls')
    await cluster.pushBusybox()
    await apply(...workload)
    foreign = await createAuthority('somebody else', 30, Date.now())
    foreignFile = join(cluster.directory, 'foreign.crt')
    succeeded(await cluster.run('tee', [foreignFile], { input: foreign.certificate }))
    await cluster.show('rollout', 'status', 'deployment/web', '--timeout=60s')
  })
  afterAll(async () => {
    await second?.close()
    await cluster?.close()
  })

  const apply = async (...items: object[]): Promise<void> => {
    succeeded(await cluster.kubectlWith({ apiVersion: 'v1', kind: 'List', items }, 'apply'))
  }
  const ownFile = (): string => join(cluster.authority, 'ca.crt')
  const ask = (url: string, authority = ownFile(), ...more: string[]): Promise<string> =>
    cluster.curl(url, '--cacert', authority, ...more)
  const answers = (url: string, authority = ownFile()): Promise<unknown> =>
    eventually(url, async () => (await ask(url, authority)).startsWith('{'))
  /** Which certificate a name is shown. */
  const fingerprint = async (name: string, port = 443): Promise<string> => {
    const script = `openssl s_client -connect 127.0.0.1:${port} -servername ${name} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256`
    return (await cluster.run('sh', ['-c', script])).out.trim()
  }
  const shows = (name: string, { data }: TlsSecret): Promise<unknown> =>
    eventually(`${name} shows it`, async () => (await fingerprint(name)) === (await fingerprintOf(data['tls.crt'])))
  const fingerprintOf = async (crt: string): Promise<string> => {
    const input = Buffer.from(crt, 'base64')
    return (await cluster.run('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], { input })).out.trim()
  }
  const secret = (name: string, ...names: string[]): Promise<TlsSecret> => tlsSecret(foreign, name, names)
  const events = (name: string): Promise<string> =>
    cluster.show('get', 'events', '--field-selector', `involvedObject.name=${name}`, '-o', 'custom-columns=:.message')
  const tells = (name: string, text: string): Promise<unknown> =>
    eventually(text, async () => (await events(name)).includes(text))
  const master = async (): Promise<number> =>
    Number((await cluster.run('cat', [`/run/sampan/${cluster.name}/haproxy.pid`])).out)
  /** Another one after it was loaded anew. */
  const worker = async (): Promise<string> => (await cluster.run('pgrep', ['-P', String(await master())])).out
  const node = (script: string) => cluster.spawn(process.execPath, ['-e', script])

  test('each host answers with a certificate of the own authority', async () => {
    await apply(ingress('shop', ['shop.localhost', '*.shop.localhost', 'shop.example.com']))
    await answers('https://shop.localhost/orders')
    expect(JSON.parse(await ask('https://shop.localhost/orders'))).toEqual({
      path: '/orders',
      host: 'shop.localhost',
      proto: 'https',
      port: '443',
    })
    expect(JSON.parse(await ask('https://a.shop.localhost/'))).toMatchObject({ host: 'a.shop.localhost' })
    expect(JSON.parse(await cluster.curl('http://shop.localhost/'))).toMatchObject({ proto: 'http', port: '80' })
    const { status } = await cluster.json<Ingress>('get', 'ingress', 'shop')
    expect(status.loadBalancer?.ingress).toEqual([
      {
        ip: '127.0.0.1',
        ports: [
          { port: 80, protocol: 'TCP' },
          { port: 443, protocol: 'TCP' },
        ],
      },
    ])
    expect((await cluster.sampan('status', '--name', cluster.name)).out).toMatch(
      /^gateway\s+127\.0\.0\.1:80, 127\.0\.0\.1:443 \(TLS\)$/m,
    )
  })

  test('it vouches for no name that somebody has on the Internet', async () => {
    const resolve = ['--resolve', 'shop.example.com:443:127.0.0.1']
    const verified = await cluster.run('curl', ['--cacert', ownFile(), ...resolve, 'https://shop.example.com/'])
    expect(verified.err).toMatch(/no alternative certificate subject name matches/)
    expect(await cluster.curl('https://shop.example.com/', '--insecure', ...resolve)).toMatch(/^{/)
  })

  test('browsers get HTTP/2, and nobody an old TLS', async () => {
    const version = ['--output', '/dev/null', '--write-out', '%{http_version}']
    expect(await ask('https://shop.localhost/', ownFile(), ...version)).toBe('2')
    expect(await ask('https://shop.localhost/', ownFile(), '--http1.1', ...version)).toBe('1.1')
    expect(await ask('https://shop.localhost/', ownFile(), '--tls-max', '1.2', ...version)).toBe('2')
    const old = ['--tlsv1.0', '--tls-max', '1.1', '--ciphers', 'DEFAULT@SECLEVEL=0', 'https://shop.localhost/']
    expect((await cluster.run('curl', ['--cacert', ownFile(), ...old])).err).toMatch(/alert protocol version/)
  })

  test('WebSockets and gRPC come through', async () => {
    await apply(ingress('rpc', ['rpc.localhost'], { port: 9090 }))
    const socket = await cluster.run(process.execPath, [
      '-e',
      `const socket = new (require(${library('ws')}))('wss://127.0.0.1/', { ca: require('fs').readFileSync('${ownFile()}'), servername: 'shop.localhost', headers: { host: 'shop.localhost' } })
       socket.on('open', () => socket.send('hello')).on('message', text => { console.log(String(text)); socket.close() })`,
    ])
    expect(socket.out).toBe('echo hello\n')
    const call = `
      const grpc = require(${library('@grpc/grpc-js')})
      const name = 'rpc.localhost'
      const client = new grpc.Client('127.0.0.1:443', grpc.credentials.createSsl(require('fs').readFileSync('${ownFile()}')),
        { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name })
      client.makeServerStreamRequest('/greeter/say', x => x, x => x, Buffer.from('you'))
        .on('data', word => console.log(String(word)))
        .on('status', ({ code }) => console.log('status ' + code))
        .on('error', () => {})`
    await eventually(
      'words',
      async () => (await cluster.run(process.execPath, ['-e', call])).out === 'hello you\nagain you\nstatus 0\n',
    )
  })

  test('an Ingress shows the certificate of its Secret, to the hosts that it names or that stand in it', async () => {
    const web = await secret('web-tls', 'web.example.com')
    const wild = await secret('wild-tls', '*.wild.example.com')
    await apply(
      web,
      wild,
      ingress('web', ['web.example.com', 'a.wild.example.com'], {
        tls: [{ hosts: ['web.example.com'], secretName: 'web-tls' }, { secretName: 'wild-tls' }],
      }),
    )
    await shows('web.example.com', web)
    await shows('a.wild.example.com', wild)
    const resolve = ['--resolve', 'web.example.com:443:127.0.0.1', '--resolve', 'a.wild.example.com:443:127.0.0.1']
    for (const host of ['web.example.com', 'a.wild.example.com'])
      expect(JSON.parse(await ask(`https://${host}/`, foreignFile, ...resolve))).toMatchObject({ host })
    expect(await ask('https://shop.localhost/')).toMatch(/^{/)
  })

  test('plain requests are sent to where TLS is, where an Ingress asks for it', async () => {
    const asking = ingress('asking', ['asking.localhost'])
    const annotations = { 'ingress.kubernetes.io/ssl-redirect': 'true' }
    await apply({ ...asking, metadata: { ...asking.metadata, annotations } })
    await answers('https://asking.localhost/')
    const where = ['--output', '/dev/null', '--write-out', '%{http_code} %{redirect_url}']
    await eventually(
      'it is sent there',
      async () =>
        (await ask('http://asking.localhost/a?b=c', ownFile(), ...where)) === '308 https://asking.localhost/a?b=c',
    )
    expect(JSON.parse(await ask('http://asking.localhost/a?b=c', ownFile(), '--location'))).toMatchObject({
      path: '/a?b=c',
      proto: 'https',
    })
    expect(await ask('http://shop.localhost/', ownFile(), ...where)).toBe('200 ')
  })

  test('a listener of a Gateway shows the certificate that it refers to', async () => {
    const own = await secret('gateway-tls', 'gateway.example.com')
    await apply(
      own,
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        metadata: { name: 'secure' },
        spec: {
          gatewayClassName: 'sampan',
          listeners: [
            {
              name: 'https',
              port: 443,
              protocol: 'HTTPS',
              hostname: 'gateway.example.com',
              tls: { certificateRefs: [{ name: 'gateway-tls' }] },
            },
          ],
        },
      },
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: 'secure' },
        spec: { parentRefs: [{ name: 'secure' }], rules: [{ backendRefs: [{ name: 'web', port: 80 }] }] },
      },
    )
    await shows('gateway.example.com', own)
    const resolve = ['--resolve', 'gateway.example.com:443:127.0.0.1']
    await eventually('it answers', async () =>
      (await ask('https://gateway.example.com/', foreignFile, ...resolve)).startsWith('{'),
    )
    expect(await ask('https://shop.localhost/')).toMatch(/^{/)
  })

  test('a certificate that is renewed is shown at once; nothing is loaded anew, and no connection is cut', async () => {
    const steady = node(steadyClient(foreignFile, 'web.example.com'))
    let said = ''
    steady.stdout!.on('data', (part: Buffer) => (said += part.toString()))
    await eventually('it asks', () => said.includes('begun'))
    const before = await worker()
    for (let turn = 0; turn < 5; turn++) {
      const renewed = await secret('web-tls', 'web.example.com')
      await apply(renewed)
      await shows('web.example.com', renewed)
    }
    // One that is new, and one that goes.
    const late = await secret('late-tls', 'late.localhost')
    await apply(ingress('late', ['late.localhost'], { tls: [{ secretName: 'late-tls' }] }))
    await answers('https://late.localhost/')
    await apply(late)
    await shows('late.localhost', late)
    succeeded(await cluster.kubectl('delete', 'secret', 'late-tls'))
    await answers('https://late.localhost/')
    expect(await worker()).toBe(before)
    steady.stdin!.end()
    await eventually('its end', () => said.includes('ended'))
    expect(said).toMatch(/^begun\n\d+ asked, 0 failed\nended\n$/)
  })

  test('what cannot be shown is told, and the rest is served on with the own authority', async () => {
    const good = await secret('other', 'half.localhost')
    const opaque = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'empty' }, data: {} }
    const keyless = {
      ...good,
      metadata: { name: 'mixed' },
      data: { ...good.data, 'tls.key': (await secret('x', 'x.test')).data['tls.key'] },
    }
    const old = await tlsSecret(foreign, 'old', ['half.localhost'], { nowMs: Date.now() - 40 * 86_400_000 })
    await apply(opaque, keyless, old)
    const using = (secretName: string) => ingress('half', ['half.localhost'], { tls: [{ secretName }] })
    for (const [name, text] of [
      ['none', 'there is no Secret "none" in the namespace default'],
      ['empty', 'the Secret "empty" has no tls.crt'],
      ['mixed', 'the Secret "mixed" has a tls.key that is not the one of its tls.crt'],
      ['old', 'the Secret "old" holds a certificate that expired on'],
      ['web-tls', 'is not for half.localhost, but for web.example.com'],
    ] as const) {
      const named = using(name)
      if (name === 'web-tls') named.spec.tls = [{ secretName: name, hosts: ['half.localhost'] }]
      await apply(named)
      await tells('half', text)
      await answers('https://half.localhost/')
    }
    await apply(good, using('other'))
    await shows('half.localhost', good)
  })

  test('keys are nowhere but in files that only root can read', async () => {
    const certificates = join(cluster.dataDirectory, 'gateway', 'certificates')
    const files = readdirSync(certificates)
    expect(files.some(file => file.includes('default.web-tls'))).toBe(true)
    expect(files.some(file => file.includes('late-tls'))).toBe(false)
    for (const file of files) expect(statSync(join(certificates, file)).mode & 0o777, file).toBe(0o600)
    expect(statSync(certificates).mode & 0o777).toBe(0o700)
    for (const log of ['server.log', 'gateway/haproxy.log'])
      expect(readFileSync(join(cluster.dataDirectory, log), 'utf8')).not.toMatch(/PRIVATE KEY|BEGIN CERTIFICATE/)
  })

  test('certificates stay when everything is killed, and HAProxy comes again with those of now', async () => {
    const names = ['shop.localhost', 'web.example.com', 'half.localhost', 'nothing.test']
    const all = (): Promise<string[]> => Promise.all(names.map(name => fingerprint(name)))
    const before = await all()
    expect(new Set(before).size).toBe(names.length)
    process.kill(await cluster.serverPid(), 'SIGKILL')
    for (const pid of [await master(), ...(await worker()).trim().split('\n').map(Number)]) process.kill(pid, 'SIGKILL')
    succeeded(await cluster.up())
    await answers('https://shop.localhost/')
    expect(await all()).toEqual(before)
  })

  test('another cluster has other ports and the same authority', async () => {
    second = new ClusterFixture('gateway-tls-two', cluster.namespace)
    second.authority = cluster.authority
    succeeded(await second.up('--api-port', '0'))
    succeeded(await second.kubectlWith(ingress('two', ['two.localhost']), 'apply'))
    await eventually('it answers', async () => (await ask('https://two.localhost:8443/')).includes('503'))
    expect((await second.sampan('status', '--name', second.name)).out).toMatch(
      /^gateway\s+127\.0\.0\.1:8080, 127\.0\.0\.1:8443 \(TLS\)$/m,
    )
    // The port is kept.
    succeeded(await cluster.down())
    succeeded(await second.restartServer('--api-port', '0'))
    expect(await ask('https://two.localhost:8443/')).toContain('503')
  })
})

/** Asks over one connection of HTTP/2 that stays, one WebSocket that stays, and new connections, until its input ends. */
const steadyClient = (authority: string, host: string): string => `
  const ca = require('fs').readFileSync('${authority}')
  const options = { ca, servername: '${host}' }
  const session = require('http2').connect('https://127.0.0.1', { ...options })
  const socket = new (require(${library('ws')}))('wss://127.0.0.1/', { ...options, headers: { host: '${host}' } })
  let asked = 0, failed = 0, going = true
  const cut = () => { if (going) failed++ }
  session.on('close', cut).on('error', cut)
  socket.on('close', cut).on('error', cut)
  const overSession = () => new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/', ':authority': '${host}' })
    stream.on('response', headers => headers[':status'] === 200 ? resolve() : reject()).on('error', reject).resume()
  })
  const overSocket = () => new Promise(resolve => { socket.once('message', resolve); socket.send('x') })
  const anew = () => new Promise((resolve, reject) => {
    const asking = require('https').get({ host: '127.0.0.1', path: '/', agent: false, headers: { host: '${host}' }, ...options }, answer => {
      answer.resume().on('end', () => answer.statusCode === 200 ? resolve() : reject())
    })
    asking.on('error', reject)
  })
  const worker = async ask => { while (going) { asked++; await ask().catch(() => failed++); await new Promise(next => setTimeout(next, 5)) } }
  socket.on('open', async () => {
    console.log('begun')
    await Promise.all([overSession, overSocket, anew, anew].map(worker))
    console.log(asked + ' asked, ' + failed + ' failed\\nended')
    process.exit()
  })
  process.stdin.resume().on('end', () => { going = false })`
