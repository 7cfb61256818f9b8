import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { terminationMessage } from './termination-message.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-message-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const line = (tag: 'F' | 'P', content: string): string => `2026-01-02T03:04:05.000000006Z stderr ${tag} ${content}\n`

function message(
  { file = '', log = '' }: { file?: string; log?: string },
  exitCode = 1,
  terminationMessagePolicy = 'FallbackToLogsOnError',
): Promise<string> {
  writeFileSync(join(directory, 'message'), file)
  writeFileSync(join(directory, 'log'), log)
  const container = { name: 'main', terminationMessagePolicy }
  return terminationMessage(container, exitCode, join(directory, 'message'), join(directory, 'log'))
}

test('what stands in the file goes before the log', async () => {
  expect(await message({ file: 'written', log: line('F', 'logged') })).toBe('written')
})

test('of a long file the last 4096 bytes count', async () => {
  expect(await message({ file: `${'a'.repeat(10)}${'b'.repeat(4_096)}` })).toBe('b'.repeat(4_096))
  expect(await message({ file: `€${'b'.repeat(4_094)}` })).toBe('b'.repeat(4_094))
})

test('the log counts only after a failure, and only where it was asked for', async () => {
  const log = line('F', 'logged')
  expect(await message({ log })).toBe('logged\n')
  expect(await message({ log }, 0)).toBe('')
  expect(await message({ log }, 1, 'File')).toBe('')
})

test('parts of a line are one line', async () => {
  expect(
    await message({ log: line('P', 'first ') + line('P', 'second ') + line('F', 'third') + line('F', 'next') }),
  ).toBe('first second third\nnext\n')
})

test('long parts of a line are not taken for a torn log', async () => {
  const part = 'x'.repeat(16_000)
  expect(await message({ log: line('P', part) + line('F', `${part} the end`) })).toBe(
    `${'x'.repeat(2_048 - ' the end\n'.length)} the end\n`,
  )
})

test('of a long log the last 2048 bytes count, and no character is cut', async () => {
  const ended = await message({ log: line('F', '€'.repeat(2_000)) })
  expect(ended).toBe(`${'€'.repeat(682)}\n`)
  expect(Buffer.byteLength(ended)).toBe(2_047)
})

test('of a log of short lines the last 80 count', async () => {
  const log = Array.from({ length: 100 }, (_, index) => line('F', `${index}`)).join('')
  expect((await message({ log })).trimEnd().split('\n')).toEqual(
    Array.from({ length: 80 }, (_, index) => `${index + 20}`),
  )
})

test('there may be no log', async () => {
  expect(
    await terminationMessage({ name: 'main', terminationMessagePolicy: 'FallbackToLogsOnError' }, 1, '/none', '/none'),
  ).toBe('')
})
