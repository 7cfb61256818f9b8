// Places of servers in a store that they share, and how they become free again.
import { expect, onTestFinished, test } from 'vitest'
import { leases, nodes } from '../api/resources.ts'
import { silentLogger } from '../lib/logger.ts'
import { MemoryStore } from '../store/memory-store.ts'
import { eventually } from '../testing/eventually.ts'
import { startTestServer } from '../testing/in-process-server.ts'
import { leaseOfServer, type LiveServer } from './live-servers.ts'
import {
  claimPlace,
  countPlaces,
  freeDeletedPlaces,
  leavePlace,
  reservedRanges,
  reserveName,
  reserveRange,
} from './reserved-places.ts'

const first = { nodeName: 'a', podCidr: '10.42.0.0/16' }
const second = { nodeName: 'b', podCidr: '10.44.0.0/16' }

test("a range of pods and a name are one node's", async () => {
  const store = new MemoryStore()
  await claimPlace(store, first)
  expect(await reserveRange(store, first.podCidr, 'b')).toBe(false)
  expect(await reserveRange(store, second.podCidr, 'b')).toBe(true)
  expect(await reserveName(store, 'a', second.podCidr)).toBe(false)
  expect(await reserveName(store, 'b', second.podCidr)).toBe(true)
  expect([await reservedRanges(store), await countPlaces(store)]).toEqual([[first.podCidr, second.podCidr], 2])
  await claimPlace(store, first)
})

test('a name that was taken, so that another one was found for the range, is claimed and freed as any', async () => {
  const store = new MemoryStore()
  await claimPlace(store, first)
  const joined = { nodeName: 'a-44', podCidr: second.podCidr }
  await reserveRange(store, joined.podCidr, 'a')
  await reserveName(store, joined.nodeName, joined.podCidr)
  await claimPlace(store, joined)
  await leavePlace(store, joined)
  expect([await reservedRanges(store), await countPlaces(store)]).toEqual([[first.podCidr], 1])
})

test('who leaves takes its node, its leases and its place away, and nothing of others', async () => {
  const store = new MemoryStore()
  const server = await startTestServer({ store })
  onTestFinished(() => server.close())
  const { local } = server
  for (const place of [first, second]) {
    await claimPlace(store, place)
    await local.create(nodes, { metadata: { name: place.nodeName }, spec: { podCIDR: place.podCidr } })
    await local.create(leases, { metadata: { namespace: 'kube-node-lease', name: place.nodeName }, spec: {} })
    const [namespace, name] = leaseOfServer(place.nodeName).split('/')
    await local.create(leases, { metadata: { namespace: namespace!, name: name! }, spec: {} })
  }
  const left = async (): Promise<string[]> =>
    [...(await local.list(nodes)).items, ...(await local.list(leases)).items].map(({ metadata }) => metadata.name)
  // The name is one's own, the range another's: nothing to take away.
  await leavePlace(store, { nodeName: 'a', podCidr: second.podCidr })
  expect(await left()).toHaveLength(6)
  await leavePlace(store, first)
  await eventually('that what was of the first is gone', async () => (await left()).length === 3)
  expect((await left()).includes('a')).toBe(false)
  expect(await reservedRanges(store)).toEqual([second.podCidr])
  await leavePlace(store, first)
  await claimPlace(store, first)
})

test('the place of a server that is gone is free once its node is deleted; the server notices when another one took it', async () => {
  const store = new MemoryStore()
  const server = await startTestServer({ store })
  onTestFinished(() => server.close())
  const { local } = server
  let servers: LiveServer[] = [
    { nodeName: 'a', address: '', port: 1 },
    { nodeName: 'b', address: '', port: 1 },
  ]
  const following = freeDeletedPlaces({ client: local, store, logger: silentLogger, servers: () => servers })
  onTestFinished(() => following.stop())
  for (const place of [first, second]) {
    await claimPlace(store, place)
    await local.create(nodes, { metadata: { name: place.nodeName }, spec: {} })
  }
  // Alive: the node may come back with the next start.
  await local.delete(nodes, { name: 'b' })
  expect(await reservedRanges(store)).toHaveLength(2)
  servers = servers.slice(0, 1)
  following.serversGone(['b'])
  await eventually('that the place is free', async () => (await reservedRanges(store)).length === 1)
  // First gone, then deleted.
  servers = []
  following.serversGone(['a'])
  expect(await reservedRanges(store)).toEqual([first.podCidr])
  await local.delete(nodes, { name: 'a' })
  await eventually(
    'that the other place is free, too',
    async () => (await countPlaces(store)) === 0 && (await reservedRanges(store)).length === 0,
  )

  await claimPlace(store, { nodeName: 'c', podCidr: first.podCidr })
  await expect(claimPlace(store, first)).rejects.toThrow(
    /the node "a" with the range 10\.42\.0\.0\/16 was deleted while this server was down, and another server has its place now; take this one away with "sampan down --purge"/,
  )
  expect([await reservedRanges(store), await countPlaces(store)]).toEqual([[first.podCidr], 1])
})
