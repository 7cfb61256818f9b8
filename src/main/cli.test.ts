// The command as a process.
import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('a disk that is full ends no command half-way, and is told', () => {
  const full = openSync('/dev/full', 'w')
  try {
    const args = [join(import.meta.dirname, 'cli.ts'), 'completion', 'bash']
    const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' })
    expect([status, stderr]).toEqual([
      1,
      'error: the output could not be written: ENOSPC: no space left on device, write\n',
    ])
  } finally {
    closeSync(full)
  }
})
