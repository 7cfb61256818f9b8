import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../lib/logger.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { openLineFile } from './line-file.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-lines-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('lines are appended to a file that only its owner can read', async () => {
  const path = join(directory, 'audit.log')
  for (const text of ['one', 'two']) {
    const file = openLineFile({ path }, new FakeClock(), silentLogger)
    file.append(text)
    file.append(`${text} again`)
    await file.close()
  }
  expect(readFileSync(path, 'utf8')).toBe('one\none again\ntwo\ntwo again\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a full file is put aside; old ones go by number and by age', async () => {
  const clock = new FakeClock(Date.UTC(2026, 0, 1))
  const path = join(directory, 'audit.log')
  for (let day = 0; day < 5; day++) {
    const file = openLineFile(
      { path, maximumBytes: 8, maximumBackups: 3, maximumAgeMs: 2 * 86_400_000 },
      clock,
      silentLogger,
    )
    file.append(`line ${day}`)
    await file.close()
    await clock.advance(86_400_000)
  }
  expect(readFileSync(path, 'utf8')).toBe('line 4\n')
  expect(readdirSync(directory).sort()).toEqual([
    'audit-2026-01-03T00-00-00.000.log',
    'audit-2026-01-04T00-00-00.000.log',
    'audit-2026-01-05T00-00-00.000.log',
    'audit.log',
  ])
})

test('a place that cannot be written to is told at once', () => {
  expect(() => openLineFile({ path: join(directory, 'no', 'audit.log') }, new FakeClock(), silentLogger)).toThrow(
    'ENOENT',
  )
})
