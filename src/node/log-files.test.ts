import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Runtime } from '../cri/runtime.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { LogFiles } from './log-files.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-logs-'))
  file = join(directory, '0.log')
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A runtime that begins a new file when it is told to, or fails. */
const runtime = (fails: () => boolean): Runtime =>
  ({
    async reopenContainerLog() {
      if (fails()) throw new Error('gone')
      writeFileSync(file, '')
    },
  }) as unknown as Runtime

test('a log that grew too large is rotated, and as many as allowed are kept', async () => {
  const clock = new FakeClock()
  const logs = new LogFiles(
    runtime(() => false),
    clock,
    { maximumBytes: 10, maximumFiles: 3 },
  )
  logs.containerChanged('c', file, true)
  for (let round = 0; round < 4; round++) {
    writeFileSync(file, 'more than ten bytes')
    await logs.rotate()
    await clock.advance(1000)
  }
  expect(readdirSync(directory)).toHaveLength(3)
  expect(readFileSync(file, 'utf8')).toBe('')
  logs.stop()
})

test('a log that the runtime did not begin anew is rotated the next time', async () => {
  let fails = true
  const logs = new LogFiles(
    runtime(() => fails),
    new FakeClock(),
    { maximumBytes: 10, maximumFiles: 3 },
  )
  logs.containerChanged('c', file, true)
  writeFileSync(file, 'more than ten bytes')
  await logs.rotate()
  expect(readdirSync(directory)).toEqual(['0.log'])
  fails = false
  await logs.rotate()
  expect(readdirSync(directory)).toHaveLength(2)
  logs.stop()
})
