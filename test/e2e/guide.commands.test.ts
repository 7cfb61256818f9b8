// The commands of docs/building.md, docs/developing.md and docs/gateway.md, from top to bottom, each guide in one shell that somebody never
// leaves: each command has to succeed.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ClusterFixture, folder, reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { blocksOf, guidePath } from './guide-blocks.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined).each(['building.md', 'developing.md', 'gateway.md'])(
  `%s${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  guide => {
    let cluster: ClusterFixture
    let work: string
    beforeAll(() => {
      cluster = new ClusterFixture(`guide-${guide.slice(0, -'.md'.length)}`)
      work = folder(cluster.directory, 'work')
    })
    afterAll(() => cluster?.close())

    test.each(blocksOf(guide))(
      '%s',
      async (_name, commands) => {
        const left = join(cluster.directory, 'left')
        const directory = existsSync(left) ? readFileSync(left, 'utf8').trim() : work
        const options = { environment: { PATH: guidePath(cluster, false) }, directory, timeoutMs: 170_000 }
        const job = join(cluster.directory, 'job')
        // A process in the background is known to the next block, as it is in one shell.
        const script = commands.replaceAll('$!', `$(cat ${job})`).replaceAll(/ &$/gm, ` & echo $! > ${job}`)
        const { code, out, err } = await cluster.run('sh', ['-e', '-c', `${script}\npwd > ${left}`], options)
        expect(`${code} ${code === 0 ? '' : out + err}`).toBe('0 ')
      },
      180_000,
    )
  },
)
