// A request that arrives while the answer before it is still on its way is read whole, whatever that answer is.
// No client but this one sends it before it has read the answer; but every client does so now and then from the
// server's point of view, which learns later than the client that an answer has left.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { connect, type TLSSocket } from 'node:tls'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Pod } from '../../src/api/generated/models.ts'
import { configMaps, nodes, pods, serviceAccounts } from '../../src/api/resources.ts'
import type { NodeStreams } from '../../src/streams/node-streams.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import type { PatchingWork } from './patching-client.ts'

let server: TestServer
let backend: Server
const core = '/api/v1/namespaces/default'
const long = (): Readable => Readable.from(Array.from({ length: 128 }, () => Buffer.alloc(64 * 1024, 'x')))
const agent = {
  logs: async () => long(),
  endpoint: async () => ({ status: 200, contentType: 'text/plain', body: long() }),
} as unknown as NodeStreams
/** What compression does not make small. */
const filling = (bytes: number): string => randomBytes(bytes / 2).toString('hex')
const bodyOf = (bytes: number): string => JSON.stringify({ data: { value: filling(bytes) } })
/** More than the system's buffers of a connection take when nobody reads. */
const requestsBefore = 16

beforeAll(async () => {
  backend = createServer((_request, response) => void long().pipe(response))
  await new Promise<void>(resolve => {
    backend.listen(0, '127.0.0.1', resolve)
  })
  server = await startTestServer({
    findNodeStreams: () => agent,
    reach: () => ({ host: '127.0.0.1', port: (backend.address() as AddressInfo).port }),
  })
  const { local } = server
  await local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } })
  await local.create(nodes, { metadata: { name: 'n' } })
  const pod = await local.create(pods, {
    metadata: { namespace: 'default', name: 'p' },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'x:1', ports: [{ containerPort: 80 }] }] },
  })
  await local.update<Pod>(
    pods,
    { ...pod, status: { ...pod.status, podIP: '10.9.8.7', podIPs: [{ ip: '10.9.8.7' }] } },
    { subresource: 'status' },
  )
  for (let index = 0; index < 24; index++)
    await local.create(configMaps, {
      metadata: { namespace: 'default', name: `large-${index}` },
      data: { value: filling(500_000) },
    })
  await local.create(configMaps, { metadata: { namespace: 'default', name: 'written' }, data: {} })
})
afterAll(async () => {
  await server.close()
  backend.close()
})

async function connected(): Promise<TLSSocket> {
  const { keys, port } = server
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: keys.authority.certificate,
    cert: keys.admin.certificate,
    key: keys.admin.key,
  })
  socket.setNoDelay(true)
  await once(socket, 'secureConnect')
  return socket
}

function send(socket: TLSSocket, method: string, path: string, body = '', headers = ''): void {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  // Head and body are two records, as with every client's larger bodies.
  socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n`,
  )
  if (body !== '') socket.write(body)
}

const answers: [string, string, string, string?][] = [
  ['an object', 'GET', `${core}/configmaps/large-0`],
  ['an object as YAML', 'GET', `${core}/configmaps/large-0`, 'Accept: application/yaml\r\n'],
  ['a changed object', 'PATCH', `${core}/configmaps/large-1`],
  ['a short list', 'GET', `${core}/configmaps?limit=10`],
  ['a long list', 'GET', `${core}/configmaps`],
  ['a compressed list', 'GET', `${core}/configmaps?limit=2`, 'Accept-Encoding: gzip\r\n'],
  ['a watch', 'GET', `${core}/configmaps?watch=true&timeoutSeconds=1`],
  ['discovery', 'GET', '/openapi/v2'],
  ['a log', 'GET', `${core}/pods/p/log`],
  ['a pod behind the proxy', 'GET', `${core}/pods/p/proxy/`],
  ['a node behind the proxy', 'GET', '/api/v1/nodes/n/proxy/logs/x'],
]

test.each(answers)('a write behind %s is read whole', async (what, method, path, headers) => {
  const socket = await connected()
  for (let sent = 0; sent < (what === 'a watch' ? 1 : requestsBefore); sent++)
    send(socket, method, path, method === 'PATCH' ? bodyOf(400_000) : '', headers)
  // The answer is on its way, and nobody reads it.
  await once(socket, 'readable')
  const value = `after ${what}`
  const body = JSON.stringify({ data: { value, filling: 'f'.repeat(70_000) } })
  send(socket, 'PATCH', `${core}/configmaps/written`, body, 'Connection: close\r\n')
  const received = await text(socket)
  const last = received.slice(received.lastIndexOf('HTTP/1.1 '))
  expect(last.slice(0, 15)).toBe('HTTP/1.1 200 OK')
  const { json } = await server.call('GET', `${core}/configmaps/written`)
  expect(json.data.value).toBe(value)
})

test('60 large patches on each of 6 kept connections are all answered, twice', async () => {
  const { keys, port } = server
  const workerData: PatchingWork = {
    port,
    authority: keys.authority.certificate,
    admin: keys.admin,
    paths: [10, 11, 12, 13, 14, 15].map(index => `${core}/configmaps/large-${index}`),
    patches: 120,
  }
  const worker = new Worker(new URL('./patching-client.ts', import.meta.url), { workerData })
  const [outcomes] = (await once(worker, 'message')) as [string[]]
  expect(outcomes).toHaveLength(720)
  expect(outcomes.filter(outcome => outcome !== '200')).toEqual([])
})
