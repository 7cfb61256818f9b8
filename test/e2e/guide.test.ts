// The commands of the guides in docs/, as somebody would type them who reads from top to bottom: every block of
// `sh` in one folder, each of them has to succeed.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ClusterFixture, reasonToSkipCluster, repository } from '../../src/testing/cluster-fixture.ts'
import { blocksOf } from './guide-blocks.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(`guides${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const cluster = reason === undefined ? new ClusterFixture('guide') : undefined!
  const folder = reason === undefined ? join(cluster.directory, 'work') : ''
  afterAll(() => cluster?.close())

  /** `sampan` is the built one, about this test's cluster and no other of the machine. */
  function sampanHere(): string {
    const programs = join(cluster.directory, 'bin')
    mkdirSync(programs, { recursive: true })
    mkdirSync(folder, { recursive: true })
    const run = `exec ${repository}/bin/sampan "$@" --name ${cluster.name}`
    const script = `#!/bin/sh\ncase $1 in up|down) ${run} --data-dir ${cluster.dataDirectory};; *) ${run};; esac\n`
    writeFileSync(join(programs, 'sampan'), script, { mode: 0o755 })
    return `${programs}:${process.env.PATH}`
  }

  describe('cluster.md', () => {
    test.each(blocksOf('cluster.md').map(({ heading, commands }, index) => [`${index + 1}. ${heading}`, commands]))(
      '%s',
      async (_name, commands) => {
        const options = { environment: { PATH: sampanHere() }, directory: folder, timeoutMs: 110_000 }
        const { code, out, err } = await cluster.run('sh', ['-e', '-c', commands], options)
        expect(`${code} ${code === 0 ? '' : out + err}`).toBe('0 ')
      },
    )

    test('nothing is left of the cluster', async () => {
      expect(await cluster.leftOvers()).toEqual([])
    })
  })
})
