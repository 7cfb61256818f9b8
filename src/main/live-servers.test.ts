// Two servers of one cluster, as their leases and the endpoints of `kubernetes` and `kube-dns` show them.
import { expect, onTestFinished, test } from 'vitest'
import { endpoints, endpointSlices, leases, services } from '../api/resources.ts'
import { silentLogger } from '../lib/logger.ts'
import { eventually } from '../testing/eventually.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { startTestServer } from '../testing/in-process-server.ts'
import { portRules } from '../network/service-rules.ts'
import { publishClusterServices } from './cluster-services.ts'
import { keepLiveServers, type LiveServer } from './live-servers.ts'

const network = {
  podCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  dnsAddress: '10.43.0.10',
  nodeAddress: '10.42.255.254',
  domain: 'cluster.local',
}

test('every live server is listed; one that stops goes at once, one that is gone when its lease ends', async () => {
  const server = await startTestServer()
  const client = server.local
  const clock = new FakeClock()
  const told: (readonly LiveServer[])[] = []
  const start = (
    nodeName: string,
    address: string,
    port: number,
    connected = { yes: true },
    advertisedAddress?: string,
  ) =>
    keepLiveServers({
      client: new Proxy(client, {
        get: (target, property) =>
          connected.yes ? (Reflect.get(target, property) as unknown) : () => Promise.reject(new Error('no connection')),
      }),
      clock,
      logger: silentLogger,
      uuid: nodeName,
      self: { nodeName, address, port, ...(advertisedAddress !== undefined && { advertisedAddress }) },
      publish: servers => {
        told.push(servers)
        return publishClusterServices(client, network, servers)
      },
    })
  const addresses = async (service = 'kubernetes', namespace = 'default'): Promise<string[]> =>
    ((await client.get(endpoints, { namespace, name: service })).subsets ?? [])
      .flatMap(({ addresses: list = [], ports = [] }) => list.map(({ ip }) => `${ip}:${ports[0]!.port}`))
      .toSorted((left, right) => (left < right ? -1 : 1))
  onTestFinished(() => server.close())

  const first = await start('a', '10.42.255.254', 6443)
  expect(await addresses()).toEqual(['10.42.255.254:6443'])
  const second = await start('b', '10.44.255.254', 7443, undefined, '192.0.2.7')
  await eventually('that both are listed', async () => (await addresses()).length === 2)
  expect(await addresses()).toEqual(['10.42.255.254:6443', '10.44.255.254:7443'])
  expect(await addresses('kube-dns', 'kube-system')).toEqual(['10.42.255.254:53', '10.44.255.254:53'])
  expect(told.at(-1)).toEqual([
    { nodeName: 'a', address: '10.42.255.254', port: 6443 },
    { nodeName: 'b', address: '10.44.255.254', port: 7443, advertisedAddress: '192.0.2.7' },
  ])
  const kubernetes = await client.get(services, { namespace: 'default', name: 'kubernetes' })
  const slices = (await client.list(endpointSlices, { namespace: 'default' })).items
  expect(slices.length).toBe(2)
  expect(portRules(kubernetes, slices, 'b')[0]!.backends).toEqual([{ address: '10.44.255.254', port: 7443 }])
  expect(portRules(kubernetes, slices, 'c')[0]!.backends.length).toBe(2)
  expect(
    (await client.list(leases, { namespace: 'kube-system' })).items.map(({ metadata, spec }) => [
      metadata.name.length,
      metadata.labels,
      spec.leaseDurationSeconds,
    ]),
  ).toContainEqual([36, { 'apiserver.kubernetes.io/identity': 'kube-apiserver', 'kubernetes.io/hostname': 'b' }, 15])

  await second.stop()
  await eventually('that one is listed', async () => (await addresses()).length === 1)
  await eventually(
    'that its slice is gone',
    async () => (await client.list(endpointSlices, { namespace: 'default' })).items.length === 1,
  )

  const connected = { yes: true }
  await start('c', '10.46.255.254', 6443, connected)
  await eventually('that the third is listed', async () => (await addresses()).length === 2)
  connected.yes = false
  await clock.advance(14_000)
  expect((await addresses()).length).toBe(2)
  await eventually('that the third is missed', async () => {
    await clock.advance(2_500)
    return (await addresses()).length === 1
  })
  expect(await addresses()).toEqual(['10.42.255.254:6443'])
  await first.stop()
})
