import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placesOf } from './shares.ts'

const shares = (...weights: number[]) => weights.map(weight => ({ backend: 'b', weight }))

test.each([
  [
    [1, 1],
    [500, 500],
  ],
  [
    [90, 10],
    [900, 100],
  ],
  [
    [1, 0],
    [1000, 0],
  ],
  [
    [0, 0],
    [0, 0],
  ],
  [
    [1, 1, 1],
    [334, 333, 333],
  ],
  [
    [1_000_000, 1],
    [999, 1],
  ],
])('weights %j get %j of a thousand places', (weights, places) => {
  expect(placesOf(shares(...weights), 1000)).toEqual(places)
})

test('all places are given, each with a weight has one, and more weight never has fewer', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1_000_000 }), { minLength: 1, maxLength: 16 }), weights => {
      const places = placesOf(shares(...weights), 1000)
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      expect(places.reduce((sum, each) => sum + each, 0)).toBe(total === 0 ? 0 : 1000)
      weights.forEach((weight, index) => {
        expect(places[index]! > 0).toBe(weight > 0)
        weights.forEach((other, place) => {
          if (weight > other) expect(places[index]).toBeGreaterThanOrEqual(places[place]!)
        })
      })
    }),
  )
})
