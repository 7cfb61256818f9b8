import { expect, test } from 'vitest'
import { silentLogger } from '../../lib/logger.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { CompactedError } from '../../store/store.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { startCompaction } from './compaction.ts'

async function write(store: MemoryStore, times: number): Promise<number> {
  let revision = (await store.get('/a'))?.revision ?? 0
  for (let time = 0; time < times; time++) {
    const result = await store.put('/a', new Uint8Array(1), revision)
    if (!result.ok) throw new Error('conflict')
    revision = result.revision
  }
  return revision
}

const readable = (store: MemoryStore, revision: number): Promise<boolean> =>
  store.range('/', { revision }).then(
    () => true,
    error => {
      if (error instanceof CompactedError) return false
      throw error
    },
  )

test('history older than five minutes goes, younger stays', async () => {
  const clock = new FakeClock()
  const store = new MemoryStore()
  const stop = startCompaction(store, { clock, logger: silentLogger })
  const old = await write(store, 3)
  await clock.advance(4 * 60_000)
  const young = await write(store, 3)
  await clock.advance(2 * 60_000)
  expect([await readable(store, old - 1), await readable(store, old), await readable(store, young - 1)]).toEqual([
    false,
    true,
    true,
  ])
  await clock.advance(10 * 60_000)
  expect(await readable(store, young - 1)).toBe(false)
  expect(await readable(store, young)).toBe(true)
  stop()
})

test('history longer than the limit goes at once', async () => {
  const clock = new FakeClock()
  const store = new MemoryStore()
  const stop = startCompaction(store, { clock, logger: silentLogger, keepRevisions: 10 })
  const last = await write(store, 30)
  await clock.advance(30_000)
  expect([await readable(store, last - 11), await readable(store, last - 10)]).toEqual([false, true])
  stop()
})
