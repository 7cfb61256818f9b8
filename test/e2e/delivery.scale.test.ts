// Three services with a sidecar each, six instances, three environments: 108 containers on one machine that come with
// one command, are replaced with another one and go back with a third, while each service is asked all the time.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ClusterFixture,
  reasonToSkipCluster,
  sampanProgram,
  succeeded,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { crowd, setCrowdVersion, writeCrowd } from '../../src/testing/crowd.ts'
import type { LoadReport } from '../../src/testing/http-load.ts'
import { underLoad } from '../../src/testing/under-load.ts'

const reason = reasonToSkipCluster()
const { environments, services } = crowd

interface List<Item> {
  readonly items: readonly Item[]
}
interface Metadata {
  readonly metadata: { readonly name: string; readonly namespace: string }
}
interface Instance extends Metadata {
  readonly status: Readonly<Record<'containerStatuses' | 'initContainerStatuses', readonly { ready: boolean }[]>>
}

describe.skipIf(reason !== undefined)(`108 containers${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let project: string
  let urls: readonly string[]
  beforeAll(async () => {
    cluster = await ClusterFixture.up('scale')
    project = await writeCrowd(cluster)
  })
  afterAll(() => cluster?.close())

  /** In all environments. */
  const sampan = (command: string, ...args: string[]): Promise<Result> =>
    cluster.run(sampanProgram, [command, '-e', environments.join(','), ...args], {
      directory: project,
      timeoutMs: 240_000,
    })
  const inTurn = (load: () => Promise<unknown>): Promise<LoadReport> =>
    underLoad(cluster, { urls, keptAlive: 1, newEachTime: 1, pauseMs: 100 }, load)
  const addressOf = async (namespace: string, name: string): Promise<string> =>
    cluster.show('get', 'service', '-n', namespace, name, '-o', 'jsonpath={.spec.clusterIP}')

  test('come with one command', async () => {
    const startMs = performance.now()
    const { err } = succeeded(await sampan('deploy'))
    console.log(`108 containers are Ready after ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
    for (const environment of environments)
      for (const service of services)
        expect(err).toContain(`${service} 1.0.0 runs in ${environment} (release 1); look at it with`)
    const { items } = await cluster.json<List<Instance>>('get', 'pods', '-A', '-l', 'sampan.dev/track=main')
    const containers = items.flatMap(({ status }) => [...status.containerStatuses, ...status.initContainerStatuses])
    expect(containers).toHaveLength(crowd.containers)
    expect(containers.filter(({ ready }) => !ready)).toEqual([])
    const places = environments.flatMap(environment => services.map(service => [environment, service] as const))
    const addresses = await Promise.all(places.map(([environment, service]) => addressOf(environment, service)))
    urls = addresses.map(address => `http://${address}:8080/`)
    expect(await Promise.all(addresses.map(address => cluster.curl(`http://${address}:8081/`)))).toEqual(
      addresses.map(() => 'helper of 1.0.0\n'),
    )
  }, 300_000)

  test('are replaced without a lost request', async () => {
    setCrowdVersion(project, '2.0.0')
    const { failures, versions } = await inTurn(async () => succeeded(await sampan('deploy')))
    expect(failures).toEqual([])
    expect(Object.keys(versions).toSorted()).toEqual(['1.0.0/undefined', '2.0.0/undefined'])
    expect(await Promise.all(urls.map(url => cluster.curl(url)))).toEqual(urls.map(() => '{"version":"2.0.0"}\n'))
  }, 300_000)

  test('go back without a lost request', async () => {
    const { failures } = await inTurn(async () => succeeded(await sampan('rollback', ...services)))
    expect(failures).toEqual([])
    expect(await Promise.all(urls.map(url => cluster.curl(url)))).toEqual(urls.map(() => '{"version":"1.0.0"}\n'))
  }, 300_000)
})
