import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BackOff } from './back-off.ts'

describe('the wait before the next try', () => {
  test('doubles up to its maximum, for each key by itself', () => {
    const backOff = new BackOff<string>({ initialMs: 100, maximumMs: 500 })
    expect([1, 2, 3, 4, 5].map(() => backOff.next('a', 0))).toEqual([100, 200, 400, 500, 500])
    expect(backOff.next('b', 0)).toBe(100)
  })

  test('begins anew after a success', () => {
    const backOff = new BackOff<string>({ initialMs: 100, maximumMs: 500 })
    backOff.next('a', 0)
    backOff.forget('a')
    expect(backOff.next('a', 0)).toBe(100)
  })

  test('begins anew after a quiet time, counted from the end of the last wait', () => {
    const backOff = new BackOff<string>({ initialMs: 100, maximumMs: 500, resetAfterMs: 1000 })
    backOff.next('a', 0)
    expect(backOff.next('a', 1100)).toBe(200)
    expect(backOff.next('a', 2301)).toBe(100)
  })

  test('stays within its limits', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 10_000 })), pauses => {
        const backOff = new BackOff<string>({ initialMs: 10, maximumMs: 3000, resetAfterMs: 2000 })
        let nowMs = 0
        for (const pause of pauses) {
          const delayMs = backOff.next('a', (nowMs += pause))
          expect(delayMs).toBeGreaterThanOrEqual(10)
          expect(delayMs).toBeLessThanOrEqual(3000)
        }
      }),
    )
  })
})
