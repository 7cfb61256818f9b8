import { PassThrough } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { Interruption } from '../delivery/deploy-error.ts'
import { watchForInterruption, type InterruptionWatch } from './interruption.ts'
import { Output } from './output.ts'

let watch: InterruptionWatch | undefined
afterEach(() => {
  watch?.close()
  vi.restoreAllMocks()
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s asks to go back, the second one ends at once with %i and says how to go on', (name, exitCode) => {
  const ended = vi.spyOn(process, 'exit').mockImplementation((() => {}) as never)
  const stream = new PassThrough()
  watch = watchForInterruption(new Output(stream as unknown as NodeJS.WriteStream), 'go on like this')
  process.emit(name, name)
  expect(watch.signal.reason).toBeInstanceOf(Interruption)
  expect(watch.exitCode).toBe(exitCode)
  expect(String(stream.read())).toContain('going back to how it was before; once more to end at once')
  expect(ended).not.toHaveBeenCalled()
  process.emit(name, name)
  expect(ended).toHaveBeenCalledWith(exitCode)
  expect(String(stream.read())).toBe('error: ended at once; go on like this\n')
})
