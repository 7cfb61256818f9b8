// The commands of the guides in docs/, as somebody would type them who reads from top to bottom: every block of
// `sh` in one folder, each of them has to succeed.
import { afterAll, describe, expect, test } from 'vitest'
import { ClusterFixture, folder, reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { blocksOf, guidePath } from './guide-blocks.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(`guides${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const cluster = reason === undefined ? new ClusterFixture('guide') : undefined!
  afterAll(() => cluster?.close())

  describe('cluster.md', () => {
    test.each(blocksOf('cluster.md'))('%s', async (_name, commands) => {
      const environment = { PATH: guidePath(cluster, true) }
      const options = { environment, directory: folder(cluster.directory, 'work'), timeoutMs: 110_000 }
      const { code, out, err } = await cluster.run('sh', ['-e', '-c', commands], options)
      expect(`${code} ${code === 0 ? '' : out + err}`).toBe('0 ')
    })

    test('nothing is left of the cluster', async () => {
      expect(await cluster.leftOvers()).toEqual([])
    })
  })
})
