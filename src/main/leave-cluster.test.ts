import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Clock } from '../lib/clock.ts'
import type { ClusterFacts, ClusterPlaces } from './data-directory.ts'
import { leaveCluster } from './leave-cluster.ts'
import { rememberStore } from './open-store.ts'

const data = mkdtempSync(join(tmpdir(), 'sampan-leave-'))
const places = { name: 'test', data, keys: join(data, 'keys'), database: join(data, 'store.db') } as ClusterPlaces
const facts = { nodeName: 'one', network: { podCidr: '10.42.0.0/16' } } as ClusterFacts
afterAll(() => rmSync(data, { recursive: true }))

/** The address of a port that nobody listens on. */
async function deadAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => {
    server.close(resolve)
  })
  return `http://127.0.0.1:${port}`
}

test('a server leaves without etcd after three seconds, and says what it waits for and what stays', async () => {
  const address = await deadAddress()
  rememberStore(places, { store: `etcd=${address}` })
  let waitedMs = 0
  // Time passes as soon as somebody waits for it.
  const clock: Clock = {
    now: () => waitedMs,
    after(delayMs, callback) {
      const timer = setImmediate(() => {
        waitedMs += delayMs
        callback()
      })
      return { cancel: () => clearImmediate(timer) }
    },
  }
  const waits: string[] = []
  const left = await leaveCluster(places, facts, clock, text => waits.push(text))
  expect(waits).toEqual([`giving back the place of node "one" in etcd at ${address}`])
  expect(left).toMatch(
    /^its node "one" and the range 10\.42\.0\.0\/16 stay reserved in etcd \(etcd at http:.* does not answer .* with: kubectl delete node one$/,
  )
  expect(waitedMs).toBeLessThan(3_200)
})
