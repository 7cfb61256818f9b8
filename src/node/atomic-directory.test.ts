import { mkdtemp, readFile, readdir, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeAtomically } from './atomic-directory.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sampan-atomic-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const file = (path: string, text: string, mode = 0o644) => ({ path, content: Buffer.from(text), mode })

test('files appear, change and vanish through one swapped link', async () => {
  expect(await writeAtomically(directory, [file('a', '1'), file('sub/b', '2', 0o400)], 'v1')).toBe(true)
  expect(await readFile(join(directory, 'sub/b'), 'utf8')).toBe('2')
  expect((await stat(join(directory, 'sub/b'))).mode & 0o777).toBe(0o400)
  expect(await readlink(join(directory, 'a'))).toBe('..data/a')
  expect(await writeAtomically(directory, [file('a', '3'), file('c', '4')], 'v2')).toBe(true)
  expect(await readFile(join(directory, 'a'), 'utf8')).toBe('3')
  expect((await readdir(directory)).sort()).toEqual(['..data', '..v2', 'a', 'c'])
})

test('the same files are not written again', async () => {
  await writeAtomically(directory, [file('a', '1')], 'v1')
  expect(await writeAtomically(directory, [file('a', '1')], 'v2')).toBe(false)
  expect(await readlink(join(directory, '..data'))).toBe('..v1')
})
