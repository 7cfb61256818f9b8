import { afterAll, beforeAll, expect, test } from 'vitest'
import { leases } from '../api/resources.ts'
import { silentLogger } from '../lib/logger.ts'
import { eventually } from '../testing/eventually.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import type { TestServer } from '../testing/in-process-server.ts'
import { startTestServer } from '../testing/in-process-server.ts'
import { holdLease } from './lease.ts'

let server: TestServer
const clock = new FakeClock()
const name = { namespace: 'default', name: 'leader' }

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

function candidate(identity: string) {
  const log: string[] = []
  const held = holdLease({ client: server.local, clock, logger: silentLogger, name, identity, onAcquired: () => log.push('acquired'), onLost: () => log.push('lost') })
  return { held, log }
}

test('one of two leads; the other follows when the lease is given up', async () => {
  const first = candidate('first')
  await eventually('leadership', () => first.held.leading)
  const second = candidate('second')
  await clock.advance(10_000)
  expect([first.log, second.log]).toEqual([['acquired'], []])
  await first.held.release()
  await eventually('succession', async () => {
    await clock.advance(2_000)
    return second.held.leading
  })
  expect(second.log).toEqual(['acquired'])
  expect((await server.local.get(leases, name)).spec).toMatchObject({ holderIdentity: 'second', leaseTransitions: 1 })
  await second.held.release()
})

test('a leader whose lease was taken over steps down', async () => {
  const leader = candidate('leader')
  await eventually('leadership', () => leader.held.leading)
  const lease = await server.local.get(leases, name)
  await server.local.update(leases, { ...lease, spec: { ...lease.spec, holderIdentity: 'usurper', leaseDurationSeconds: 60 } })
  await eventually('resignation', async () => {
    await clock.advance(2_000)
    return leader.log.includes('lost')
  })
  expect(leader.held.leading).toBe(false)
  await leader.held.release()
})
