// `proxy` of pods, services and nodes, over HTTPS towards servers that the test runs on loopback.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Endpoints, Pod } from '../../src/api/generated/models.ts'
import { endpoints, nodes, pods, serviceAccounts, services } from '../../src/api/resources.ts'
import type { NodeStreams } from '../../src/streams/node-streams.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
let backend: Server
let backendPort = 0
/** What the last protocol switch offered. */
let protocols: string | undefined
let answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => void response.end()
const agent = {
  endpoint: async (path: string) => ({
    status: path === '/none' ? 404 : 200,
    contentType: 'text/plain',
    body: `agent ${path}`,
  }),
} as unknown as NodeStreams

const core = '/api/v1/namespaces/default'
const podAddress = '10.9.8.7'

beforeAll(async () => {
  backend = createServer((request, response) => answer(request, response))
  backend.on('upgrade', (request, socket) => {
    protocols = request.headers['sec-websocket-protocol']
    if (request.url === '/refused') return socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    return socket.pipe(socket)
  })
  await new Promise<void>(resolve => {
    backend.listen(0, '127.0.0.1', resolve)
  })
  backendPort = (backend.address() as AddressInfo).port
  server = await startTestServer({
    reach: ({ host, port }) => ({
      host: host === podAddress ? '127.0.0.1' : host,
      port: port === 8080 ? backendPort : 1,
    }),
    findNodeStreams: name => (name === 'n' ? agent : undefined),
  })
  const { local } = server
  await local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } })
  await Promise.all(
    ['p', 'loop', 'unready'].map(async name => {
      const pod = await local.create(pods, {
        metadata: { namespace: 'default', name },
        spec: { containers: [{ name: 'c', image: 'x:1', ports: [{ containerPort: 8080 }] }] },
      })
      const address = { p: podAddress, loop: '127.0.0.1', unready: '' }[name]!
      if (address !== '')
        await local.update(
          pods,
          { ...pod, status: { ...pod.status, phase: 'Running', podIP: address, podIPs: [{ ip: address }] } } as Pod,
          { subresource: 'status' },
        )
    }),
  )
  for (const name of ['s', 'empty', 'forged'])
    await local.create(services, {
      metadata: { namespace: 'default', name },
      spec: { ports: [{ name: 'web', port: 80, protocol: 'TCP' }] },
    })
  await local.create(endpoints, {
    metadata: { namespace: 'default', name: 's' },
    subsets: [
      {
        addresses: [{ ip: podAddress, targetRef: { kind: 'Pod', namespace: 'default', name: 'p' } }],
        ports: [{ name: 'web', port: 8080 }],
      },
    ],
  } as Omit<Endpoints, 'apiVersion' | 'kind'>)
  await local.create(endpoints, { metadata: { namespace: 'default', name: 'empty' } })
  await local.create(endpoints, {
    metadata: { namespace: 'default', name: 'forged' },
    subsets: [
      {
        addresses: [
          { ip: podAddress },
          { ip: '10.1.1.1', targetRef: { kind: 'Pod', namespace: 'default', name: 'p' } },
        ],
        ports: [{ name: 'web', port: 8080 }],
      },
    ],
  } as Omit<Endpoints, 'apiVersion' | 'kind'>)
  await local.create(nodes, { metadata: { name: 'n' }, spec: {} })
  await local.create(nodes, { metadata: { name: 'gone' }, spec: {} })
})
afterAll(async () => {
  await server.close()
  await new Promise(resolve => {
    backend.close(resolve)
    backend.closeAllConnections()
  })
})

describe('[sig-network] Proxy version v1 A set of valid responses are returned for both pod and service ProxyWithPath [Conformance]', () => {
  test.each(['DELETE', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'GET', 'HEAD'])('%s', async method => {
    answer = (request, response) =>
      void text(request).then(body =>
        response.setHeader('X-Seen', `${request.method} ${request.url} ${body}`.trim()).end('done'),
      )
    for (const path of ['pods/p', 'services/s:web', 'services/s:80']) {
      const body = method === 'POST' || method === 'PUT' ? 'body' : undefined
      const {
        status,
        headers,
        text: content,
      } = await server.call(
        method,
        `${core}/${path}/proxy/some/path%20x/?method=${method}&fieldValidation=mine`,
        body === undefined ? {} : { body },
      )
      expect(status).toBe(200)
      expect(headers['x-seen']).toBe(
        `${method} /some/path%20x/?method=${method}&fieldValidation=mine ${body ?? ''}`.trim(),
      )
      expect(content).toBe(method === 'HEAD' ? '' : 'done')
    }
  })
})

test('[sig-network] Proxy version v1 A set of valid responses are returned for both pod and service Proxy [Conformance]', async () => {
  answer = (request, response) => void response.end(request.url)
  const redirect = await server.call('GET', `${core}/pods/p/proxy?method=GET`)
  expect(redirect.status).toBe(301)
  expect(redirect.headers['location']).toBe(`${core}/pods/p/proxy/?method=GET`)
  expect((await server.call('GET', `${core}/pods/p/proxy/?method=GET`)).text).toBe('/?method=GET')
  expect((await server.call('POST', `${core}/pods/p/proxy?method=POST`)).text).toBe('/?method=POST')
})

test('hands on headers, but neither credentials nor what concerns one connection', async () => {
  let seen: IncomingMessage['headers'] = {}
  answer = ({ headers }, response) => {
    seen = headers
    response
      .writeHead(418, { Connection: 'X-Hop', 'X-Hop': '1', 'X-Mine': ['a', 'b'], 'Access-Control-Allow-Origin': '*' })
      .end('tea')
  }
  const {
    status,
    headers,
    text: content,
  } = await server.call('GET', `${core}/pods/p:8080/proxy/x`, {
    headers: {
      Authorization: 'Bearer secret',
      'Impersonate-User': 'kubernetes-admin',
      'X-Own': 'yes',
      'X-Forwarded-For': '1.2.3.4',
      'Impersonate-Group': 'system:masters',
    },
  })
  expect({ status, content }).toEqual({ status: 418, content: 'tea' })
  expect(headers).toMatchObject({ 'x-mine': 'a, b' })
  expect(headers['x-hop']).toBeUndefined()
  expect(headers['access-control-allow-origin']).toBeUndefined()
  expect(seen).toMatchObject({
    'x-own': 'yes',
    'x-forwarded-for': '1.2.3.4, 127.0.0.1',
    'x-forwarded-uri': `${core}/pods/p:8080/proxy/x`,
  })
  expect(seen.authorization).toBeUndefined()
  expect(Object.keys(seen).filter(name => name.startsWith('impersonate'))).toEqual([])
})

test.each([false, true])('leads links and redirects back through the proxy (compressed: %s)', async zipped => {
  const prefix = `${core}/pods/p/proxy`
  const html =
    '<html><a href="/a">a</a><img src=\'/b\'><a href="c">c</a><a href="//other/d">d</a><p title="/e">/f</p></html>'
  answer = (_request, response) =>
    void response
      .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...(zipped && { 'Content-Encoding': 'gzip' }) })
      .end(zipped ? gzipSync(html) : html)
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    const { keys, port } = server
    httpsRequest(
      {
        host: '127.0.0.1',
        port,
        path: `${prefix}/`,
        ca: keys.authority.certificate,
        cert: keys.admin.certificate,
        key: keys.admin.key,
        agent: false,
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)))
      },
    )
      .on('error', reject)
      .end()
  })
  expect((zipped ? gunzipSync(bytes) : bytes).toString()).toBe(
    `<html><a href="${prefix}/a">a</a><img src='${prefix}/b'><a href="c">c</a><a href="//other/d">d</a><p title="/e">/f</p></html>`,
  )
  answer = (_request, response) => void response.writeHead(302, { Location: '/login' }).end()
  expect((await server.call('GET', `${prefix}/`)).headers['location']).toBe(`${prefix}/login`)
})

test('streams both ways, and lets go when the client does', async () => {
  const gone = new Promise<void>(resolve => {
    answer = (request, response) => {
      response.on('close', resolve)
      request.on('data', (chunk: Buffer) => response.write(`got ${chunk.toString()}`))
    }
  })
  const { keys, port } = server
  const call = httpsRequest({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: `${core}/pods/p/proxy/stream`,
    ca: keys.authority.certificate,
    cert: keys.admin.certificate,
    key: keys.admin.key,
    agent: false,
  })
  call.on('error', () => {})
  call.write('one')
  const response = await new Promise<IncomingMessage>(resolve => {
    call.on('response', resolve)
  })
  const next = (): Promise<string> =>
    new Promise(resolve => {
      response.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    })
  expect(await next()).toBe('got one')
  call.write('two')
  expect(await next()).toBe('got two')
  response.on('error', () => {})
  call.destroy()
  await gone
})

test('switches protocols, or passes on the refusal', async () => {
  const { keys, port } = server
  const upgrade = (path: string, headers: Record<string, string> = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const call = httpsRequest({
        host: '127.0.0.1',
        port,
        path: `${core}/services/s:web/proxy${path}`,
        ca: keys.authority.certificate,
        cert: keys.admin.certificate,
        key: keys.admin.key,
        agent: false,
        headers: { Connection: 'Upgrade', Upgrade: 'echo', ...headers },
      })
      call.on('upgrade', (_response, socket) => {
        socket.write('hello')
        socket.once('data', (data: Buffer) => {
          socket.destroy()
          resolve(data.toString())
        })
      })
      call.on(
        'response',
        response => void text(response).then(body => resolve(`${response.statusCode} ${body}`), reject),
      )
      call.on('error', reject).end()
    })
  expect(await upgrade('/echo')).toBe('hello')
  expect(await upgrade('/refused')).toBe('403 no')
  // A browser's token is for this server.
  await upgrade('/echo', {
    'Sec-WebSocket-Protocol': 'base64url.bearer.authorization.k8s.io.c2VjcmV0, v4.channel.k8s.io',
  })
  expect(protocols).toBe('v4.channel.k8s.io')
  await upgrade('/echo', { 'Sec-WebSocket-Protocol': 'base64url.bearer.authorization.k8s.io.c2VjcmV0' })
  expect(protocols).toBeUndefined()
})

test.each<[string, number, string]>([
  [`${core}/pods/none/proxy/`, 404, 'pods "none" not found'],
  [`${core}/pods/loop/proxy/`, 400, 'address not allowed'],
  [`${core}/pods/unready/proxy/`, 400, 'address not allowed'],
  [`${core}/pods/ftp:p:1/proxy/`, 400, 'invalid pod request "ftp:p:1"'],
  [`${core}/pods/p:99/proxy/`, 503, 'error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused'],
  [`${core}/services/none/proxy/`, 404, 'endpoints "none" not found'],
  [`${core}/services/empty:web/proxy/`, 503, 'no endpoints available for service "empty"'],
  [`${core}/services/forged:web/proxy/`, 503, 'no endpoints available for service "forged:web"'],
  [`${core}/services/s:other/proxy/`, 503, 'no endpoints available for service "s:other"'],
  [`${core}/services/s:81/proxy/`, 503, 'no service port 81 found for service "s"'],
  ['/api/v1/nodes/none/proxy/pods', 404, 'nodes "none" not found'],
  [
    '/api/v1/nodes/gone/proxy/pods',
    503,
    'error trying to reach service: dial tcp gone:10250: connect: connection refused',
  ],
])('%s answers %s', async (path, status, message) => {
  const { json } = await server.call('GET', path)
  expect(json).toMatchObject({ kind: 'Status', code: status, message })
})

test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
  ['hangs up', ({ socket }) => void socket.destroy()],
  ['speaks no HTTP', ({ socket }) => void socket.end('hello\r\n\r\n')],
  [
    'switches protocols without being asked',
    ({ socket }) => void socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
  ],
])('a server that %s is out of service', async (_what, misbehave) => {
  answer = misbehave
  const { status, json } = await server.call('GET', `${core}/pods/p/proxy/x`)
  expect(status).toBe(503)
  expect(json.message).toMatch(/^error trying to reach service: /)
})

test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
  [
    'breaks off',
    (_request, response) => {
      response.writeHead(200, { 'Content-Length': '100', 'Content-Type': 'text/html' })
      response.write('<html>', () => response.socket?.destroy())
    },
  ],
  [
    'compresses wrongly',
    (_request, response) =>
      void response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip' }).end('no gzip'),
  ],
])('an answer that %s is broken off, and the server lives on', async (_what, misbehave) => {
  answer = misbehave
  await expect(server.call('GET', `${core}/pods/p/proxy/x`)).rejects.toThrow(/aborted|hang up|ECONNRESET/)
  expect((await server.call('GET', '/version')).status).toBe(200)
})

test('a page too large to be read as a whole passes as it is', async () => {
  const page = `<a href="/x">${'x'.repeat(9 * 1024 * 1024)}`
  answer = (_request, response) => void response.writeHead(200, { 'Content-Type': 'text/html' }).end(page)
  expect((await server.call('GET', `${core}/pods/p/proxy/x`)).text === page).toBe(true)
})

test('[sig-network] Proxy version v1 should proxy through a service and a pod  [Conformance]: the agent of a node answers in process', async () => {
  expect((await server.call('GET', '/api/v1/nodes/n/proxy/logs/')).text).toBe('agent /logs/')
  expect((await server.call('GET', '/api/v1/nodes/n:10250/proxy/configz')).text).toBe('agent /configz')
  expect((await server.call('GET', '/api/v1/nodes/n/proxy/none')).status).toBe(404)
  expect((await server.call('POST', '/api/v1/nodes/n/proxy/pods')).status).toBe(405)
})

test('nobody gets through without the right to', async () => {
  const answered = await server.call('GET', `${core}/pods/p/proxy/`, { headers: { 'Impersonate-User': 'jane' } })
  expect(answered.status).toBe(403)
  expect(answered.json.message).toBe(
    'pods "p" is forbidden: User "jane" cannot get resource "pods/proxy" in API group "" in the namespace "default"',
  )
})
