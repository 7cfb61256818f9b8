// What the proxy hands to the kernel, with objects of a real API server in this process.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { EndpointSlice, Pod, Service } from '../api/generated/models.ts'
import { endpointSlices, namespaces, pods, serviceAccounts, services } from '../api/resources.ts'
import type { Flow } from '../host/connection-tracking.ts'
import { silentLogger } from '../lib/logger.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import type { PortRule } from './service-rules.ts'
import { startServiceProxy, type FlowMemory, type ServiceProxy } from './service-proxy.ts'

const facts = {
  table: 't',
  podCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  linkName: 'l',
  nodePortRanges: ['127.0.0.0/8'],
}
const clock = new FakeClock()
let server: TestServer
let proxy: ServiceProxy
let scripts: string[]
let failing: boolean
/** What the kernel remembers of connections, and what it was told to forget. */
let remembered: Flow[]
let forgotten: Flow[]

const flows: FlowMemory = {
  list: async protocol => remembered.filter(flow => flow.protocol === protocol),
  forget: async flow => void forgotten.push(flow),
}

beforeEach(async () => {
  server = await startTestServer()
  await server.local.create(namespaces, { metadata: { name: 'shop' } })
  scripts = []
  failing = false
  remembered = []
  forgotten = []
  proxy = await startServiceProxy({
    client: server.local,
    facts,
    clock,
    logger: silentLogger,
    apply: async script => {
      if (failing) throw new Error('the kernel said no')
      scripts.push(script)
    },
    flows,
  })
  await proxy.settled()
})
afterEach(async () => {
  proxy.stop()
  await server.close()
})

const addService = (name = 'web', clusterIP = '10.43.0.20'): Promise<Service> =>
  server.local.create<Service>(services, {
    metadata: { name, namespace: 'shop' },
    spec: { clusterIP, ports: [{ port: 80 }] },
  })
const addSlice = (service = 'web', address = '10.42.0.5'): Promise<EndpointSlice> =>
  server.local.create<EndpointSlice>(endpointSlices, {
    metadata: { name: `${service}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  })

test('the first script is the whole table, the next are changes', async () => {
  expect(scripts).toHaveLength(1)
  expect(scripts[0]).toMatch(/^add table ip t\ndelete table ip t\n/)
  await addService()
  await proxy.settled()
  expect(scripts[1]).toBe('add element ip t unserved { 10.43.0.20 . tcp . 80 }\n')
})

test('endpoints that come and go change one service', async () => {
  await addService()
  await addSlice()
  await proxy.settled()
  expect(scripts.at(-1)).toContain('add element ip t services { 10.43.0.20 . tcp . 80 : goto service/shop/web/tcp/80 }')
  await server.local.delete(endpointSlices, { namespace: 'shop', name: 'web-1' })
  await proxy.settled()
  expect(scripts.at(-1)).toContain('add element ip t unserved { 10.43.0.20 . tcp . 80 }')
  await server.local.delete(services, { namespace: 'shop', name: 'web' })
  await proxy.settled()
  expect(scripts.at(-1)).toBe('delete element ip t unserved { 10.43.0.20 . tcp . 80 }\n')
})

test('what else is led stands in the same table, is replaced as a whole, and outlives its loss', async () => {
  const led = (address: string, port = 5300): PortRule => ({
    chain: `gateway/127.7.0.1/udp/${port}`,
    protocol: 'udp',
    addresses: ['127.7.0.1'],
    port,
    nodePort: undefined,
    sticky: false,
    backends: [{ address, port: 53 }],
    serving: [{ address, port: 53 }],
    places: [1000],
  })
  const flow = { protocol: 'udp', address: '127.7.0.1', port: 5300, targetPort: 53 }
  remembered = ['10.42.0.5', '10.42.0.6'].map(target => ({ ...flow, target }))
  await proxy.lead([led('10.42.0.5')])
  expect(scripts.at(-1)).toContain(
    'add element ip t services { 127.7.0.1 . udp . 5300 : goto gateway/127.7.0.1/udp/5300 }',
  )
  expect(forgotten).toMatchObject([{ target: '10.42.0.6' }])
  proxy.rewrite()
  await proxy.settled()
  expect(scripts.at(-1)).toMatch(/^add table ip t\ndelete table ip t\n[^]*goto gateway\/127\.7\.0\.1\/udp\/5300/)
  await proxy.lead([led('10.42.0.5', 5301)])
  expect(scripts.at(-1)).toContain('delete chain ip t gateway/127.7.0.1/udp/5300')
})

test('what changes nothing is not handed on', async () => {
  const before = scripts.length
  await addSlice('nobody')
  await proxy.settled()
  expect(scripts).toHaveLength(before)
})

test('after a failure the table is written anew, with everything that came meanwhile', async () => {
  failing = true
  await addService()
  await proxy.settled()
  await addSlice()
  failing = false
  await clock.advance(1000)
  await proxy.settled()
  expect(scripts.at(-1)).toMatch(/^add table ip t\ndelete table ip t\n/)
  expect(scripts.at(-1)).toContain('goto service/shop/web/tcp/80')
})

test('connections without a handshake to a backend that goes are forgotten; others are not looked at', async () => {
  const dead: Flow = { protocol: 'udp', address: '10.43.0.20', port: 53, target: '10.42.0.5', targetPort: 5353 }
  await server.local.create<Service>(services, {
    metadata: { name: 'names', namespace: 'shop' },
    spec: { clusterIP: dead.address, ports: [{ port: dead.port, protocol: 'UDP' }] },
  })
  const slice = await server.local.create<EndpointSlice>(endpointSlices, {
    metadata: { name: 'names-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'names' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: dead.targetPort, protocol: 'UDP' }],
    endpoints: [{ addresses: [dead.target], conditions: { ready: true } }],
  })
  await proxy.settled()
  remembered = [dead]
  await addService('web', '10.43.0.21')
  await addSlice('web', '10.42.0.7')
  await proxy.settled()
  expect(forgotten).toEqual([])
  await server.local.update<EndpointSlice>(endpointSlices, {
    ...slice,
    endpoints: [{ addresses: ['10.42.0.6'], conditions: { ready: true } }],
  })
  await proxy.settled()
  expect(scripts.at(-1)).toContain('dnat to 10.42.0.6:5353')
  expect(forgotten).toEqual([dead])
})

test('what was left by backends that went while nobody looked is forgotten at the start', async () => {
  proxy.stop()
  remembered = [{ protocol: 'udp', address: '127.0.0.1', port: 30053, target: '10.42.0.5', targetPort: 53 }]
  proxy = await startServiceProxy({
    client: server.local,
    facts,
    clock,
    logger: silentLogger,
    apply: async script => void scripts.push(script),
    flows,
  })
  await proxy.settled()
  expect(forgotten).toEqual(remembered)
})

test('while the node is not Ready rules are written, and what is left is forgotten afterwards', async () => {
  proxy.stop()
  remembered = [{ protocol: 'udp', address: '127.0.0.1', port: 30053, target: '10.42.0.5', targetPort: 53 }]
  const nodeReady = Promise.withResolvers<void>()
  proxy = await startServiceProxy({
    client: server.local,
    facts,
    nodeReady: nodeReady.promise,
    clock,
    logger: silentLogger,
    apply: async script => void scripts.push(script),
    flows,
  })
  await addService()
  await proxy.settled()
  expect(scripts.at(-1)).toContain('10.43.0.20')
  expect(forgotten).toEqual([])
  nodeReady.resolve()
  await nodeReady.promise.then(() => proxy.settled())
  expect(forgotten).toEqual(remembered)
})

test('a table that somebody took away is written anew, also while a change is on its way', async () => {
  await addService()
  await addSlice()
  await proxy.settled()
  const before = scripts.length
  proxy.rewrite()
  await proxy.settled()
  expect(scripts.slice(before)).toEqual([expect.stringContaining('goto service/shop/web/tcp/80')])
  const change = addService('other', '10.43.0.21')
  proxy.rewrite()
  await change
  await proxy.settled()
  expect(scripts.slice(before + 1).join('')).toMatch(/^add table ip t\ndelete table ip t\n/)
  expect(scripts.join('')).toContain('10.43.0.21')
})

test('a stopped proxy changes nothing any more', async () => {
  proxy.stop()
  const before = scripts.length
  await addService()
  await proxy.settled()
  expect(scripts).toHaveLength(before)
})

test('after a start with nothing running, pods of this node are no backends until their new containers run', async () => {
  proxy.stop()
  const podName = { namespace: 'shop', name: 'web-1' }
  await server.local.create(serviceAccounts, { metadata: { namespace: 'shop', name: 'default' } })
  const created = await server.local.create<Pod>(pods, {
    metadata: podName,
    spec: { nodeName: 'here', containers: [{ name: 'main', image: 'web' }] },
  })
  const running = (containerID: string): Pod => ({
    ...created,
    metadata: { ...podName, uid: created.metadata.uid } as Pod['metadata'],
    status: {
      phase: 'Running',
      podIP: '10.42.0.5',
      containerStatuses: [{ name: 'main', image: 'web', imageID: '', ready: true, restartCount: 0, containerID }],
    } as unknown as Pod['status'],
  })
  await server.local.update(pods, running('containerd://old'), { subresource: 'status' })
  await addService()
  await server.local.create<EndpointSlice>(endpointSlices, {
    metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: [
      {
        addresses: ['10.42.0.5'],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', ...podName, uid: created.metadata.uid },
      },
    ],
  })
  scripts = []
  proxy = await startServiceProxy({
    client: server.local,
    facts,
    clock,
    logger: silentLogger,
    nodeName: 'here',
    nothingRuns: Promise.resolve(true),
    apply: async script => void scripts.push(script),
    flows,
  })
  await proxy.settled()
  expect(scripts.at(-1)).not.toContain('10.42.0.5')
  await server.local.update(pods, running('containerd://new'), { subresource: 'status' })
  await server.local.patch(
    endpointSlices,
    { namespace: 'shop', name: 'web-1' },
    { type: 'merge', value: { metadata: { labels: { changed: 'yes' } } } },
  )
  await proxy.settled()
  expect(scripts.at(-1)).toContain('10.42.0.5')
})
