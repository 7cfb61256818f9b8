import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test.each([
  ['machineClock', ''],
  ['commandClock', 'woke\n'],
])('a process that only waits for a timer of %s prints %j', async (clock, printed) => {
  const script = `const { ${clock}: clock } = await import(${JSON.stringify(join(import.meta.dirname, 'machine-clock.ts'))}); clock.after(10, () => console.log('woke'))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect(stdout).toBe(printed)
})
