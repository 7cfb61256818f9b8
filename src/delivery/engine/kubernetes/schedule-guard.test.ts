// The guard as it runs: a real shell and a real node, with the name that Kubernetes gives a Job.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyTime, guarded, guardVariable } from './schedule-guard.ts'

const guard = { start: 1_000, every: 7 }
const three = { ...guard, count: 3 }

describe.each(['sh', 'node'])('a command behind a guard of %s', program => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'sampan-guard-'))
    writeFileSync(join(directory, 'task.mjs'), 'console.log(process.argv.slice(2).join("|")); process.exit(4)')
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  function ran(scheduled: string, which: typeof guard): { readonly out: string; readonly code: number | null } {
    const command =
      program === 'node'
        ? ['node', '--no-warnings', join(directory, 'task.mjs'), 'a b', '$(c)']
        : ['sh', '-c', 'echo "$1|$2"; exit 4', 'sh', 'a b', '$(c)']
    const [first, ...rest] = guarded(command, which)
    const { stdout, status } = spawnSync(first === 'node' ? process.execPath : first!, rest, {
      encoding: 'utf8',
      env: { ...process.env, [guardVariable]: scheduled },
    })
    return { out: stdout, code: status }
  }

  test.each([
    ['hcn-sync-1000', guard],
    ['hcn-sync-1007', guard],
    ['hcn-sync-1014', three],
    [anyTime, three],
    ['hcn-sync-by-hand', guard],
  ])('runs at a time that counts, with its arguments and exit code: %s', (scheduled, which) => {
    expect(ran(scheduled, which)).toEqual({ out: 'a b|$(c)\n', code: 4 })
  })

  test.each([
    ['hcn-sync-993', guard],
    ['hcn-sync-1001', guard],
    ['hcn-sync-1006', guard],
    ['hcn-sync-1021', three],
  ])('ends at once and well at a time that does not: %s', (scheduled, which) => {
    expect(ran(scheduled, which)).toEqual({ out: '', code: 0 })
  })
})
