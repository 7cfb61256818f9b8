// The etcd store against real etcd servers: the contract, a cluster of three whose leader is killed again
// and again under writers, and whole API servers that share one etcd.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Service } from '../../src/api/generated/models.ts'
import { configMaps, services } from '../../src/api/resources.ts'
import { machineClock } from '../../src/host/machine-clock.ts'
import { createAuthority, signCertificate } from '../../src/server/auth/certificate-authority.ts'
import { testStore } from '../../src/store/contract.ts'
import { EtcdStore } from '../../src/store/etcd/etcd-store.ts'
import { StoreFailure } from '../../src/store/store.ts'
import { checkedValue } from '../../src/testing/checked-value.ts'
import { EtcdServers } from '../../src/testing/etcd-servers.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestServer } from '../../src/testing/in-process-server.ts'
import { WriteHistory } from '../../src/testing/write-history.ts'

let single: EtcdServers
beforeAll(async () => {
  single = await EtcdServers.start(1)
})
afterAll(() => single.stop())

let number = 0
const openSingle = (root: string): Promise<EtcdStore> =>
  EtcdStore.open({ endpoints: single.endpoints, root, clock: machineClock })

testStore('etcd', {
  open: () => openSingle(`/contract/${number++}`),
  reopen: async store => {
    await store.close()
    return openSingle(`/contract/${number - 1}`)
  },
})

test('an etcd that does not answer is told in one sentence', { timeout: 40_000 }, async () => {
  await expect(EtcdStore.open({ endpoints: ['http://127.0.0.1:1'], root: '/x', clock: machineClock })).rejects.toThrow(
    /^etcd at http:\/\/127\.0\.0\.1:1 does not answer .*check that it runs/,
  )
  await expect(EtcdStore.open({ endpoints: ['127.0.0.1:2379'], root: '/x', clock: machineClock })).rejects.toThrow(
    /expected an etcd endpoint such as/,
  )
})

test('over TLS with a client certificate', async () => {
  const authority = await createAuthority('etcd-ca', 2, Date.now())
  const [serving, client] = await Promise.all([
    signCertificate(authority, { commonName: 'etcd', usage: 'server', days: 1, addresses: ['127.0.0.1'] }, Date.now()),
    signCertificate(authority, { commonName: 'sampan', usage: 'client', days: 1 }, Date.now()),
  ])
  const servers = await EtcdServers.startWithTls({ authority: authority.certificate, ...serving })
  onTestFinished(() => servers.stop())
  const tls = {
    authority: Buffer.from(authority.certificate),
    certificate: Buffer.from(client.certificate),
    key: Buffer.from(client.key),
  }
  const store = await EtcdStore.open({ endpoints: servers.endpoints, root: '/tls', tls, clock: machineClock })
  expect((await store.put('/a', Buffer.from('1'), 0)).ok).toBe(true)
  expect(await store.get('/a')).toMatchObject({ key: '/a' })
  await store.close()
})

test('a large range comes in pages and is one snapshot', async () => {
  const store = await openSingle('/large')
  const keys = Array.from({ length: 4500 }, (_unused, index) => `/k/${String(index).padStart(5, '0')}`)
  for (let from = 0; from < keys.length; from += 500)
    await Promise.all(keys.slice(from, from + 500).map(key => store.put(key, Buffer.from(key), 0)))
  const { entries, count, more } = await store.range('/k/')
  expect([entries.map(({ key }) => key), count, more]).toEqual([keys, 4500, false])
  await store.close()
})

test('API servers that share an etcd show each other every write', async () => {
  const [first, second] = await Promise.all(
    [0, 1].map(async () => startTestServer({ store: await openSingle('/shared') })),
  )
  const created = await first!.local.create(configMaps, {
    metadata: { name: 'a', namespace: 'default' },
    data: { a: '1' },
  } as never)
  await eventually('that the other server shows it', () =>
    second!.local.get(configMaps, { name: 'a', namespace: 'default' }).then(
      found => found.metadata.resourceVersion === created.metadata.resourceVersion,
      () => false,
    ),
  )
  const counted = Array.from({ length: 20 }, (_unused, index) =>
    (index % 2 === 0 ? first! : second!).local.patch(
      configMaps,
      { name: 'a', namespace: 'default' },
      { type: 'merge', value: { data: { [`k${index}`]: 'x' } } },
    ),
  )
  await Promise.all(counted)
  await eventually(
    'that every patch is there',
    async () =>
      Object.keys((await second!.local.get(configMaps, { name: 'a', namespace: 'default' })).data ?? {}).length === 21,
  )
  await Promise.all([first!.close(), second!.close()])
})

test('API servers that share an etcd never give out one address or node port twice', async () => {
  const servers = await Promise.all(
    [0, 1].map(async () => startTestServer({ store: await openSingle('/allocations') })),
  )
  const made = await Promise.all(
    Array.from({ length: 200 }, (_unused, index) =>
      servers[index % 2]!.local.create<Service>(services, {
        metadata: { name: `s${index}`, namespace: 'default' },
        spec: {
          type: 'NodePort',
          ports: [{ port: 80, ...(index < 20 && { nodePort: 30_000 + Math.floor(index / 2) }) }],
        },
      }).catch(() => undefined),
    ),
  )
  const stored = made.filter(service => service !== undefined)
  expect(stored.length).toBe(190)
  expect([
    new Set(stored.map(({ spec }) => spec.clusterIP)).size,
    new Set(stored.map(({ spec }) => spec.ports![0]!.nodePort)).size,
  ]).toEqual([190, 190])
  await Promise.all(servers.map(server => server.close()))
})

describe('a cluster of three', () => {
  const kills = Number(process.env['SAMPAN_ETCD_KILLS'] ?? 4)

  test(`loses no acknowledged write while its leader is killed ${kills} times`, { timeout: 300_000 }, async () => {
    const servers = await EtcdServers.start(3)
    onTestFinished(() => servers.stop())
    const open = (): Promise<EtcdStore> =>
      EtcdStore.open({ endpoints: servers.endpoints, root: '/s', clock: machineClock })
    const store = await open()
    const history = new WriteHistory('/w/', await store.currentRevision())
    const live: number[] = []
    await store.watch('/w/', 0, events => {
      for (const { entry } of events) live.push(entry.revision)
    })
    let running = true
    let unknown = 0
    const writing = Promise.all(
      Array.from({ length: 16 }, async (_unused, writer) => {
        for (let serial = 0; running; serial++) {
          const key = `/w/${(writer + serial) % 20}`
          const name = `${writer}.${serial}`
          try {
            const current = await store.get(key)
            const isDeletion = current !== undefined && serial % 5 === 4
            history.note(`${isDeletion ? 'delete' : 'put'} ${name} ${key}`)
            const result = isDeletion
              ? await store.delete(key, current.revision)
              : await store.put(key, checkedValue(name, serial % 3000), current?.revision ?? 0)
            if (!result.ok) continue
            expect(live.at(-1), 'the watcher sees it before the writer').toBeGreaterThanOrEqual(result.revision)
            history.note(`done ${name} ${result.revision}`)
          } catch (error) {
            if (!(error instanceof StoreFailure)) throw error
            unknown++
          }
        }
      }),
    )
    for (let kill = 0; kill < kills; kill++) {
      await sleep(500 + Math.random() * 1000)
      const leader = await eventually('that there is a leader', async () => {
        const found = await servers.leader()
        return found === undefined ? undefined : { index: found }
      })
      await servers.kill(leader.index)
      await eventually('that there is a new leader', async () => (await servers.leader()) !== undefined, 30_000)
      await sleep(500)
      servers.startMember(leader.index)
    }
    await sleep(500)
    running = false
    await writing
    expect(live).toEqual([...new Set(live)].sort((left, right) => left - right))
    const fresh = await open()
    await history.check(fresh, false)
    await Promise.all([store.close(), fresh.close()])
    console.log(
      `${kills} leaders killed, ${history.acknowledgedWrites} acknowledged writes, ${unknown} of unknown fate`,
    )
    expect(history.acknowledgedWrites).toBeGreaterThan(kills * 50)
  })
})
