import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { allKinds } from '../api/kinds/all.ts'
import { machineClock } from '../host/machine-clock.ts'
import { silentLogger } from '../lib/logger.ts'
import { createApiServer } from '../server/api-server.ts'
import { MemoryStore } from '../store/memory-store.ts'
import { eventually } from '../testing/eventually.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { rotateCertificates } from './certificate-rotation.ts'
import { adminAccess, clusterKeys, type ClusterKeys } from './cluster-keys.ts'
import type { ClusterFacts, ClusterPlaces } from './data-directory.ts'
import { systemRandom } from './system.ts'

const dayMs = 86_400_000
const facts: ClusterFacts = {
  format: 1,
  name: 'test',
  nodeName: 'node',
  linkName: 'test',
  network: {
    podCidr: '10.42.0.0/24',
    serviceCidr: '10.43.0.0/16',
    dnsAddress: '10.43.0.10',
    nodeAddress: '10.42.255.1',
    domain: 'cluster.local',
  },
}

/** The certificate that a new connection is shown. */
function shownOn(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()!.fingerprint256)
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

const endpoint = { addresses: ['127.0.0.1'], names: [] }

test('certificates are renewed before they end, without a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-keys-'))
  const places = { keys: join(directory, 'keys') } as ClusterPlaces
  const clock = new FakeClock(Date.now())
  const keys = await clusterKeys(places, facts, clock.now(), endpoint)
  const store = new MemoryStore()
  const server = await createApiServer({
    store,
    kinds: allKinds,
    serviceCidr: '10.43.0.0/16',
    tokenKey: keys.tokenKey,
    tokenIssuer: 'https://kubernetes.default.svc.cluster.local',
    findNodeStreams: () => undefined,
    frontProxy: keys.frontProxy,
    clock: machineClock,
    random: systemRandom,
    logger: silentLogger,
  })
  const port = await server.listen({
    serving: keys.serving,
    clientAuthority: keys.authority.certificate,
    host: '127.0.0.1',
    port: 0,
  })
  const applied: ClusterKeys[] = []
  const stop = rotateCertificates({
    keys,
    clock,
    logger: silentLogger,
    renew: nowMs => clusterKeys(places, facts, nowMs, endpoint),
    apply: renewed => {
      applied.push(renewed)
      server.renewServing(renewed.serving)
    },
  })
  const before = await shownOn(port)
  expect(before).toBe(new X509Certificate(keys.serving.certificate).fingerprint256)
  await clock.advance(240 * dayMs)
  expect(applied).toEqual([])
  await clock.advance(5 * dayMs)
  await eventually('renewed', () => applied.length === 1)
  const [renewed] = applied
  expect(await shownOn(port)).toBe(new X509Certificate(renewed!.serving.certificate).fingerprint256)
  expect(await shownOn(port)).not.toBe(before)
  expect(renewed!.frontProxy.client.certificate).not.toBe(keys.frontProxy.client.certificate)
  expect(renewed!.authority).toEqual(keys.authority)
  expect(adminAccess(places)?.certificate).toBe(renewed!.admin.certificate)
  await clock.advance(250 * dayMs)
  await eventually('renewed again', () => applied.length === 2)
  stop()
  await server.close()
  await store.close()
  rmSync(directory, { recursive: true })
})

test('a renewal that fails is tried again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-keys-'))
  const places = { keys: join(directory, 'keys') } as ClusterPlaces
  const clock = new FakeClock(Date.now())
  const keys = await clusterKeys(places, facts, clock.now(), endpoint)
  let tries = 0
  const stop = rotateCertificates({
    keys,
    clock,
    logger: silentLogger,
    apply: () => {},
    renew: async () => {
      tries++
      throw new Error('disk full')
    },
  })
  await clock.advance(245 * dayMs)
  const first = tries
  expect(first).toBeGreaterThan(0)
  await clock.advance(3_600_000)
  expect(tries).toBe(first + 1)
  stop()
  rmSync(directory, { recursive: true })
})
