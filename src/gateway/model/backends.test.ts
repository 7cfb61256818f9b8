import { expect, test } from 'vitest'
import { stableHash } from '../../lib/stable-hash.ts'
import { hashOf } from './backends.ts'

test('names that were made to have one short hash are told apart', () => {
  // Found by trying; whoever may name a route could name it so.
  const byShort = new Map<string, string>()
  let pair: [string, string] | undefined
  for (let count = 0; pair === undefined; count++) {
    const name = `AccessPolicy shop/${count.toString(36)}`
    const short = stableHash(name)
    const other = byShort.get(short)
    if (other !== undefined) pair = [name, other]
    byShort.set(short, name)
  }
  expect(hashOf(pair[0])).not.toBe(hashOf(pair[1]))
})

test('the order of keys says nothing', () => {
  expect(hashOf({ a: 1, b: { c: 2, d: 3 } })).toBe(hashOf({ b: { d: 3, c: 2 }, a: 1 }))
})
