import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findRefused } from './find-refused.ts'

const checking = (owners: readonly string[], bad: readonly string[], asked: { times: number } = { times: 0 }) =>
  findRefused(owners, async without => {
    asked.times++
    return bad.find(owner => owners.includes(owner) && !without.has(owner))
  })

test('those that are wrong are found, and nobody else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.string(), { maxLength: 40 }), fc.nat(), async (owners, seed) => {
      const bad = owners.filter((_owner, index) => (seed >> (index % 30)) % 7 === 1)
      const found = await checking(owners, bad)
      expect(found.map(({ owner }) => owner).toSorted()).toEqual(bad.toSorted())
      expect(found.every(({ reason }) => bad.includes(reason))).toBe(true)
    }),
  )
})

test('one of a thousand is found with a dozen questions', async () => {
  const owners = Array.from({ length: 1000 }, (_owner, index) => String(index))
  const asked = { times: 0 }
  expect(await checking(owners, ['617'], asked)).toEqual([{ owner: '617', reason: '617' }])
  expect(asked.times).toBeLessThan(16)
})

test('of two that are wrong together, the later one is refused', async () => {
  const found = await findRefused(['a', 'b', 'c'], async without =>
    without.has('a') || without.has('c') ? undefined : 'a and c',
  )
  expect(found).toEqual([{ owner: 'c', reason: 'a and c' }])
})

test('what is wrong without any of them is thrown', async () => {
  await expect(findRefused(['a'], async () => 'all of it')).rejects.toThrow('all of it')
})
