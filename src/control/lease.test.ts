import { beforeEach, afterEach, describe, expect, onTestFinished, test } from 'vitest'
import type { Client } from '../client/client.ts'
import { isConflict } from '../api/api-error.ts'
import { events, leases } from '../api/resources.ts'
import { silentLogger } from '../lib/logger.ts'
import { eventually } from '../testing/eventually.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import type { TestServer } from '../testing/in-process-server.ts'
import { startTestServer } from '../testing/in-process-server.ts'
import { createEventRecorder } from './event-recorder.ts'
import { holdLease, type HeldLease } from './lease.ts'
import { runWhileLeading } from './while-leading.ts'

let server: TestServer
let clock: FakeClock
const name = { namespace: 'kube-system', name: 'leader' }

beforeEach(async () => {
  server = await startTestServer()
  clock = new FakeClock()
})
afterEach(() => server.close())

function candidate(identity: string, client: Client = server.local): { held: HeldLease; log: string[] } {
  const log: string[] = []
  const held = holdLease({
    client,
    clock,
    logger: silentLogger,
    name,
    identity,
    onAcquired: () => log.push('acquired'),
    onLost: () => log.push('lost'),
  })
  onTestFinished(() => held.release())
  return { held, log }
}

/** A client that a broken network can be put in front of. */
function severable(): { client: Client; sever: () => void } {
  let severed = false
  const client = new Proxy(server.local as Client, {
    get: (target, property) => {
      const member = target[property as keyof Client] as (...args: unknown[]) => unknown
      return (...args: unknown[]) =>
        severed && (property === 'get' || property === 'update')
          ? Promise.reject(new Error('no connection'))
          : member.apply(target, args)
    },
  })
  return { client, sever: () => void (severed = true) }
}

describe('a lease', () => {
  test('has one holder; another one follows at once when it is given up', async () => {
    const first = candidate('first')
    await eventually('leadership', () => first.held.leading)
    const second = candidate('second')
    await clock.advance(60_000)
    expect([first.log, second.log]).toEqual([['acquired'], []])
    await first.held.release()
    // Without any time passing.
    await eventually('succession', () => second.held.leading)
    expect(second.log).toEqual(['acquired'])
    expect((await server.local.get(leases, name)).spec).toMatchObject({
      holderIdentity: 'second',
      leaseDurationSeconds: 15,
      leaseTransitions: 2 - 1,
    })
  })

  test('of a holder that is cut off ends for it before somebody else takes over, within 15 s', async () => {
    const { client, sever } = severable()
    const first = candidate('first', client)
    await eventually('leadership', () => first.held.leading)
    const second = candidate('second')
    await clock.advance(4_000)
    sever()
    let lostAfterMs: number | undefined
    for (let passedMs = 0; !second.held.leading && passedMs <= 20_000; passedMs += 500) {
      await clock.advance(500)
      expect(first.held.leading && second.held.leading).toBe(false)
      if (!first.held.leading) lostAfterMs ??= passedMs
      if (second.held.leading) expect(passedMs).toBeLessThanOrEqual(17_000)
    }
    expect(lostAfterMs).toBeLessThanOrEqual(10_000)
    expect([first.log, second.log]).toEqual([['acquired', 'lost'], ['acquired']])
  })

  test('is not taken early because the clock of the holder is slow', async () => {
    await server.local.create(leases, {
      metadata: { ...name },
      spec: { holderIdentity: 'slow', leaseDurationSeconds: 15, renewTime: '2001-01-01T00:00:00.000000Z' },
    })
    const { held } = candidate('second')
    await clock.advance(14_000)
    expect(held.leading).toBe(false)
    await clock.advance(4_000)
    expect(held.leading).toBe(true)
  })

  test('of an earlier process of the same server is taken at once', async () => {
    await server.local.create(leases, {
      metadata: { ...name },
      spec: { holderIdentity: 'a_1', leaseDurationSeconds: 15 },
    })
    const log: string[] = []
    const held = holdLease({
      client: server.local,
      clock,
      logger: silentLogger,
      name,
      identity: 'a_2',
      isGone: holder => holder.startsWith('a_'),
      onAcquired: () => log.push('acquired'),
      onLost: () => {},
    })
    onTestFinished(() => held.release())
    await eventually('leadership', () => log.length === 1)
  })

  test('that somebody took over is lost', async () => {
    const leader = candidate('leader')
    await eventually('leadership', () => leader.held.leading)
    await eventually('usurpation', async () => {
      const lease = await server.local.get(leases, name)
      return server.local
        .update(leases, { ...lease, spec: { ...lease.spec, holderIdentity: 'usurper', leaseDurationSeconds: 60 } })
        .then(
          () => true,
          error => (isConflict(error) ? false : Promise.reject(error as Error)),
        )
    })
    await eventually('resignation', async () => {
      await clock.advance(2_000)
      return leader.log.includes('lost')
    })
    expect(leader.held.leading).toBe(false)
  })
})

test('who became leader and who stopped stands in events of the lease, and the lease keeps its count', async () => {
  const leader = (identity: string) => {
    const recorder = createEventRecorder({
      client: server.local,
      clock,
      logger: silentLogger,
      component: 'kube-controller-manager',
    })
    const held = holdLease({
      client: server.local,
      clock,
      logger: silentLogger,
      name,
      identity,
      events: recorder,
      onAcquired: () => {},
      onLost: () => {},
    })
    onTestFinished(() => held.release())
    return { held, recorder }
  }
  const [first, second] = [leader('a_1'), leader('b_2')]
  await eventually('leadership', () => first.held.leading || second.held.leading)
  const [one, other] = first.held.leading ? [first, second] : [second, first]
  const acquired = (await server.local.get(leases, name)).spec
  expect(acquired).toMatchObject({
    leaseTransitions: 0,
    renewTime: acquired.acquireTime,
    acquireTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
  })
  await clock.advance(2_000)
  await eventually(
    'a renewal',
    async () => (await server.local.get(leases, name)).spec.renewTime !== acquired.renewTime,
  )
  expect((await server.local.get(leases, name)).spec.acquireTime).toBe(acquired.acquireTime)
  await one.held.release()
  await eventually('succession', () => other.held.leading)
  await other.recorder.flush()
  const { uid } = (await server.local.get(leases, name)).metadata
  const [before, after] = one === first ? ['a_1', 'b_2'] : ['b_2', 'a_1']
  const told = (await server.local.list(events, { namespace: name.namespace })).items.map(
    ({ type, reason, message, involvedObject, source }) => ({
      type,
      reason,
      message,
      uid: involvedObject.uid,
      kind: `${involvedObject.apiVersion} ${involvedObject.kind}`,
      from: source?.component,
    }),
  )
  const event = (message: string) => ({
    type: 'Normal',
    reason: 'LeaderElection',
    message,
    uid,
    kind: 'coordination.k8s.io/v1 Lease',
    from: 'kube-controller-manager',
  })
  expect(told).toHaveLength(3)
  expect(told).toEqual(
    expect.arrayContaining(
      [`${before} became leader`, `${before} stopped leading`, `${after} became leader`].map(event),
    ),
  )
})

test('work runs on one server at a time, and is over before the lease is given up', async () => {
  const log: string[] = []
  const work = (identity: string) =>
    runWhileLeading({
      client: server.local,
      clock,
      logger: silentLogger,
      name,
      identity,
      start: async () => {
        log.push(`${identity} starts`)
        return {
          stop: async () => {
            log.push(`${identity} stops, leader ${(await server.local.get(leases, name)).spec.holderIdentity}`)
          },
        }
      },
    })
  const first = work('a')
  await eventually('the first start', () => log.length === 1)
  const second = work('b')
  await clock.advance(30_000)
  await first.stop()
  await eventually('the second start', () => log.length === 3)
  await second.stop()
  expect(log).toEqual(['a starts', 'a stops, leader a', 'b starts', 'b stops, leader b'])
})
