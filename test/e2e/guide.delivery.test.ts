// The commands of docs/delivery.md, from top to bottom in one shell that somebody never leaves: each of them has to
// succeed. The servers of the shop come from images of this machine's packages instead of the official ones.
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ClusterFixture, folder, reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { blocksOf, guidePath } from './guide-blocks.ts'
import { localServers, shopFolder, warmShop } from './shop.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(`delivery.md${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let work: string
  let environment: NodeJS.ProcessEnv
  beforeAll(async () => {
    await warmShop()
    cluster = new ClusterFixture('guide-delivery')
    work = folder(cluster.directory, 'work')
    cpSync(shopFolder, join(work, 'examples/shop'), { recursive: true })
    const identity = join(cluster.directory, 'identity.txt')
    environment = { PATH: guidePath(cluster, false), SAMPAN_AGE_KEY: '', SAMPAN_AGE_KEY_FILE: identity }
  }, 120_000)
  afterAll(() => cluster?.close())

  test.each(blocksOf('delivery.md'))(
    '%s',
    async (_name, commands) => {
      const left = join(cluster.directory, 'left')
      const directory = existsSync(left) ? readFileSync(left, 'utf8').trim() : work
      if (commands.includes('cp -r examples/shop')) await localServers(cluster, join(work, 'examples/shop'))
      const options = { environment, directory, timeoutMs: 280_000 }
      const { code, out, err } = await cluster.run('sh', ['-e', '-c', `${commands}\npwd > ${left}`], options)
      expect(`${code} ${code === 0 ? '' : out + err}`).toBe('0 ')
    },
    300_000,
  )
})
