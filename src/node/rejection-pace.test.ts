import { expect, test } from 'vitest'
import { RejectionPace } from './rejection-pace.ts'

test('the first is told at once, the others wait longer and longer, a minute at most, until it has been quiet', () => {
  const pace = new RejectionPace()
  const waits: number[] = []
  let nowMs = 0
  for (let index = 0; index < 9; index++) {
    const waitMs = pace.waitMs('set', nowMs)
    waits.push(waitMs / 1_000)
    nowMs += waitMs
    pace.told('set', nowMs)
  }
  expect(waits).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60])
  expect(pace.waitMs('other', nowMs)).toBe(0)
  nowMs += 121_000
  expect(pace.waitMs('set', nowMs)).toBe(0)
  pace.told('set', nowMs)
  expect(pace.waitMs('set', nowMs)).toBe(1_000)
})
