import { expect, test } from 'vitest'
import { stableHash } from './stable-hash.ts'

test('depends on the value, not on the order of its keys', () => {
  expect(stableHash({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(stableHash({ b: { c: [1, 2] }, a: 1 }))
  expect(stableHash({ a: 1 })).not.toBe(stableHash({ a: 2 }))
  expect(stableHash({ a: 1 }, '#1')).not.toBe(stableHash({ a: 1 }))
  expect(stableHash({ a: 1 })).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]+$/)
})
