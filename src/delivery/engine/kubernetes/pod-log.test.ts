// Following a container's log to its end, over streams that end with it or break off.
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../testing/fake-clock.ts'
import { followLog, type LogClient } from './pod-log.ts'

const line = (second: number): string => `2026-01-01T00:00:0${second}.000000000Z line ${second}\n`

/** A log of which each stream has so many lines before it ends. */
function followed(streams: readonly number[], hasEnded = false) {
  const [ended, stop, clock] = [new AbortController(), new AbortController(), new FakeClock()]
  if (hasEnded) ended.abort()
  const asked: (string | null)[] = []
  const client = {
    raw: async (path: string) => {
      asked.push(new URL(path, 'http://x').searchParams.get('sinceTime'))
      const count = streams[Math.min(asked.length, streams.length) - 1]!
      return Readable.from(Array.from({ length: count }, (_, index) => line(index + 1)))
    },
  } as unknown as LogClient
  const lines: string[] = []
  const read = async (): Promise<void> => {
    const source = { namespace: 'n', pod: 'p', container: 'c' }
    const until = { ended: ended.signal, signal: stop.signal }
    for await (const { text } of followLog(client, clock, source, {}, until)) lines.push(text)
  }
  return { ended, clock, asked, lines, end: read() }
}

test('it is over as soon as the container is known to have ended, without a pause', async () => {
  const log = followed([2])
  setImmediate(() => log.ended.abort())
  await log.end
  expect(log.lines).toEqual(['line 1', 'line 2'])
  expect(log.asked).toEqual([null, '2026-01-01T00:00:02.000000000Z'])
})

test('of a container that had ended before it is read once', async () => {
  const log = followed([2], true)
  await log.end
  expect(log.lines).toEqual(['line 1', 'line 2'])
  expect(log.asked).toEqual([null])
})

test('one that breaks off is taken up again after a pause', async () => {
  const log = followed([1, 3])
  await log.clock.advance(400)
  expect(log.lines).toEqual(['line 1'])
  await log.clock.advance(100)
  expect(log.lines).toEqual(['line 1', 'line 2', 'line 3'])
  log.ended.abort()
  await log.end
})
