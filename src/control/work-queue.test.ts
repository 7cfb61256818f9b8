import { describe, expect, test } from 'vitest'
import { FakeClock, settle } from '../testing/fake-clock.ts'
import type { Outcome } from './work-queue.ts'
import { WorkQueue } from './work-queue.ts'

function setUp(work: (key: string) => Promise<Outcome>, concurrency = 2) {
  const clock = new FakeClock()
  const failures: [string, number][] = []
  const queue = new WorkQueue({
    clock,
    concurrency,
    work,
    failed: (key, _, retryAfterMs) => failures.push([key, retryAfterMs]),
  })
  return { clock, queue, failures }
}

describe('the work queue', () => {
  test('works on a key once for all the wishes of one moment', async () => {
    const done: string[] = []
    const { queue } = setUp(async key => {
      done.push(key)
      return 'done'
    })
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
    await settle()
    expect(done).toEqual([])
    queue.start()
    await settle()
    expect(done).toEqual(['a', 'b'])
  })

  test('never works on a key twice at once, and remembers a wish made meanwhile', async () => {
    const gate = Promise.withResolvers<void>()
    let active = 0
    let runs = 0
    const { queue } = setUp(async () => {
      runs++
      expect(++active).toBe(1)
      if (runs === 1) await gate.promise
      active--
      return 'done'
    })
    queue.start()
    queue.add('a')
    await settle()
    queue.add('a')
    queue.add('a')
    await settle()
    expect(runs).toBe(1)
    gate.resolve()
    await settle()
    expect(runs).toBe(2)
  })

  test('keeps to its concurrency', async () => {
    const gate = Promise.withResolvers<void>()
    let active = 0
    const { queue } = setUp(async () => {
      active++
      await gate.promise
      return 'done'
    })
    queue.start()
    for (const key of ['a', 'b', 'c']) queue.add(key)
    await settle()
    expect(active).toBe(2)
    gate.resolve()
    await settle()
    expect(active).toBe(3)
  })

  test('waits longer after each failure and starts anew after a success', async () => {
    let failing = true
    const { queue, clock, failures } = setUp(async () => {
      if (failing) throw new Error('no')
      return 'done'
    })
    queue.start()
    queue.add('a')
    await settle()
    await clock.advance(5)
    await clock.advance(10)
    expect(failures).toEqual([
      ['a', 5],
      ['a', 10],
      ['a', 20],
    ])
    failing = false
    await clock.advance(20)
    failing = true
    queue.add('a')
    await settle()
    expect(failures.at(-1)).toEqual(['a', 5])
  })

  test('comes back when asked to; the earliest wish counts', async () => {
    let runs = 0
    const { queue, clock } = setUp(async () => (++runs === 1 ? { requeueAfterMs: 1000 } : 'done'))
    queue.start()
    queue.add('a')
    await settle()
    queue.addAfter('a', 5000)
    await clock.advance(999)
    expect(runs).toBe(1)
    await clock.advance(1)
    expect(runs).toBe(2)
    await clock.advance(10_000)
    expect(runs).toBe(2)
  })

  test('stops when what runs has ended', async () => {
    const gate = Promise.withResolvers<void>()
    let runs = 0
    const { queue } = setUp(async () => {
      runs++
      await gate.promise
      return 'done'
    }, 1)
    queue.start()
    queue.add('a')
    queue.add('b')
    await settle()
    const stopped = queue.stop()
    gate.resolve()
    await stopped
    expect(runs).toBe(1)
  })
})
