// The commands of docs/secrets.md, from top to bottom in one folder, without a cluster; each of them has to succeed.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, test } from 'vitest'
import { repository } from '../../src/testing/cluster-fixture.ts'
import { blocksOf } from './guide-blocks.ts'

const run = promisify(execFile)

describe('secrets.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sampan-guide-secrets-'))
  const work = join(folder, 'work')
  mkdirSync(work)
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each(blocksOf('secrets.md'))('%s', async (_name, commands) => {
    const own = { SAMPAN_AGE_KEY: '', SAMPAN_AGE_KEY_FILE: '', HOME: join(folder, 'home') }
    const environment = { ...process.env, ...own, PATH: `${repository}/bin:${process.env['PATH']}` }
    await run('sh', ['-e', '-c', commands], { cwd: work, env: environment, timeout: 60_000 })
  })
})
