// Two API servers on one store, each with the agent of one node: whichever is asked, the one of the pod's
// node answers, to the same user.
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Endpoints, Node, Pod } from '../../src/api/generated/models.ts'
import { clusterRoleBindings, endpoints, nodes, pods, serviceAccounts, services } from '../../src/api/resources.ts'
import { signCertificate, type KeyPairPem } from '../../src/server/auth/certificate-authority.ts'
import type { FindPeer } from '../../src/server/outgoing/peers.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { SpdySession } from '../../src/streams/spdy/session.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import { processStreams } from '../../src/testing/process-streams.ts'

const core = '/api/v1/namespaces/default'
let first: TestServer
let second: TestServer
let echo: Server
let web: ReturnType<typeof createHttpServer>
let jane: KeyPairPem
const portOf = (server: Server): number => (server.address() as AddressInfo).port
/** Which node's servers are reached, and where. */
const peers = new Map<string, number>()
const peerBut =
  (own: string): FindPeer =>
  name =>
    name === own || !peers.has(name) ? undefined : { host: '127.0.0.1', port: peers.get(name)! }
/** What each server dialed itself. */
const dialed: string[] = []

beforeAll(async () => {
  const store = new MemoryStore()
  echo = createServer(socket => socket.pipe(socket)).listen(0, '127.0.0.1')
  web = createHttpServer((request, response) => void response.end(`web ${request.url}`)).listen(0, '127.0.0.1')
  await Promise.all([once(echo, 'listening'), once(web, 'listening')])
  const start = (own: string): Promise<TestServer> => {
    const agent = processStreams({ logs: `one of ${own}\ntwo of ${own}\n`, port: () => portOf(echo) })
    return startTestServer({
      store,
      findPeer: peerBut(own),
      findNodeStreams: name =>
        name === own
          ? { ...agent, endpoint: async path => ({ status: 200, contentType: 'text/plain', body: `${own} ${path}` }) }
          : undefined,
      reach: ({ host }) => {
        dialed.push(`${own} ${host}`)
        return { host: '127.0.0.1', port: portOf(web) }
      },
    })
  }
  first = await start('a')
  second = await start('b')
  peers.set('a', first.port).set('b', second.port)
  jane = await signCertificate(
    first.keys.authority,
    { commonName: 'jane', organizations: ['a,system:masters', 'métier'], usage: 'client', days: 1 },
    Date.now(),
  )
  const { local } = first
  await local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } })
  for (const [name, address] of [
    ['a', '10.42.0.2'],
    ['b', '10.44.0.2'],
    ['gone', '10.46.0.2'],
  ] as const) {
    const node = await local.create(nodes, { metadata: { name }, spec: {} })
    await local.update(
      nodes,
      {
        ...node,
        status: {
          addresses: [{ type: 'InternalIP', address: address.replace('0.2', '255.254') }],
          daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
        },
      } as Node,
      { subresource: 'status' },
    )
    const pod = await local.create(pods, {
      metadata: { namespace: 'default', name: `on-${name}` },
      spec: { nodeName: name, containers: [{ name: 'c', image: 'x:1', ports: [{ containerPort: 80 }] }] },
    })
    await local.update(
      pods,
      { ...pod, status: { ...pod.status, phase: 'Running', podIP: address, podIPs: [{ ip: address }] } } as Pod,
      { subresource: 'status' },
    )
  }
  await local.create(services, {
    metadata: { namespace: 'default', name: 's' },
    spec: { ports: [{ name: 'web', port: 80, protocol: 'TCP' }] },
  })
  const behind = (name: string, ip: string): object => ({ ip, targetRef: { kind: 'Pod', namespace: 'default', name } })
  await local.create(endpoints, {
    metadata: { namespace: 'default', name: 's' },
    subsets: [
      { addresses: [behind('on-a', '10.42.0.2'), behind('on-b', '10.44.0.2')], ports: [{ name: 'web', port: 80 }] },
    ],
  } as Omit<Endpoints, 'apiVersion' | 'kind'>)
})
afterAll(async () => {
  for (const { remote, server } of [first, second]) {
    remote.close()
    await server.close()
  }
  echo.close()
  web.close()
  web.closeAllConnections()
})

const ways = (): readonly (readonly [TestServer, string])[] => [
  [first, 'b'],
  [second, 'a'],
  [first, 'a'],
]

test('logs are those of the pod, whichever server is asked', async () => {
  for (const [server, node] of ways()) {
    const answer = await server.call('GET', `${core}/pods/on-${node}/log?tailLines=1`)
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      200,
      'text/plain',
      `two of ${node}\n`,
    ])
  }
  const wrong = await first.call('GET', `${core}/pods/on-b/log?container=none`)
  expect([wrong.status, wrong.json.message]).toEqual([400, 'container none is not valid for pod on-b'])
})

test('logs over WebSocket, too', async () => {
  for (const [{ port, keys }, node] of ways()) {
    const socket = new WebSocket(`wss://127.0.0.1:${port}${core}/pods/on-${node}/log`, ['base64.binary.k8s.io'], {
      ca: keys.authority.certificate,
      cert: keys.admin.certificate,
      key: keys.admin.key,
    })
    let received = ''
    socket.on('message', (data: Buffer) => {
      received += Buffer.from(data.toString(), 'base64').toString()
    })
    const [code] = (await once(socket, 'close')) as [number]
    expect([code, received]).toEqual([1000, `one of ${node}\ntwo of ${node}\n`])
  }
})

async function command(
  server: TestServer,
  path: string,
  input: string,
): Promise<{ protocol: string; output: string; status: { status: string } }> {
  const {
    keys: { authority, admin },
  } = server
  const socket = new WebSocket(`wss://127.0.0.1:${server.port}${path}`, ['v5.channel.k8s.io'], {
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.key,
  })
  const byChannel = ['', '', '', '']
  socket.on('message', (data: Buffer) => {
    byChannel[data[0]!]! += data.subarray(1).toString()
  })
  socket.on('open', () => {
    socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(input)]))
    socket.send(Buffer.from([255, 0]))
  })
  await once(socket, 'close')
  return { protocol: socket.protocol, output: byChannel[1]!, status: JSON.parse(byChannel[3]!) as { status: string } }
}

test('exec and attach over WebSocket: input, output to the last byte, and the exit code', async () => {
  const long = 'x'.repeat(1_000_000)
  for (const [server, node] of ways()) {
    const query = 'stdin=true&stdout=true&container=c'
    expect(await command(server, `${core}/pods/on-${node}/exec?${query}&command=cat`, long)).toEqual({
      protocol: 'v5.channel.k8s.io',
      output: long,
      status: expect.objectContaining({ status: 'Success' }) as object,
    })
    expect(
      (await command(server, `${core}/pods/on-${node}/exec?${query}&command=sh&command=-c&command=exit+3`, '')).status,
    ).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ message: '3' }] } })
    expect((await command(server, `${core}/pods/on-${node}/attach?${query}`, '')).output).toBe('attached\n')
  }
})

function upgraded(
  server: TestServer,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; socket?: Duplex; body: string }> {
  const {
    keys: { authority, admin },
  } = server
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: '127.0.0.1',
      port: server.port,
      method: 'POST',
      path,
      ca: authority.certificate,
      cert: admin.certificate,
      key: admin.key,
      agent: false,
      headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', ...headers },
    })
    request.once('upgrade', (response, socket) => resolve({ status: response.statusCode!, socket, body: '' }))
    request.once(
      'response',
      response => void text(response).then(body => resolve({ status: response.statusCode!, body }), reject),
    )
    request.once('error', reject)
    request.end()
  })
}

test('port-forward over SPDY', async () => {
  for (const [server, node] of ways()) {
    const { socket } = await upgraded(server, `${core}/pods/on-${node}/portforward`, {
      'X-Stream-Protocol-Version': 'portforward.k8s.io',
    })
    const session = new SpdySession(socket!, { role: 'client' })
    const headers = { port: '80', requestid: '0' }
    session.openStream({ ...headers, streamtype: 'error' }, true)
    const data = session.openStream({ ...headers, streamtype: 'data' })
    data.end('there and back')
    expect(await text(data)).toBe('there and back')
    session.destroy()
  }
})

test('what the agent of a node answers, and proxies to pods and services', async () => {
  expect((await first.call('GET', '/api/v1/nodes/b/proxy/healthz')).text).toBe('b /healthz')
  expect((await second.call('GET', '/api/v1/nodes/b/proxy/healthz')).text).toBe('b /healthz')
  dialed.length = 0
  expect((await first.call('GET', `${core}/pods/on-b:80/proxy/x?y=z`)).text).toBe('web /x?y=z')
  expect((await first.call('GET', '/api/v1/nodes/b:9100/proxy/x')).text).toBe('web /x')
  expect((await first.call('GET', `${core}/pods/on-a:80/proxy/x`)).text).toBe('web /x')
  expect(dialed).toEqual(['b 10.44.0.2', 'b 10.44.255.254', 'a 10.42.0.2'])
  // Each pod of a service is reached from its own machine.
  dialed.length = 0
  for (let round = 0; round < 40; round++) await first.call('GET', `${core}/services/s:web/proxy/x`)
  expect([...new Set(dialed)].toSorted()).toEqual(['a 10.42.0.2', 'b 10.44.0.2'])
})

test('the other server knows the same user: one who may not, may not there; commas and accents stay in their groups', async () => {
  const path = '/api/v1/nodes/b/proxy/healthz'
  expect((await first.call('GET', path, { certificate: jane })).status).toBe(403)
  const binding = await first.local.create(clusterRoleBindings, {
    metadata: { name: 'jane' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:kubelet-api-admin' },
    subjects: [{ kind: 'Group', name: 'métier', apiGroup: 'rbac.authorization.k8s.io' }],
  } as never)
  expect((await first.call('GET', path, { certificate: jane })).text).toBe('b /healthz')
  // As `first` hands it on.
  const headers = { 'X-Remote-User': 'jane', 'X-Remote-Group': 'a,system:masters' }
  expect((await second.call('GET', path, { certificate: first.keys.frontProxy.client, headers })).status).toBe(403)
  await first.local.delete(clusterRoleBindings, binding.metadata)
})

test('a request goes on once at most', async () => {
  // Both believe that the other one has it.
  peers.set('gone', second.port)
  const { status, json } = await first.call('GET', `${core}/pods/on-gone/log`)
  peers.delete('gone')
  expect([status, json.message]).toEqual([
    500,
    'Get "https://10.46.255.254:10250/containerLogs/default/on-gone/c": dial tcp 10.46.255.254:10250: connect: connection refused',
  ])
})

test.each([
  ['gone', undefined, '10.46.255.254:10250'],
  ['b', 1, '127.0.0.1:1'],
])('a server that is away (node %s) reads as a kubelet that does not answer', async (node, port, address) => {
  const before = peers.get(node)
  if (port === undefined) peers.delete(node)
  else peers.set(node, port)
  const refused = `dial tcp ${address}: connect: connection refused`
  const url =
    port === undefined
      ? `https://${address}/containerLogs/default/on-${node}/c`
      : `https://${address}${core}/pods/on-${node}/log`
  const logs = await first.call('GET', `${core}/pods/on-${node}/log`)
  expect([logs.status, logs.json.message, logs.json.reason]).toEqual([500, `Get "${url}": ${refused}`, undefined])
  const exec = await upgraded(first, `${core}/pods/on-${node}/exec?stdout=true&command=ls`, {
    'X-Stream-Protocol-Version': 'v4.channel.k8s.io',
  })
  expect([exec.status, JSON.parse(exec.body)]).toEqual([
    500,
    expect.objectContaining({ message: `error dialing backend: ${refused}` }),
  ])
  const proxied = await first.call('GET', `/api/v1/nodes/${node}/proxy/healthz`)
  expect([proxied.status, proxied.json.message]).toEqual([503, `error trying to reach service: ${refused}`])
  if (before !== undefined) peers.set(node, before)
})
