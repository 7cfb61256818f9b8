import { expect, test } from 'vitest'
import { greatCircleKm } from './great-circle.ts'

const cities = {
  berlin: { latitude: 52.52, longitude: 13.405 },
  paris: { latitude: 48.8566, longitude: 2.3522 },
  newYork: { latitude: 40.7128, longitude: -74.006 },
  london: { latitude: 51.5074, longitude: -0.1278 },
  sydney: { latitude: -33.8688, longitude: 151.2093 },
  tokyo: { latitude: 35.6762, longitude: 139.6503 },
}

// Distances as published for these coordinates.
test.each([
  ['berlin', 'paris', 878],
  ['new york', 'london', 5570],
  ['sydney', 'tokyo', 7823],
] as const)('%s to %s is about %d km', (from, to, km) => {
  const key = (name: string): keyof typeof cities => (name === 'new york' ? 'newYork' : name) as keyof typeof cities
  const distance = greatCircleKm(cities[key(from)], cities[key(to)])
  expect(Math.abs(distance - km) / km).toBeLessThan(0.005)
})

test('a point is at no distance from itself, and the antipode half around the Earth', () => {
  expect(greatCircleKm(cities.paris, cities.paris)).toBe(0)
  expect(greatCircleKm({ latitude: 0, longitude: 0 }, { latitude: 0, longitude: 180 })).toBeCloseTo(
    Math.PI * 6371.0088,
    3,
  )
})

test('a point that is not on the Earth is refused', () => {
  expect(() => greatCircleKm({ latitude: 91, longitude: 0 }, cities.paris)).toThrow(RangeError)
  expect(() => greatCircleKm({ latitude: Number.NaN, longitude: 0 }, cities.paris)).toThrow(RangeError)
})
