import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CommandError, MissingProgramError, run } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-command-'))
afterAll(() => rmSync(folder, { recursive: true }))
const program = join(folder, 'no-such-tool')
writeFileSync(program, '#!/bin/sh\n')

test('a program that is nowhere is missing, also where a folder of the path, or a file in one, is not for this user', async () => {
  for (const path of ['/usr/bin', `${folder}:/usr/bin`]) {
    const missing = run('no-such-tool', [], { environment: { PATH: path } })
    await expect(missing).rejects.toBeInstanceOf(MissingProgramError)
  }
})

test('a program that may not be executed says so', async () => {
  await expect(run(program, [])).rejects.toThrow(`${program} may not be executed; allow it with: chmod +x ${program}`)
  await expect(run(program, [])).rejects.toBeInstanceOf(CommandError)
  chmodSync(program, 0o755)
  expect(await run(program, [])).toEqual({ stdout: '', stderr: '' })
})
