import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { isGone, processMark } from './process-mark.ts'

const [place, boot, numbers, pid, began] = processMark().split('-') as [string, string, string, string, string]
const marked = (...parts: string[]): string => parts.join('-')

test('a process knows itself, and one that has ended', async () => {
  expect(isGone(processMark())).toBe(false)
  const script = `import { processMark } from ${JSON.stringify(import.meta.resolve('./process-mark.ts'))}; console.log(processMark())`
  const other = spawn(process.execPath, ['--input-type=module', '--eval', script])
  const [said] = (await once(other.stdout, 'data')) as [Buffer]
  await once(other, 'close')
  expect(isGone(said.toString().trim())).toBe(true)
})

test.each([
  ['began at another time', marked(place, boot, numbers, pid, '1'), true],
  ['is of another start of the machine', marked(place, '00000000', numbers, pid, began), true],
  ['is in another container', marked(place, boot, '1', pid, began), undefined],
  ['is on another machine', marked('00000000', boot, numbers, pid, began), undefined],
  ['says nothing', 'aB3xYz', undefined],
])('one that %s is told by its mark', (_which, mark, gone) => {
  expect(isGone(mark)).toBe(gone)
})
