// Steps that fail, and an API server and a database that are killed while a delivery is under way: the old version
// serves, the schema and the schedules are the old ones, and the next delivery works.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkipCluster, succeeded } from '../../src/testing/cluster-fixture.ts'
import { tried } from '../../src/testing/thoroughness.ts'
import { OrdersService, type OrdersState } from './orders-service.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(`failed deliveries${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let orders: OrdersService
  let first: OrdersState
  beforeAll(async () => {
    orders = await OrdersService.delivered('failures')
    first = await orders.state()
  }, 300_000)
  afterAll(() => orders?.close())

  const deploy = (version: string, ...args: string[]): ReturnType<OrdersService['sampan']> =>
    orders.sampan('deploy', '-e', 'test', `orders:${version}`, ...args)
  const build = (version: string): Promise<void> =>
    orders.cluster.build(`${orders.directory}/orders`, `orders:${version}`)

  test.each<[string, string, (orders: OrdersService) => () => void, RegExp]>([
    [
      'a migration that ends half-way',
      '3.0.0',
      service =>
        service.changed('src/changes.ts', text =>
          text.replace(
            /\n\]/,
            `\n  { up: 'create table half (x int); alter table nothing add y int', down: 'drop table half' },\n]`,
          ),
        ),
      /migrate the schema: node src\/migrate\.ts up: it ended with exit code 1[\s\S]*relation "nothing" does not exist/,
    ],
    [
      'a check before it gets requests',
      '3.1.0',
      service => service.changed('src/smoke.ts', () => `console.error('not today'); process.exit(3)`),
      /check the new version before it gets requests: .*exit code 3\nits last lines:\n\s+\| not today/,
    ],
    [
      'instances that end',
      '3.2.0',
      service => service.changed('src/main.ts', () => `console.error('no database'); process.exit(4)`),
      /keeps crashing: it ended with exit code 4[\s\S]*no database/,
    ],
    [
      'a check of what runs',
      '3.3.0',
      service =>
        service.changed('app.yml', text => text.replace('after: node src/smoke.ts', 'after: node src/none.ts')),
      /check what runs now: node src\/none\.ts: it ended with exit code 1/,
    ],
    [
      'a hook that is not there',
      '3.4.0',
      service => service.changedTeam(text => text.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:9')),
      /the hook "team" could not be told/,
    ],
    [
      'a schedule that the cluster refuses',
      '3.5.0',
      service =>
        service.changed('app.yml', text =>
          text.replace(
            'report: {',
            'overlong: { every: PT12H, run: node x.js, timeLimit: PT100000000000S }, report: {',
          ),
        ),
      /./,
    ],
  ])(
    '%s: all of it is taken back',
    async (_what, version, change, words) => {
      const restore = change(orders)
      await build(version)
      const { code, err } = await deploy(version)
      restore()
      expect(code).toBe(1)
      expect(err).toMatch(words)
      expect(await orders.state()).toEqual(first)
    },
    120_000,
  )

  test('after all of that a delivery works, and a rollback takes schema and code back', async () => {
    succeeded(await deploy('2.0.0'))
    expect(await orders.state()).toMatchObject({ serves: '2.0.0', schema: '2', schedule: '2.0.0' })
    succeeded(await orders.sampan('rollback', '-e', 'test', 'orders'))
    expect(await orders.state()).toEqual(first)
  })

  const killedIn = ['postgres', 'migrate', 'check-before', 'rollout', 'schedules', 'check-after']
  test.each(tried(killedIn, ['migrate', 'rollout']))(
    'the API server is killed in the step %s: the delivery can be taken back, and finished',
    async step => {
      const { cluster } = orders
      const killing = async (): Promise<void> => {
        const KILL_PID = String(await cluster.serverPid())
        // It waits until its lease has run out: for nobody, because the server is started again afterwards.
        const killed = { KILL_AT: `${step}:in`, KILL_PID, HURRIED: '20' }
        await orders.killedSampan(killed, 'deploy', '-e', 'test', 'orders:2.0.0')
        succeeded(await cluster.up())
      }
      await killing()
      expect(await orders.isPending()).toBe(true)
      succeeded(await orders.sampan('rollback', '-e', 'test', 'orders'))
      expect(await orders.state()).toEqual(first)

      await killing()
      succeeded(await orders.sampan('deploy', '-e', 'test', 'orders', '--resume'))
      expect(await orders.state()).toMatchObject({ serves: '2.0.0', schema: '2' })
      succeeded(await orders.sampan('rollback', '-e', 'test', 'orders'))
      expect(await orders.state()).toEqual(first)
    },
    180_000,
  )

  test('the database is killed while it migrates: all of it is taken back once it is there again', async () => {
    const KILL_PID = String(orders.postgres.pid())
    await orders.killedSampan({ KILL_AT: 'migrate:before', KILL_PID }, 'deploy', '-e', 'test', 'orders:2.0.0')
    await orders.postgres.startAgain()
    if (await orders.isPending()) succeeded(await orders.sampan('rollback', '-e', 'test', 'orders'))
    expect(await orders.state()).toEqual(first)
    succeeded(await deploy('2.0.0'))
    succeeded(await orders.sampan('rollback', '-e', 'test', 'orders'))
    expect(await orders.state()).toEqual(first)
  })
})
