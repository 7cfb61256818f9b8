import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Output } from './output.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

test('without a terminal, what takes longer than a second is told as a line, and again when it is another', () => {
  const stream = new PassThrough()
  const output = new Output(stream as unknown as NodeJS.WriteStream)
  const shown = (): string => ((stream.read() as Buffer | null) ?? '').toString()
  output.working('waiting for 3')
  vi.advanceTimersByTime(500)
  output.working('waiting for 2')
  vi.advanceTimersByTime(499)
  expect(shown()).toBe('')
  vi.advanceTimersByTime(1)
  expect(shown()).toBe('… waiting for 2\n')
  output.working('waiting for 2')
  vi.advanceTimersByTime(5_000)
  expect(shown()).toBe('')
  output.working('waiting for 1')
  vi.advanceTimersByTime(1_000)
  expect(shown()).toBe('… waiting for 1\n')
  output.working('waiting for 0')
  output.line('done')
  vi.advanceTimersByTime(5_000)
  expect(shown()).toBe('done\n')
})

test('what goes on in a terminal is one line of it, so that it can be taken away', () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 20 })
  const output = new Output(stream as unknown as NodeJS.WriteStream)
  output.working('0 of 1 instances are ready; the probe failed\nand more')
  const shown = (stream.read() as Buffer).toString().replace('\r\u001B[2K', '')
  output.quiet()
  expect(shown).toBe('⠋ 0 of 1 instances …')
})
