import type { Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EventStream } from './event-stream.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'performance'] })
  vi.advanceTimersByTime(1_000)
})
afterEach(() => {
  vi.useRealTimers()
})

function streamed() {
  const writes: Uint8Array[] = []
  const response = {
    writableLength: 0,
    write: (bytes: Uint8Array) => writes.push(bytes),
    end: () => {},
    destroy: vi.fn<() => void>(),
  }
  return {
    stream: new EventStream(response as unknown as Writable),
    writes,
    response,
    texts: () => writes.map(bytes => Buffer.from(bytes).toString()),
  }
}
const bytes = (text: string): Uint8Array => Buffer.from(text)

test('the first event after a pause goes out at once, what follows closely in one write', () => {
  const { stream, texts } = streamed()
  stream.push(bytes('a'))
  vi.advanceTimersByTime(0)
  expect(texts()).toEqual(['a'])
  stream.push(bytes('b'))
  vi.advanceTimersByTime(5)
  stream.push(bytes('c'))
  expect(texts()).toEqual(['a'])
  vi.advanceTimersByTime(5)
  expect(texts()).toEqual(['a', 'bc'])
})

test('watches that were told the same share the bytes', () => {
  const [one, other] = [streamed(), streamed()]
  const parts = [bytes('a'), bytes('b')]
  for (const { stream } of [one, other]) for (const part of parts) stream.push(part)
  vi.advanceTimersByTime(100)
  expect(one.writes).toHaveLength(1)
  expect(other.writes[0]).toBe(one.writes[0])
})

test('what waits is written before the end', () => {
  const { stream, texts } = streamed()
  stream.push(bytes('a'))
  stream.end()
  expect(texts()).toEqual(['a'])
  vi.advanceTimersByTime(100)
  expect(texts()).toEqual(['a'])
})

test('a client that does not read is disconnected', () => {
  const { stream, response } = streamed()
  response.writableLength = 17 * 1024 * 1024
  stream.push(bytes('a'))
  vi.advanceTimersByTime(100)
  expect(response.destroy).toHaveBeenCalled()
})
