import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { holdLock } from './lock.ts'

test('one holds it, others do not get it, and its end frees it', async () => {
  const name = `sampan-test-${process.pid}`
  const module = new URL('lock.ts', import.meta.url).pathname
  const holder = spawn(process.execPath, ['--input-type=module', '-e', `import { holdLock } from '${module}'; console.log(await holdLock('${name}')); setInterval(() => {}, 1000)`])
  const [words] = await once(holder.stdout, 'data') as [Buffer]
  expect(words.toString()).toBe('true\n')
  expect(await holdLock(name)).toBe(false)
  holder.kill('SIGKILL')
  await once(holder, 'close')
  expect(await holdLock(name)).toBe(true)
  expect(await holdLock(name)).toBe(false)
})
