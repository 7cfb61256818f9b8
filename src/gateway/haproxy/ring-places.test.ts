import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ringPlaces } from './ring-places.ts'

test('a server stands where it stood, whoever comes or goes', () => {
  const some = ringPlaces(['a', 'b', 'c'])
  const others = ringPlaces(['c', 'x', 'a'])
  expect([others.get('a'), others.get('c')]).toEqual([some.get('a'), some.get('c')])
})

test('no two of them stand at one place, and none where HAProxy lets nobody stand', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 300 }), names => {
      const places = [...ringPlaces(names).values()]
      expect(new Set(places).size).toBe(names.length)
      expect(places.every(place => place > 0 && place < 2 ** 20)).toBe(true)
    }),
  )
})
