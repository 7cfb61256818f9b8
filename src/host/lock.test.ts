import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { holdLock, isLocked, whileLocked } from './lock.ts'

test('one holds it, others do not get it, and its end frees it', async () => {
  const name = `sampan-test-${process.pid}`
  const module = new URL('lock.ts', import.meta.url).pathname
  const holder = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { holdLock, whileLocked } from '${module}'; console.log(await holdLock('${name}') !== undefined); setInterval(() => {}, 1000)`,
  ])
  const [words] = (await once(holder.stdout, 'data')) as [Buffer]
  expect(words.toString()).toBe('true\n')
  expect(await holdLock(name)).toBeUndefined()
  expect(await isLocked(name)).toBe(true)
  holder.kill('SIGKILL')
  await once(holder, 'close')
  expect(await isLocked(name)).toBe(false)
  const lock = await holdLock(name)
  expect(await holdLock(name)).toBeUndefined()
  lock?.release()
  expect(await whileLocked(name, () => 'done')).toBe('done')
})
