import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../testing/eventually.ts'
import { run } from './command.ts'
import { isAlive } from './daemon.ts'
import { interruptedBy } from './interruption.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sampan-command-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const pidsIn = (file: string): number[] => readFileSync(join(root, file), 'utf8').trim().split('\n').map(Number)

describe('a program that runs when the work around it is interrupted', () => {
  test.each([
    [
      'is ended with all that it has started',
      'sleep 600 & echo $! >> pids; echo $$ >> pids; sleep 600 & echo $! >> pids; wait',
    ],
    ['is ended though it does not want to be', 'trap "" TERM; sleep 600 & echo $! >> pids; echo $$ >> pids; wait'],
  ])(
    '%s',
    async (_how, script) => {
      const controller = new AbortController()
      const work = interruptedBy(controller.signal, async () => {
        await Promise.resolve()
        await run('sh', ['-c', script], { directory: root })
      }).catch((error: unknown) => error)
      await eventually('the start', () => existsSync(join(root, 'pids')) && pidsIn('pids').length > 1)
      controller.abort(new Error('enough'))
      expect(await work).toEqual(new Error('enough'))
      // A signal takes its time to get to those that nobody waits for.
      await eventually('the end of all', () => !pidsIn('pids').some(isAlive))
    },
    20_000,
  )

  test('is none that would be begun after it', async () => {
    const controller = new AbortController()
    await expect(
      interruptedBy(controller.signal, async () => {
        controller.abort(new Error('enough'))
        await run('touch', ['file'], { directory: root })
      }),
    ).rejects.toThrow('enough')
    expect(existsSync(join(root, 'file'))).toBe(false)
  })
})
