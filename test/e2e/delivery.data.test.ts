// The data of a service on a PostgreSQL that exists already: saved, restored, kept when the service is deleted, and
// taken away with it when that is wanted.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkipCluster, succeeded } from '../../src/testing/cluster-fixture.ts'
import { OrdersService } from './orders-service.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(`data of services${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let orders: OrdersService
  let file: string
  beforeAll(async () => {
    orders = await OrdersService.delivered('data')
    file = join(orders.directory, 'orders.sql')
    await orders.asked(
      'create table kept as select generate_series(1, 1000) as number; alter table kept owner to test_orders',
    )
  }, 300_000)
  afterAll(() => orders?.close())

  const count = (): Promise<string> => orders.asked('select count(*) from kept')
  const databases = (): Promise<string> =>
    orders.asked("select count(*) from pg_database where datname = 'test_orders'", 'postgres')
  const users = (): Promise<string> =>
    orders.asked("select count(*) from pg_roles where rolname = 'test_orders'", 'postgres')

  test('a backup is one file that only its owner reads, and brings everything back', async () => {
    const saved = succeeded(await orders.sampan('data', 'backup', '-e', 'test', 'orders', '--file', file))
    expect(saved.err).toContain(`saved postgres database test_orders`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toContain('kept')
    expect((await orders.sampan('data', 'backup', '-e', 'test', 'orders', '--file', file)).err).toContain('--force')

    await orders.asked('delete from kept where number > 10')
    const refused = await orders.sampan('data', 'restore', '-e', 'test', 'orders', 'postgres', '--file', file)
    expect([refused.code, await count()]).toEqual([1, '10'])
    succeeded(await orders.sampan('data', 'restore', '-e', 'test', 'orders', 'postgres', '--file', file, '--yes'))
    expect(await count()).toBe('1000')
  })

  test('a backup that fails leaves no file', async () => {
    const other = join(orders.directory, 'other.sql')
    const wrong = await orders.sampan('data', 'backup', '-e', 'test', 'orders', 'redis', '--file', other)
    expect(wrong.err).toContain('"orders" has postgres, and no redis in test')
    expect([wrong.code, existsSync(other), existsSync(`${other}.part`)]).toEqual([1, false, false])
  })

  test('stays when the service is deleted, and goes with it when that is wanted', async () => {
    succeeded(await orders.sampan('delete', '-e', 'test', 'orders', '--yes'))
    expect([await databases(), await users(), await count()]).toEqual(['1', '1', '1000'])
    succeeded(await orders.sampan('deploy', '-e', 'test', 'orders:1.0.0'))
    expect(await count()).toBe('1000')
    const gone = succeeded(await orders.sampan('delete', '-e', 'test', 'orders', '--with-data', '--yes'))
    expect(gone.err).toContain('drop test_orders on the postgres server')
    expect([await databases(), await users()]).toEqual(['0', '0'])
  })
})
