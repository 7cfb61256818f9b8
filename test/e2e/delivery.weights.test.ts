// A canary behind the gateway gets its share of the requests exactly, whatever the number of its instances, and no request
// is lost: while its share grows, when an Ingress of an earlier delivery becomes an HTTPRoute, when what is wrong with it
// brings all back, and when the command that delivers it is killed, which is when the shares are measured.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ClusterFixture,
  folder,
  reasonToSkipCluster,
  sampanProgram,
  succeeded,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startLoad, underLoad } from '../../src/testing/under-load.ts'
import { buildAsked } from './asked-service.ts'

const reason = reasonToSkipCluster()
const url = 'http://asked.localhost/'
const load = { urls: [url], keptAlive: 3, newEachTime: 3, pauseMs: 10 }

interface Wanted {
  readonly seconds: number
  readonly analysis?: string
}

const manifest = ({ seconds, analysis = '{}' }: Wanted): string => `name: asked
replicas: 2
stopSeconds: 5
ports: { http: 8080 }
health: { http: / }
routes: [{ host: asked }]
strategy:
  kind: canary
  steps: [{ percent: 10, seconds: ${seconds} }, { percent: 50, seconds: ${seconds} }]
  analysis: ${analysis}
`

describe.skipIf(reason !== undefined)(`weights${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let project: string
  const want = (wanted: Wanted): void => writeFileSync(join(project, 'app.yml'), manifest(wanted))
  beforeAll(async () => {
    cluster = await ClusterFixture.up('weights')
    await buildAsked(cluster, ['1.0.0', '2.0.0', '3.0.0'])
    project = folder(cluster.directory, 'project')
  })
  afterAll(() => cluster?.close())

  const sampan = (...args: string[]): Promise<Result> =>
    cluster.run(sampanProgram, args, { directory: project, timeoutMs: 120_000 })
  const deploy = (version: string): Promise<Result> => sampan('deploy', '-e', 'test', `asked:${version}`)

  /** A delivery of 3.0.0 that is killed when it says that it has done this. */
  async function killedAfter(words: string): Promise<void> {
    const child = cluster.spawn(sampanProgram, ['deploy', '-e', 'test', 'asked:3.0.0'], { directory: project })
    const ended = new Promise(resolve => {
      child.on('close', resolve)
    })
    let said = ''
    child.stderr!.on('data', (part: Buffer) => (said += part.toString()))
    child.stdout!.resume()
    child.stdin!.end()
    await eventually(`"${words}" is said`, () => said.includes(words), 60_000)
    child.kill('SIGKILL')
    await ended
  }

  /** Of two thousand answers, in percent. */
  async function shareOf(version: string): Promise<number> {
    let [all, own] = [0, 0]
    while (all < 2_000) {
      const measured = startLoad(cluster, { urls: [url], keptAlive: 16, newEachTime: 0, pauseMs: 1 })
      await sleep(3_000)
      const { requests, failures, versions } = await measured.stop()
      expect(failures).toEqual([])
      all += requests
      own += versions[`${version}/undefined`] ?? 0
    }
    const share = (100 * own) / all
    console.log(`${share.toFixed(1)} % of ${all} answers`)
    return share
  }

  /** Kinds and names of what leads to it. */
  const ways = async (): Promise<string[]> =>
    (await cluster.show('get', 'ingresses,httproutes,services,deployments', '-n', 'test', '-o', 'name'))
      .trim()
      .split('\n')
      .toSorted()
  const settled = [
    'deployment.apps/asked',
    'httproute.gateway.networking.k8s.io/asked-asked-localhost',
    'service/asked',
  ]

  test('without a Gateway a route is an Ingress', async () => {
    want({ seconds: 1 })
    const gateway = await cluster.json<{ metadata: object; spec: object }>(
      'get',
      'gateway',
      'sampan',
      '-n',
      'kube-system',
    )
    await cluster.show('delete', 'gateway', 'sampan', '-n', 'kube-system')
    succeeded(await deploy('1.0.0'))
    expect(await ways()).toContain('ingress.networking.k8s.io/asked-asked-localhost')
    const { spec } = gateway
    const metadata = { name: 'sampan', namespace: 'kube-system' }
    const again = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata, spec }
    succeeded(await cluster.kubectlWith(again, 'apply'))
    await cluster.show('wait', '--for=condition=Accepted', 'gateway/sampan', '-n', 'kube-system', '--timeout=20s')
  }, 60_000)

  test('a canary loses no request, and the Ingress is replaced by an HTTPRoute', async () => {
    want({ seconds: 2 })
    const { failures, versions } = await underLoad(cluster, load, async () => {
      const { err } = succeeded(await deploy('2.0.0'))
      for (const percent of [10, 50]) expect(err).toContain(`give ${percent} % of the requests to 1 new instance`)
      expect(err).not.toContain('shared by numbers of instances')
    })
    expect(failures).toEqual([])
    expect(Object.keys(versions).toSorted()).toEqual(['1.0.0/undefined', '2.0.0/undefined'])
    expect(await ways()).toEqual(settled)
    expect(JSON.parse(await cluster.curl(url))).toEqual({ version: '2.0.0' })
  }, 120_000)

  test('an analysis that fails brings all back, and no request is lost', async () => {
    want({ seconds: 1, analysis: '{ run: [node, -e, "process.exit(1)"] }' })
    const { failures, versions } = await underLoad(cluster, load, async () => {
      const { code, err } = await deploy('3.0.0')
      expect([code, err]).toEqual([1, expect.stringContaining('asked 3.0.0 was not delivered')])
    })
    expect(failures).toEqual([])
    expect(versions['3.0.0/undefined']).toBeGreaterThan(0)
    expect(await ways()).toEqual(settled)
    expect(JSON.parse(await cluster.curl(url))).toEqual({ version: '2.0.0' })
  }, 120_000)

  test('one that is killed leaves exact shares, and is taken back or gone on with; no request is lost', async () => {
    want({ seconds: 3 })
    const { failures } = await underLoad(cluster, load, async () => {
      await killedAfter('give 10 % of the requests to 1 new instance')
      const tenth = await shareOf('3.0.0')
      expect(tenth).toBeGreaterThan(6)
      expect(tenth).toBeLessThan(14)
      succeeded(await sampan('rollback', '-e', 'test', 'asked'))
      expect(await ways()).toEqual(settled)
      await killedAfter('give 50 % of the requests to 1 new instance')
      const half = await shareOf('3.0.0')
      expect(half).toBeGreaterThan(44)
      expect(half).toBeLessThan(56)
      succeeded(await sampan('deploy', '-e', 'test', 'asked:3.0.0', '--resume'))
    })
    expect(failures).toEqual([])
    expect(await ways()).toEqual(settled)
    expect(JSON.parse(await cluster.curl(url))).toEqual({ version: '3.0.0' })
  }, 180_000)
})
