// A canary beside an autoscaler, in real containers: a HorizontalPodAutoscaler stands on the workload, and the test writes
// its scale, up and down, as one would that acts. Its number is never set back, and the new version keeps its share.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
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

const reason = reasonToSkipCluster()
const waitMs = 60_000

/** The last version is not well, which its analysis finds out. */
const manifest = `name: web
image: sampan.local/busybox
replicas: 2
stopSeconds: 1
ports: { http: 8080 }
command: sh -c 'exec httpd -f -p 8080 -h /tmp'
health: { tcp: true }
security: { user: 65534 }
strategy:
  kind: canary
  steps: [{ percent: 25, seconds: 20 }, { percent: 50, seconds: 15 }]
  analysis: { run: sh -c 'test "$SERVICE_VERSION" != 3.0.0' }
`
const autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'load', namespace: 'test' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
    minReplicas: 1,
    maxReplicas: 9,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
  },
}

interface Told {
  readonly warnings: readonly string[]
}
const told =
  'requests are shared by numbers of instances, not by weights: 25 % become 25 % (1 of 4), 50 % become 50 % (3 of 6); no route leads to both versions'

describe.skipIf(reason !== undefined)(`autoscaler${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let project: string
  /** Of the workload that the autoscaler is for, each number that it ever had. */
  const numbers: number[] = []
  beforeAll(async () => {
    cluster = await ClusterFixture.up('autoscaler')
    await cluster.pushBusybox('1.0.0', '2.0.0', '3.0.0')
    project = folder(cluster.directory, 'web')
    writeFileSync(join(project, 'app.yml'), manifest)
    succeeded(await sampan('deploy', '-e', 'test', 'web:1.0.0'))
    succeeded(await cluster.kubectlWith(autoscaler, 'apply'))
    const follow = ['get', 'deployment', 'web', '-n', 'test', '--watch', '-o', 'jsonpath={.spec.replicas}{"\\n"}']
    let said = ''
    cluster.spawn('kubectl', follow).stdout!.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      for (; said.includes('\n'); said = said.slice(said.indexOf('\n') + 1)) {
        const number = Number(said.slice(0, said.indexOf('\n')))
        if (number !== numbers.at(-1)) numbers.push(number)
      }
    })
    await eventually('the number is followed', () => numbers.length === 1)
  }, 2 * waitMs)
  afterAll(() => cluster?.close())

  const sampan = (...args: string[]): Promise<Result> =>
    cluster.run(sampanProgram, args, { directory: project, timeoutMs: 3 * waitMs })

  /** As an autoscaler writes it. */
  const decide = (instances: number): Promise<string> =>
    cluster.show('scale', 'deployment', 'web', '-n', 'test', `--replicas=${instances}`)

  interface Found {
    readonly metadata: { readonly name: string }
    readonly spec: { readonly replicas: number; readonly template: { readonly spec: { readonly containers: [Image] } } }
    readonly status: { readonly readyReplicas?: number }
  }
  interface Image {
    readonly image: string
  }
  async function counted(): Promise<Record<string, string>> {
    const { items } = await cluster.json<{ items: Found[] }>('get', 'deployments', '-n', 'test')
    const entries = items.map(({ metadata, spec, status }) => {
      const [, version] = /:([\d.]+)@/.exec(spec.template.spec.containers[0].image)!
      return [metadata.name, `${version} ${status.readyReplicas ?? 0}/${spec.replicas}`]
    })
    return Object.fromEntries(entries) as Record<string, string>
  }
  const becomes = (web: string, canary?: string): Promise<unknown> =>
    eventually(
      `web is ${web}, canary ${canary ?? 'gone'}`,
      async () => {
        const found = await counted()
        return found['web'] === web && found['web-canary'] === canary
      },
      waitMs,
    )

  test(
    'decides before, between and after the steps, and after a rollback',
    async () => {
      await decide(3)
      const planned = succeeded(await sampan('deploy', '-e', 'test', 'web:2.0.0', '--dry-run', '-o', 'json'))
      expect(JSON.parse(planned.out) as Told).toMatchObject({ warnings: [told] })
      expect(planned.err).toContain('warning: requests are shared by numbers of instances')
      const { out: differences } = await sampan('diff', '-e', 'test', 'web:2.0.0', '-o', 'json')
      expect(JSON.parse(differences) as Told[]).toMatchObject([{ warnings: [told] }])
      const delivered = sampan('deploy', '-e', 'test', 'web:2.0.0', '-o', 'json')
      await becomes('1.0.0 3/3', '2.0.0 1/1')
      await decide(6)
      await becomes('1.0.0 6/6', '2.0.0 2/2')
      await decide(2)
      await becomes('1.0.0 2/2', '2.0.0 1/1')
      await decide(3)
      await becomes('1.0.0 3/3', '2.0.0 3/3')
      await decide(4)
      const { out } = succeeded(await delivered)
      await becomes('2.0.0 4/4')
      expect((JSON.parse(out) as Told).warnings).toEqual([told])
      succeeded(await sampan('rollback', '-e', 'test', 'web'))
      await becomes('1.0.0 4/4')
      expect(numbers).toEqual([2, 3, 6, 2, 3, 4])
    },
    4 * waitMs,
  )

  test(
    'decides while a version that is not well is watched and taken back',
    async () => {
      numbers.splice(0, numbers.length - 1)
      const delivered = sampan('deploy', '-e', 'test', 'web:3.0.0')
      await becomes('1.0.0 4/4', '3.0.0 2/2')
      await decide(1)
      await becomes('1.0.0 1/1', '3.0.0 1/1')
      await decide(5)
      const { code, err } = await delivered
      expect([code, err]).toEqual([1, expect.stringContaining('release 3 (1.0.0) is in place as before') as string])
      await becomes('1.0.0 5/5')
      expect(numbers).toEqual([4, 1, 5])
    },
    4 * waitMs,
  )
})
