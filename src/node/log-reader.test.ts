import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { eventually } from '../testing/eventually.ts'
import { readLog } from './log-reader.ts'
import type { LogOptions } from '../streams/node-streams.ts'

const kernel = vi.hoisted(() => ({ isFull: false }))
vi.mock('node:fs', async original => {
  const real = await original<typeof import('node:fs')>()
  const watch = (...given: Parameters<typeof real.watch>): ReturnType<typeof real.watch> => {
    if (kernel.isFull) throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' })
    return real.watch(...given)
  }
  return { ...real, watch }
})

let directory: string
let file: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sampan-log-'))
  file = join(directory, '0.log')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const time = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000001Z`
const line = (second: number, content: string, tag = 'F', stream = 'stdout'): string =>
  `${time(second)} ${stream} ${tag} ${content}\n`
const nowMs = Date.parse('2026-01-01T00:01:00Z')

async function read(options: LogOptions): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of readLog(file, options, nowMs)) parts.push(part)
  return Buffer.concat(parts).toString()
}

test('lines, parts of lines, streams', async () => {
  await writeFile(
    file,
    [line(1, 'one'), line(2, 'tw', 'P'), line(2, 'o'), line(3, 'bad', 'F', 'stderr'), line(4, ''), 'torn'].join(''),
  )
  expect(await read({})).toBe('one\ntwo\nbad\n\n')
  expect(await read({ stream: 'Stderr' })).toBe('bad\n')
  expect(await read({ timestamps: true })).toBe(`${time(1)} one\n${time(2)} two\n${time(3)} bad\n${time(4)} \n`)
})

test('the last lines, since a time, up to a size', async () => {
  await writeFile(file, Array.from({ length: 59 }, (_item, index) => line(index, `line ${index}`)).join(''))
  expect(await read({ tailLines: 2 })).toBe('line 57\nline 58\n')
  expect(await read({ tailLines: 0 })).toBe('')
  expect((await read({ tailLines: 1_000 })).split('\n').length).toBe(60)
  expect(await read({ sinceSeconds: 2 })).toBe('line 58\n')
  expect(await read({ sinceTime: '2026-01-01T00:00:58Z' })).toBe('line 58\n')
  expect(await read({ limitBytes: 10 })).toBe('line 0\nlin')
})

test('long logs are read from the end', async () => {
  await writeFile(
    file,
    Array.from({ length: 20_000 }, (_item, index) => line(index % 60, `line ${index} ${'x'.repeat(50)}`)).join(''),
  )
  expect((await read({ tailLines: 3_000 })).split('\n')[0]).toContain('line 17000 ')
})

test.each([
  ['a kernel that tells', false],
  ['a kernel that has no watch left', true],
])('following sees new lines, a rotated file, and the end of the container, with %s', async (_what, isFull) => {
  kernel.isFull = isFull
  onTestFinished(() => void (kernel.isFull = false))
  await writeFile(file, line(1, 'one'))
  let running = true
  let changed = (): void => {}
  let output = ''
  const following = (async () => {
    const follow = {
      isRunning: () => running,
      onChange: (listener: () => void) => {
        changed = listener
        return () => {}
      },
    }
    for await (const part of readLog(file, { follow: true }, nowMs, follow)) output += part.toString()
  })()
  await eventually('first line', () => output === 'one\n')
  await appendFile(file, line(2, 'two'))
  await eventually('second line', () => output === 'one\ntwo\n')
  await rename(file, `${file}.old`)
  await writeFile(file, line(3, 'three'))
  await eventually('line of the new file', () => output === 'one\ntwo\nthree\n')
  await appendFile(file, line(4, 'four'))
  running = false
  changed()
  await following
  expect(output).toBe('one\ntwo\nthree\nfour\n')
})
