import { afterEach, beforeEach, expect, test } from 'vitest'
import { isNotFound } from '../../../api/api-error.ts'
import type { Lease } from '../../../api/generated/models.ts'
import { leases } from '../../../api/resources.ts'
import { formatMicroTime } from '../../../lib/clock.ts'
import { eventually } from '../../../testing/eventually.ts'
import { FakeClock, settle } from '../../../testing/fake-clock.ts'
import { freshNamespace } from '../../../testing/fresh-namespace.ts'
import { startTestServer, type TestServer } from '../../../testing/in-process-server.ts'
import type { DeliveryLease, Taker } from '../ledger.ts'
import { takeDeliveryLease } from './delivery-lease.ts'

const [me, other] = ['me@here (process 1)', 'you@there (process 2)']
let server: TestServer
let clock: FakeClock
let namespace: string
let said: string[]
const held: DeliveryLease[] = []
beforeEach(async () => {
  server = await startTestServer()
  clock = new FakeClock()
  namespace = await freshNamespace(server)
  said = []
})
afterEach(async () => {
  await Promise.all(held.splice(0).map(lease => lease.release()))
  await server.close()
})

const name = () => ({ namespace, name: 'sampan.delivery.web' })
const current = (): Promise<Lease> => server.local.get(leases, name())

async function take(more: Partial<Taker> = {}): Promise<DeliveryLease> {
  const lease = await takeDeliveryLease({
    client: server.local,
    clock,
    place: { environment: 'test', namespace, service: 'web' },
    deployer: me,
    isGone: () => false,
    waiting: text => said.push(text),
    signal: new AbortController().signal,
    ...more,
  })
  held.push(lease)
  return lease
}

const heldByOther = (renewedMs: number): Promise<Lease> =>
  server.local.create<Lease>(leases, {
    metadata: name(),
    spec: { holderIdentity: other, renewTime: formatMicroTime(renewedMs) },
  })

test('where there is no namespace there is nothing to wait for', async () => {
  namespace = 'nowhere'
  await expect(take()).rejects.toThrow('there is no namespace nowhere; a delivery makes it')
})

test('of two at once one is told who the other is', async () => {
  const outcomes = await Promise.allSettled([take(), take({ deployer: other })])
  const refused = outcomes.find(outcome => outcome.status === 'rejected')
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(String(refused?.reason)).toMatch(
    /(me@here|you@there) \(process \d\) delivers "web" to the namespace n\d+ right now; wait until that is done/,
  )
})

test('who is done leaves nothing', async () => {
  await (await take()).release()
  await expect(current()).rejects.toSatisfy(isNotFound)
})

test('who is known to have ended is not waited for', async () => {
  await heldByOther(clock.now())
  await take({ isGone: who => who === other })
  expect((await current()).spec.holderIdentity).toBe(me)
})

test('who has not renewed for minutes is not waited for', async () => {
  await heldByOther(clock.now() - 301_000)
  await take()
  expect((await current()).spec.holderIdentity).toBe(me)
})

test('who stopped renewing is told apart from who goes on', async () => {
  await heldByOther(clock.now() - 60_000)
  const taken = take()
  await eventually('it looks', () => said.some(line => line.includes('looking whether it still does')))
  for (let seconds = 0; seconds < 16; seconds++) {
    await clock.advance(1_000)
    await settle()
  }
  await taken
  expect((await current()).spec.holderIdentity).toBe(me)
})

test('who renews though his clock is late holds it', async () => {
  await heldByOther(clock.now() - 60_000)
  const taken = take()
  taken.catch(() => {})
  await eventually('it looks', () => said.some(line => line.includes('looking whether it still does')))
  const value = { spec: { renewTime: formatMicroTime(clock.now() - 55_000) } }
  await server.local.patch(leases, name(), { type: 'merge', value })
  await clock.advance(1_000)
  await expect(taken).rejects.toThrow('you@there (process 2) delivers "web"')
})

test('a wait ends when it is told to', async () => {
  await heldByOther(clock.now() - 60_000)
  const stop = new AbortController()
  const taken = take({ signal: stop.signal })
  taken.catch(() => {})
  await eventually('it looks', () => said.length > 0)
  stop.abort(new Error('enough'))
  await expect(taken).rejects.toThrow('enough')
})

test('it is renewed, and whose was taken hears of it and leaves it alone', async () => {
  const lease = await take()
  const before = (await current()).spec.renewTime
  await clock.advance(5_000)
  await eventually('it is renewed', async () => (await current()).spec.renewTime !== before)
  await server.local.patch(leases, name(), { type: 'merge', value: { spec: { holderIdentity: other } } })
  await clock.advance(5_000)
  await eventually('it is noticed', () => lease.lost.aborted)
  expect(String(lease.lost.reason)).toContain('you@there (process 2) took this delivery over')
  await lease.release()
  expect((await current()).spec.holderIdentity).toBe(other)
})
