// The shop's service `orders` with all that a release can have, for tests of deliveries: its database on a PostgreSQL
// that exists already, a hook that listens, and two versions, of which the second one brings a change of the schema.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  ClusterFixture,
  folder,
  repository,
  succeeded,
  warmLayers,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { startPostgres, type PostgresServer } from '../../src/testing/service-servers.ts'
import { eventually } from '../../src/testing/eventually.ts'

export const ordersUrl = 'http://127.0.0.1:30091/orders'

const manifest = `name: orders
ports: { http: { port: 3000, nodePort: 30091 } }
health: { http: /healthz }
stopSeconds: 1
postgres: true
migrate:
  up: node src/migrate.ts up
  down: node src/migrate.ts down
  version: node src/migrate.ts version
checks: { before: node src/smoke.ts, after: node src/smoke.ts }
files: { /etc/orders/rules.json: rules.json }
secrets: [TOKEN]
schedules: { report: { every: PT12H, run: node src/smoke.ts } }
routes: [{ host: orders, path: / }]
notify: [team]
`

function rewritten(path: string, by: (text: string) => string): () => void {
  const before = readFileSync(path, 'utf8')
  writeFileSync(path, by(before))
  return () => writeFileSync(path, before)
}

export interface OrdersState {
  readonly serves: string
  readonly schema: string
  readonly schedule: string | undefined
  readonly objects: readonly string[]
}

interface Found {
  readonly kind: string
  readonly metadata: { readonly name: string }
}

export class OrdersService {
  readonly cluster: ClusterFixture
  readonly directory: string
  readonly postgres: PostgresServer
  private readonly environment: NodeJS.ProcessEnv

  private constructor(cluster: ClusterFixture, postgres: PostgresServer, environment: NodeJS.ProcessEnv) {
    this.cluster = cluster
    this.postgres = postgres
    this.environment = environment
    this.directory = folder(cluster.directory, 'shop')
  }

  /** Versions 1.0.0 and 2.0.0 are built, the first one is delivered. */
  static async delivered(name: string): Promise<OrdersService> {
    await warmLayers(join(repository, 'examples/shop/orders'))
    const cluster = await ClusterFixture.up(name)
    try {
      const postgres = await startPostgres({ namespace: cluster.namespace })
      const keygen = succeeded(await cluster.sampan('secret', 'keygen', '--file', join(cluster.directory, 'identity')))
      const service = new OrdersService(cluster, postgres, {
        SAMPAN_AGE_KEY_FILE: join(cluster.directory, 'identity'),
      })
      await service.setUp(/age1\w+/.exec(keygen.out + keygen.err)![0])
      return service
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  private async setUp(recipient: string): Promise<void> {
    const { cluster, directory, postgres } = this
    const hookPort = await this.startHook()
    const host = await cluster.show('get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[0].address}')
    const { user, password } = postgres.administrator
    writeFileSync(
      join(directory, 'sampan.yml'),
      `people: { ci: ${recipient} }
hooks: { team: { url: "http://127.0.0.1:${hookPort}/" } }
environments:
  test:
    readers: [ci]
    servers: { postgres: { host: ${host}, port: ${postgres.port}, user: ${user}, password: PG_ADMIN } }
services:
  orders: { path: orders }
`,
    )
    cpSync(join(repository, 'examples/shop/orders'), join(directory, 'orders'), { recursive: true })
    writeFileSync(join(directory, 'orders/app.yml'), manifest)
    writeFileSync(join(directory, 'orders/rules.json'), '{}')
    for (const [name, value] of [
      ['PG_ADMIN', password],
      ['TOKEN', 'first'],
    ] as const)
      succeeded(await this.sampanWith(value, 'secret', 'set', '-e', 'test', name))
    await cluster.build(join(directory, 'orders'), 'orders:1.0.0')
    succeeded(await this.sampan('deploy', '-e', 'test', 'orders:1.0.0'))
    this.changed('src/changes.ts', text =>
      text.replace(
        /\n\]/,
        `\n  { up: 'alter table orders add column note text', down: 'alter table orders drop column note' },\n]`,
      ),
    )
    await cluster.build(join(directory, 'orders'), 'orders:2.0.0')
  }

  /** Rewrites a file of the service. @returns how it is made what it was */
  changed(file: string, by: (text: string) => string): () => void {
    return rewritten(join(this.directory, 'orders', file), by)
  }

  changedTeam(by: (text: string) => string): () => void {
    return rewritten(join(this.directory, 'sampan.yml'), by)
  }

  sampan(...args: string[]): Promise<Result> {
    return this.sampanWith('', ...args)
  }

  private sampanWith(input: string, ...args: string[]): Promise<Result> {
    return this.cluster.run(join(repository, 'bin/sampan'), args, { ...this.place, input })
  }

  /** As `killed-sampan.ts` says. */
  killedSampan(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<Result> {
    const { place } = this
    return this.cluster.run(process.execPath, [join(repository, 'test/e2e/processes/killed-sampan.ts'), ...args], {
      ...place,
      environment: {
        ...place.environment,
        NODE_COMPILE_CACHE: join(this.cluster.directory, 'compiled'),
        ...environment,
      },
    })
  }

  private get place(): { directory: string; environment: NodeJS.ProcessEnv; timeoutMs: number } {
    return { directory: this.directory, environment: this.environment, timeoutMs: 120_000 }
  }

  /** All that a release brings, as one can see it from outside. */
  async state(): Promise<OrdersState> {
    const { cluster } = this
    const [answer, schema, { items }] = await Promise.all([
      cluster.curl(ordersUrl),
      this.asked('select max(number) from schema_changes'),
      cluster.json<{ items: Found[] }>('get', 'deployments,services,cronjobs,ingresses,httproutes', '-n', 'test'),
    ])
    const schedule = JSON.stringify(items.filter(({ kind }) => kind === 'CronJob'))
    return {
      serves: (JSON.parse(answer) as { version: string }).version,
      schema,
      schedule: /orders:([\d.]+)/.exec(schedule)?.[1],
      objects: items.map(({ kind, metadata: { name } }) => `${kind} ${name}`).toSorted(),
    }
  }

  /** Whether a release is half-way. */
  async isPending(): Promise<boolean> {
    return (await this.cluster.show('get', 'secrets', '-n', 'test', '-l', 'sampan.dev/state=pending')) !== ''
  }

  /** As the administrator of the server. */
  async asked(question: string, database = 'test_orders'): Promise<string> {
    const { port, administrator } = this.postgres
    const { out } = succeeded(
      await this.cluster.run(
        'psql',
        ['-h', '127.0.0.1', '-p', String(port), '-U', administrator.user, '-At', '-c', question, database],
        { environment: { PGPASSWORD: administrator.password } },
      ),
    )
    return out.trim()
  }

  private async startHook(): Promise<number> {
    const script = `const server = require('http').createServer((request, response) => { request.resume(); response.end() })
      server.listen(0, '127.0.0.1', () => console.log(server.address().port))`
    const child = this.cluster.spawn(process.execPath, ['-e', script])
    let said = ''
    child.stdout!.on('data', (chunk: Buffer) => {
      said += String(chunk)
    })
    await eventually('the hook listens', () => said.endsWith('\n'))
    return Number(said)
  }

  async close(): Promise<void> {
    await this.postgres.close()
    await this.cluster.close()
  }
}
