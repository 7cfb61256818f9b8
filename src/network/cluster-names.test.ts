// Names of a cluster whose objects live in a real API server in this process.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EndpointSlice, Service } from '../api/generated/models.ts'
import type { New } from '../api/object.ts'
import { endpointSlices, namespaces, services } from '../api/resources.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { ClusterNames, type Resolution } from './cluster-names.ts'

let server: TestServer
let names: ClusterNames
const inShop = (name: string): { name: string; namespace: string } => ({ name, namespace: 'shop' })

beforeAll(async () => {
  server = await startTestServer()
  await server.local.create(namespaces, { metadata: { name: 'shop' } })
  names = new ClusterNames(server.local, 'cluster.local')
  const addService = (name: string, spec: New<Service>['spec']): Promise<Service> =>
    server.local.create<Service>(services, { metadata: inShop(name), ...(spec !== undefined && { spec }) })
  const addSlice = (
    name: string,
    service: string,
    slice: Omit<New<EndpointSlice>, 'metadata'>,
  ): Promise<EndpointSlice> =>
    server.local.create<EndpointSlice>(endpointSlices, {
      metadata: { ...inShop(name), labels: { 'kubernetes.io/service-name': service } },
      ...slice,
    } as New<EndpointSlice>)
  await addService('web', {
    clusterIP: '10.43.0.20',
    ports: [
      { name: 'http', port: 80 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ],
  })
  await addService('nodes', { clusterIP: 'None', ports: [{ name: 'http', port: 80 }], selector: { app: 'nodes' } })
  await addService('unready', { clusterIP: 'None', publishNotReadyAddresses: true, ports: [{ port: 80 }] })
  await addService('empty', { clusterIP: 'None', ports: [{ port: 80 }] })
  await addService('outside', { type: 'ExternalName', externalName: 'db.example.com' })
  const notReady = { ready: false }
  await addSlice('nodes-1', 'nodes', {
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [
      { addresses: ['10.42.0.5'], hostname: 'first', conditions: { ready: true } },
      { addresses: ['10.42.0.6'], conditions: { ready: true } },
      { addresses: ['10.42.0.7'], conditions: notReady },
    ],
  })
  await addSlice('unready-1', 'unready', {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.42.0.8'], conditions: notReady }],
  })
})
afterAll(() => server.close())

function shown(resolution: Resolution): string[] {
  if (resolution.kind === 'foreign') return ['foreign']
  if (resolution.kind === 'absent') return [resolution.nameExists ? 'no such record' : 'no such name']
  return resolution.records.map(record => {
    switch (record.type) {
      case 'A':
        return record.address
      case 'SRV':
        return `${record.target}:${record.port}`
      case 'TXT':
        return record.text
      default:
        return record.target
    }
  })
}
const resolve = (name: string, type = 'A'): string[] => shown(names.resolve(name, type))

describe('a service', () => {
  test.each([
    ['web.shop.svc.cluster.local', 'A', ['10.43.0.20']],
    ['web.shop.svc.cluster.local', 'AAAA', ['no such record']],
    ['web.shop.svc.cluster.local', 'SRV', ['web.shop.svc.cluster.local:80', 'web.shop.svc.cluster.local:53']],
    ['_http._tcp.web.shop.svc.cluster.local', 'SRV', ['web.shop.svc.cluster.local:80']],
    ['_dns._udp.web.shop.svc.cluster.local', 'SRV', ['web.shop.svc.cluster.local:53']],
    ['_dns._tcp.web.shop.svc.cluster.local', 'SRV', ['no such name']],
    ['_http._tcp.web.shop.svc.cluster.local', 'A', ['no such record']],
    ['a.web.shop.svc.cluster.local', 'A', ['no such name']],
    ['nothing.shop.svc.cluster.local', 'A', ['no such name']],
    ['web.nowhere.svc.cluster.local', 'A', ['no such name']],
    ['shop.svc.cluster.local', 'A', ['no such record']],
    ['svc.cluster.local', 'A', ['no such record']],
    ['cluster.local', 'A', ['no such record']],
    ['other.cluster.local', 'A', ['no such name']],
  ])('%s %s is %j', (name, type, expected) => {
    expect(resolve(name, type)).toEqual(expected)
  })
})

describe('a headless service', () => {
  test.each([
    ['nodes.shop.svc.cluster.local', 'A', ['10.42.0.5', '10.42.0.6']],
    ['first.nodes.shop.svc.cluster.local', 'A', ['10.42.0.5']],
    ['10-42-0-6.nodes.shop.svc.cluster.local', 'A', ['10.42.0.6']],
    ['first.nodes.shop.svc.cluster.local', 'AAAA', ['no such record']],
    ['10-42-0-7.nodes.shop.svc.cluster.local', 'A', ['no such name']],
    [
      '_http._tcp.nodes.shop.svc.cluster.local',
      'SRV',
      ['first.nodes.shop.svc.cluster.local:8080', '10-42-0-6.nodes.shop.svc.cluster.local:8080'],
    ],
    ['unready.shop.svc.cluster.local', 'A', ['10.42.0.8']],
    ['empty.shop.svc.cluster.local', 'A', ['no such record']],
  ])('%s %s is %j', (name, type, expected) => {
    expect(resolve(name, type)).toEqual(expected)
  })
})

test.each([
  ['outside.shop.svc.cluster.local', 'A', ['db.example.com']],
  ['a.outside.shop.svc.cluster.local', 'A', ['no such name']],
  ['10-42-0-9.shop.pod.cluster.local', 'A', ['10.42.0.9']],
  ['10-42-0-9.shop.pod.cluster.local', 'TXT', ['no such record']],
  ['web.shop.pod.cluster.local', 'A', ['no such name']],
  ['20.0.43.10.in-addr.arpa', 'PTR', ['web.shop.svc.cluster.local']],
  ['5.0.42.10.in-addr.arpa', 'PTR', ['first.nodes.shop.svc.cluster.local']],
  ['6.0.42.10.in-addr.arpa', 'PTR', ['10-42-0-6.nodes.shop.svc.cluster.local']],
  ['20.0.43.10.in-addr.arpa', 'A', ['no such record']],
  ['8.8.8.8.in-addr.arpa', 'PTR', ['foreign']],
  ['dns-version.cluster.local', 'TXT', ['1.1.0']],
  ['example.com', 'A', ['foreign']],
  ['notcluster.local', 'A', ['foreign']],
  ['', 'A', ['foreign']],
])('%s %s is %j', (name, type, expected) => {
  expect(resolve(name, type)).toEqual(expected)
})

test('names change with the objects', async () => {
  await server.local.create<Service>(services, {
    metadata: inShop('late'),
    spec: { clusterIP: '10.43.0.30', ports: [{ port: 80 }] },
  })
  expect(resolve('late.shop.svc.cluster.local')).toEqual(['10.43.0.30'])
  await server.local.delete(services, inShop('late'))
  expect(resolve('late.shop.svc.cluster.local')).toEqual(['no such name'])
  expect(resolve('30.0.43.10.in-addr.arpa', 'PTR')).toEqual(['foreign'])
})
