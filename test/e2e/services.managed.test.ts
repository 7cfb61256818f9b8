// Servers that are delivered beside a service, in real containers: set up by their variables, reached through the API,
// with data that outlives their instances, copied by the programs in their images.
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HttpClient } from '../../src/client/http-client.ts'
import { clusterAccess } from '../../src/client/kubeconfig.ts'
import type { Engine, Watch } from '../../src/delivery/engine/engine.ts'
import { KubernetesEngine } from '../../src/delivery/engine/kubernetes/kubernetes-engine.ts'
import type { Workload } from '../../src/delivery/engine/parts.ts'
import { bundleOf } from '../../src/delivery/plan/bundles.ts'
import type { BackingService, Reached, RunTool, Wanted } from '../../src/delivery/services/backing-service.ts'
import { backingService } from '../../src/delivery/services/backing-services.ts'
import { instanceTool } from '../../src/delivery/services/instance-tool.ts'
import { withSession as mysqlSession } from '../../src/delivery/services/mysql/session.ts'
import { withSession as postgresSession } from '../../src/delivery/services/postgres/session.ts'
import { managementOf } from '../../src/delivery/services/rabbitmq/management.ts'
import { withSession as redisSession } from '../../src/delivery/services/redis/session.ts'
import { machineClock } from '../../src/host/machine-clock.ts'
import { ClusterFixture, reasonToSkipCluster, repository, succeeded } from '../../src/testing/cluster-fixture.ts'
import { serverImage, type ServerImage } from '../../src/testing/service-images.ts'
import { wayIntoNamespace } from '../../src/testing/way-into-namespace.ts'

const reason = reasonToSkipCluster()
const waitSeconds = 120
const place = { environment: 'test', namespace: 'managed', service: 'shop' }
const signal = new AbortController().signal
const watch: Watch = { progress: () => {}, heldUp: () => {}, timeLimitSeconds: waitSeconds, signal }

interface Words {
  write(server: Reached, wanted: Wanted, value: string): Promise<unknown>
  read(server: Reached, wanted: Wanted): Promise<string | undefined>
}

/** What a service of each kind does. */
const words: Readonly<Record<ServerImage, Words>> = {
  postgres: sqlWords(postgresSession as unknown as typeof mysqlSession, '$1'),
  mysql: sqlWords(mysqlSession, '?'),
  redis: {
    write: (server, { credentials }, value) =>
      redisSession(server, credentials, session => session.set('any-name', value)),
    read: (server, { credentials }) =>
      redisSession(server, credentials, async session => (await session.get('any-name')) ?? undefined),
  },
  // Through the management, which is what can be reached here, by the administrator.
  rabbitmq: {
    async write(server, { database }, value) {
      const management = managementOf(server)
      await management.remove('exchanges', database, 'words')
      await management.put({ type: 'fanout', durable: true, arguments: { value } }, 'exchanges', database, 'words')
    },
    read: async (server, { database }) =>
      (await managementOf(server).read<{ arguments: { value: string } }>('exchanges', database, 'words'))?.arguments
        .value,
  },
}

function sqlWords(withSession: typeof mysqlSession, placeholder: string): Words {
  return {
    write: (server, { credentials, database }, value) =>
      withSession(server, credentials, database, async session => {
        await session.query('CREATE TABLE IF NOT EXISTS words (value text)')
        await session.query('DELETE FROM words')
        await session.query(`INSERT INTO words VALUES (${placeholder})`, [value])
      }),
    read: (server, { credentials, database }) =>
      withSession(
        server,
        credentials,
        database,
        async session => (await session.first<{ value: string }>('SELECT value FROM words'))?.value,
      ),
  }
}

describe.skipIf(reason !== undefined)(`managed servers${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let engine: Engine
  let closeWay: () => void

  beforeAll(async () => {
    cluster = await ClusterFixture.up('managed')
    const program = join(repository, 'src/testing/service-images.ts')
    const images = Object.keys(words)
    const options = { timeoutMs: waitSeconds * 1000 }
    succeeded(await cluster.run(process.execPath, [program, await cluster.registry(), ...images], options))
    const access = clusterAccess([cluster.kubeconfig])
    const way = await wayIntoNamespace(cluster, Number(new URL(access.server).port))
    closeWay = () => way.close()
    const client = new HttpClient({
      userAgent: 'sampan-test',
      clock: machineClock,
      access: { ...access, server: `https://127.0.0.1:${way.port}` },
    })
    engine = new KubernetesEngine({ name: access.context, clock: machineClock, client })
    await engine.prepare(place)
  }, waitSeconds * 1000)

  afterAll(async () => {
    engine?.close()
    closeWay?.()
    await cluster?.close()
  }, waitSeconds * 1000)

  test.each(Object.keys(words) as ServerImage[])(
    '%s is set up, keeps its data, and is copied and brought back',
    { timeout: 4 * waitSeconds * 1000 },
    async type => {
      const service = await backingService(type)
      const administrator = { user: service.administrator, password: 'adminpassword1' }
      const workload = workloadOf(service, type)
      await engine.keep(place, bundleOf(place.service, `${type}-admin`, true, { ...administrator }))
      expect(await engine.rollOut(place, workload, watch)).toEqual({ state: 'done' })

      const wanted: Wanted = {
        database: 'shop',
        credentials: { user: 'shop', password: 'servicepassword1' },
        owner: 'test/shop',
        exclusive: true,
      }
      const { port } = service.administration ?? service.port
      async function reaching<T>(use: (server: Reached) => Promise<T>): Promise<T> {
        const way = await engine.reach(place, { workload: workload.name, port })
        try {
          return await use({ host: way.host, port: way.port, administrator, waitSeconds })
        } finally {
          way.close()
        }
      }
      expect((await reaching(server => service.ensure(server, wanted))).length).toBeGreaterThan(0)
      await reaching(server => words[type].write(server, wanted, 'before'))

      // Tools run where the server is, with its own address; the others come through the API.
      const tools = type === 'postgres' || type === 'mysql'
      const instance = `${workload.name}-0`
      const runTool: RunTool | undefined = tools ? instanceTool(engine, place, instance, signal) : undefined
      const copying = (use: (server: Reached) => Promise<void>): Promise<void> =>
        tools ? use({ host: '127.0.0.1', port, administrator }) : reaching(use)
      const copy = new PassThrough()
      const [saved] = await Promise.all([
        buffer(copy),
        copying(server => service.backup(server, wanted, copy, runTool)),
      ])

      await reaching(server => words[type].write(server, wanted, 'after'))
      expect(await engine.restart(place, workload.name, watch)).toEqual({ state: 'done' })
      expect(await reaching(server => service.ensure(server, wanted))).toEqual([])
      expect(await reaching(server => words[type].read(server, wanted))).toBe('after')

      await copying(server => service.restore(server, wanted, Readable.from([saved]), runTool))
      expect(await reaching(server => words[type].read(server, wanted))).toBe('before')
      expect((await reaching(server => service.drop(server, wanted))).length).toBeGreaterThan(0)
    },
  )

  function workloadOf(service: BackingService, type: ServerImage): Workload {
    const administrator = { user: service.administrator, password: 'adminpassword1' }
    const { process, variables, storagePath, health, stopSeconds } = service.managed({
      image: serverImage(type),
      administrator,
    })
    const secret = bundleOf(place.service, `${type}-admin`, true, { ...administrator }).name
    return {
      kind: 'workload',
      name: `shop-${type}`,
      service: place.service,
      version: '1',
      track: type,
      serving: false,
      instances: 1,
      process: {
        ...process,
        variables: Object.fromEntries(
          Object.entries(variables).map(([name, variable]) => [
            name,
            'credential' in variable ? { secret, key: variable.credential } : variable,
          ]),
        ),
        files: [],
        resources: {},
      },
      ports: [service.port, ...(service.administration === undefined ? [] : [service.administration])],
      health,
      stopSeconds,
      update: 'recreate',
      spread: false,
      disruptionBudget: false,
      storage: { path: storagePath, size: '100Mi' },
    }
  }
})
