// A service of Node.js that is asked all the time, over connections that stay and over new ones, while its next version
// comes and while it goes back: with each strategy, no request is lost.
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
import { underLoad } from '../../src/testing/under-load.ts'
import { buildAsked } from './asked-service.ts'

const reason = reasonToSkipCluster()

const strategies = {
  rolling: 'rolling',
  'blue-green': 'blue-green',
  canary: '{ kind: canary, steps: [{ percent: 25, seconds: 2 }, { percent: 50, seconds: 2 }] }',
} as const
type Strategy = keyof typeof strategies

const nodePorts: Readonly<Record<Strategy, number>> = { rolling: 30_080, 'blue-green': 30_081, canary: 30_082 }

const manifest = (strategy: Strategy): string => `name: ${strategy}
image: sampan.local/asked
replicas: 3
stopSeconds: 10
ports: { http: { port: 8080, nodePort: ${nodePorts[strategy]} } }
health: { http: / }
strategy: ${strategies[strategy]}
`

describe.skipIf(reason !== undefined)(`traffic${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let project: string
  beforeAll(async () => {
    cluster = await ClusterFixture.up('traffic')
    await buildAsked(cluster, ['1.0.0', '2.0.0'])
    project = folder(cluster.directory, 'project')
    for (const strategy of Object.keys(strategies) as Strategy[])
      writeFileSync(join(folder(project, strategy), 'app.yml'), manifest(strategy))
  })
  afterAll(() => cluster?.close())

  const sampan = (...args: string[]): Promise<Result> =>
    cluster.run(sampanProgram, args, { directory: project, timeoutMs: 120_000 })

  test.each(Object.keys(strategies) as Strategy[])(
    '%s: an upgrade and a rollback lose no request',
    async strategy => {
      const url = `http://127.0.0.1:${nodePorts[strategy]}/`
      succeeded(await sampan('deploy', '-e', 'test', `${strategy}:1.0.0`))
      const load = { urls: [url], keptAlive: 4, newEachTime: 4, pauseMs: 10 }
      const up = await underLoad(cluster, load, async () =>
        succeeded(await sampan('deploy', '-e', 'test', `${strategy}:2.0.0`)),
      )
      expect(up.failures).toEqual([])
      expect(Object.keys(up.versions).toSorted()).toEqual(['1.0.0/undefined', '2.0.0/undefined'])
      expect(JSON.parse(await cluster.curl(url))).toEqual({ version: '2.0.0' })
      const back = await underLoad(cluster, load, async () =>
        succeeded(await sampan('rollback', '-e', 'test', strategy)),
      )
      expect(back.failures).toEqual([])
      expect(JSON.parse(await cluster.curl(url))).toEqual({ version: '1.0.0' })
    },
    240_000,
  )
})
