import { expect, test } from 'vitest'
import { FakeClock } from '../testing/fake-clock.ts'
import { giveSpareMemoryBack } from './spare-memory.ts'

const mebibyte = 1024 * 1024

function watched(heap: { usedBytes: number; reservedBytes: number }) {
  const clock = new FakeClock()
  const state = { heap, processorMs: 0, collections: 0 }
  const watching = giveSpareMemoryBack({
    clock,
    collect: () => void state.collections++,
    heap: () => state.heap,
    processorMs: () => state.processorMs,
  })
  return { clock, state, stop: () => watching.stop() }
}

test('what a start needed is given back once it is quiet', async () => {
  const { clock, state } = watched({ usedBytes: 14 * mebibyte, reservedBytes: 24 * mebibyte })
  await clock.advance(10_000)
  expect(state.collections).toBe(1)
  state.heap = { usedBytes: 14 * mebibyte, reservedBytes: 16 * mebibyte }
  await clock.advance(60_000)
  expect(state.collections).toBe(1)
})

test('not while the process works', async () => {
  const { clock, state } = watched({ usedBytes: 14 * mebibyte, reservedBytes: 24 * mebibyte })
  state.processorMs = 800
  await clock.advance(10_000)
  expect(state.collections).toBe(0)
  state.processorMs = 1_000
  await clock.advance(10_000)
  expect(state.collections).toBe(1)
})

test('a large heap is left alone: nothing else could run meanwhile', async () => {
  const { clock, state } = watched({ usedBytes: 100 * mebibyte, reservedBytes: 200 * mebibyte })
  await clock.advance(200_000)
  expect(state.collections).toBe(0)
})

test('stops looking', async () => {
  const { clock, state, stop } = watched({ usedBytes: 14 * mebibyte, reservedBytes: 24 * mebibyte })
  stop()
  await clock.advance(200_000)
  expect(state.collections).toBe(0)
})
