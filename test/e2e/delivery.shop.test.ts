// The shop of examples/shop on a fresh cluster: delivered with one command, used, upgraded as one release, taken back as
// one when a service of it fails, and taken away.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ClusterFixture,
  reasonToSkipCluster,
  sampanProgram,
  succeeded,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { localServers, shopFolder, shopServices, warmShop } from './shop.ts'

const reason = reasonToSkipCluster()
const url = 'http://127.0.0.1:30090'

interface Shown {
  readonly version: string
  readonly orders: readonly { readonly id: number; readonly article: string }[]
}

describe.skipIf(reason !== undefined)(`the shop${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let shop: string
  beforeAll(async () => {
    await warmShop()
    cluster = await ClusterFixture.up('shop')
    shop = join(cluster.directory, 'shop')
    cpSync(shopFolder, shop, { recursive: true })
    await localServers(cluster, shop)
  }, 300_000)
  afterAll(() => cluster?.close())

  const sampan = (...args: string[]): Promise<Result> =>
    cluster.run(sampanProgram, args, { directory: shop, timeoutMs: 240_000 })
  const shown = async (): Promise<Shown> => JSON.parse(await cluster.curl(url)) as Shown
  const buy = async (article: string): Promise<number> => {
    const answer = await cluster.curl(`${url}/buy`, '--data', JSON.stringify({ article }))
    return (JSON.parse(answer) as { id: number }).id
  }
  const mails = async (): Promise<string> => succeeded(await sampan('logs', '-e', 'test', 'mail')).out
  const schema = async (): Promise<string> =>
    succeeded(await sampan('run', '-e', 'test', 'orders', '--', 'node', 'src/migrate.ts', 'version')).out.trim()
  const versions = async (): Promise<string[]> =>
    (JSON.parse((await sampan('status', '-e', 'test', '-o', 'json')).out) as { service: string; version: string }[])
      .map(({ service, version }) => `${service} ${version}`)
      .toSorted()
  /** Rewrites a file of the shop. */
  function change(file: string, by: (text: string) => string): void {
    const path = join(shop, file)
    const text = readFileSync(path, 'utf8')
    const changed = by(text)
    expect(changed).not.toBe(text)
    writeFileSync(path, changed)
  }
  /** As `npm version` would. */
  function release(version: string): void {
    for (const service of shopServices)
      change(`${service}/package.json`, text => text.replace(/"version": ".*"/, `"version": "${version}"`))
  }

  test('comes with one command: images, servers, schema, services in their order', async () => {
    const { err } = succeeded(await sampan('deploy', '-e', 'test'))
    for (const service of shopServices) expect(err).toContain(`${service}: build: pushed`)
    const line = (text: string): number => err.indexOf(text)
    expect(line('orders: start the postgres server orders-postgres')).toBeGreaterThan(-1)
    expect(line('mail: start the rabbitmq server mail-rabbitmq')).toBeGreaterThan(-1)
    for (const needed of ['orders: roll out 1.0.0', 'mail: roll out 1.0.0'])
      expect(line(needed)).toBeLessThan(line('web: roll out 1.0.0'))
    const status = await sampan('status', '-e', 'test')
    expect(status.code).toBe(0)
    for (const service of shopServices)
      expect(status.out).toMatch(new RegExp(String.raw`^${service} +1 +1\.0\.0 +well `, 'm'))
  }, 300_000)

  test('takes an order, and sends a mail about it', async () => {
    const id = await buy('a boat')
    expect(await shown()).toMatchObject({
      version: '1.0.0',
      orders: expect.arrayContaining([{ id, article: 'a boat', at: expect.any(String) as string }]) as unknown,
    })
    await eventually('the mail is sent', async () => (await mails()).includes(`sent: thank you for order ${id}`))
  })

  test('runs the digest now', async () => {
    expect(succeeded(await sampan('run', '-e', 'test', 'mail', 'digest')).out).toBe('the digest is in the queue\n')
    await eventually('the digest is sent', async () => (await mails()).includes('sent: digest of '))
  })

  test('is upgraded as one, its schema too', async () => {
    release('2.0.0')
    change('orders/src/changes.ts', text =>
      text.replace(/\n\]/, `\n  { up: 'alter table orders add note text', down: 'alter table orders drop note' },\n]`),
    )
    succeeded(await sampan('deploy', '-e', 'test', '--together'))
    expect(await versions()).toEqual(['mail 2.0.0', 'orders 2.0.0', 'web 2.0.0'])
    expect(await shown()).toMatchObject({ version: '2.0.0' })
    expect(await schema()).toBe('2')
  }, 300_000)

  test('is taken back as one when its last service fails: code, schema, and what was bought stays', async () => {
    const id = await buy('an oar')
    release('3.0.0')
    change('orders/src/changes.ts', text =>
      text.replace(/\n\]/, `\n  { up: 'create table gifts (x int)', down: 'drop table gifts' },\n]`),
    )
    change('web/src/buy-one.ts', text => `${text}\nprocess.exit(7)\n`)
    const { code, err } = await sampan('deploy', '-e', 'test', '--together')
    expect(code).toBe(1)
    expect(err).toMatch(/web .*check what runs now: node src\/buy-one\.ts: it ended with exit code 7/)
    expect(err).toContain('what was delivered together was taken back together')
    expect(await versions()).toEqual(['mail 2.0.0', 'orders 2.0.0', 'web 2.0.0'])
    expect(await schema()).toBe('2')
    expect((await sampan('status', '-e', 'test')).code).toBe(0)
    expect((await shown()).orders.map(({ article }) => article)).toContain('an oar')
    expect(await buy('a sail')).toBeGreaterThan(id)
  }, 300_000)

  test('delete leaves the data of a service, and env delete nothing', async () => {
    const deleted = succeeded(await sampan('delete', '-e', 'test', 'web', '--yes'))
    expect(deleted.err).toContain('web is gone from test')
    const orders = succeeded(await sampan('delete', '-e', 'test', 'orders', '--yes'))
    expect(orders.err).toContain('the data of orders-postgres stays')
    succeeded(await sampan('env', 'delete', 'test', '--yes'))
    expect((await cluster.kubectl('get', 'namespace', 'test')).err).toContain('not found')
    await eventually(
      'no volume is left',
      async () => (await cluster.show('get', 'persistentvolumes', '-o', 'name')) === '',
    )
  }, 300_000)
})
