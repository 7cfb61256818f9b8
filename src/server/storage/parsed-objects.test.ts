import { expect, test } from 'vitest'
import { CachedObject } from './cached-object.ts'

const make = (index: number): CachedObject =>
  new CachedObject(`n/${index}`, 1, Buffer.from(`{"metadata":{"name":"${index}","labels":{"n":"${index}"}}}`))

test('what nobody used lately is let go, what is used stays', () => {
  const objects = Array.from({ length: 10_000 }, (_unused, index) => make(index))
  const [first, second] = [objects[0]!, objects[1]!]
  const before = { first: first.object, second: second.object, labels: first.labels }
  for (const object of objects.slice(2)) {
    void object.object
    void second.object
  }
  expect(first.object).not.toBe(before.first)
  expect(first.object).toEqual(before.first)
  expect(first.labels).toBe(before.labels)
  expect(second.object).toBe(before.second)
})
