// A delivery that is killed in steps of its plan, and by `npm run thorough-test` before, in and after each of them:
// whoever comes next finishes it or takes it back, and everything that a release brings is as it should be.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkipCluster, succeeded } from '../../src/testing/cluster-fixture.ts'
import { tried } from '../../src/testing/thoroughness.ts'
import { OrdersService, type OrdersState } from './orders-service.ts'

const reason = reasonToSkipCluster()
const steps = [
  'postgres',
  'migrate',
  'candidate',
  'check-before',
  'candidate-end',
  'rollout',
  'entrance',
  'schedules',
  'routes',
  'check-after',
  'notify-team',
]
const everywhere = steps.flatMap(step => ['before', 'in', 'after'].map(moment => `${step}:${moment}`))
const points = tried(everywhere, ['migrate:in', 'schedules:in'])

describe.skipIf(reason !== undefined)(`killed deliveries${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let orders: OrdersService
  let first: OrdersState
  beforeAll(async () => {
    orders = await OrdersService.delivered('killed')
    first = await orders.state()
  }, 300_000)
  afterAll(() => orders?.close())

  test('these are all the steps', async () => {
    const { out } = succeeded(await orders.sampan('deploy', '-e', 'test', 'orders:2.0.0', '--dry-run', '-o', 'json'))
    expect((JSON.parse(out) as { steps: { id: string }[] }).steps.map(({ id }) => id)).toEqual(steps)
    expect(first).toMatchObject({ serves: '1.0.0', schema: '1', schedule: '1.0.0' })
  })

  test.each(points)(
    '%s',
    async point => {
      const killed = await orders.killedSampan({ KILL_AT: point }, 'deploy', '-e', 'test', 'orders:2.0.0')
      expect([killed.code, killed.err]).toEqual([null, expect.any(String)])
      const taken = succeeded(await orders.sampan('rollback', '-e', 'test', 'orders'))
      expect(taken.err).toContain('was interrupted half-way; taking it back')
      expect(await orders.state()).toEqual(first)

      await orders.killedSampan({ KILL_AT: point }, 'deploy', '-e', 'test', 'orders:2.0.0')
      const finished = succeeded(await orders.sampan('deploy', '-e', 'test', 'orders', '--resume'))
      expect(finished.err).toContain('going on with release')
      expect(await orders.state()).toMatchObject({ ...first, serves: '2.0.0', schema: '2', schedule: '2.0.0' })
      succeeded(await orders.sampan('rollback', '-e', 'test', 'orders'))
      expect(await orders.state()).toEqual(first)
    },
    120_000,
  )
})
