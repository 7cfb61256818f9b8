import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addressCount, addressInRange, formatAddress, nthAddress, parseAddress } from './ipv4.ts'

const address = fc.nat({ max: 2 ** 32 - 1 })

test('every address comes back as it went', () => {
  fc.assert(
    fc.property(address, number => {
      expect(parseAddress(formatAddress(number))).toBe(number)
    }),
  )
})

test.each(['', '1.2.3', '1.2.3.4.5', '256.0.0.1', '1.2.3.x', ' 1.2.3.4', 'fd00::1'])('%j is no address', text => {
  expect(parseAddress(text)).toBeUndefined()
})

test.each([
  ['10.43.0.0/16', 0, '10.43.0.0'],
  ['10.43.0.0/16', 10, '10.43.0.10'],
  ['10.43.0.0/16', 256, '10.43.1.0'],
  ['10.43.7.9/16', 1, '10.43.0.1'],
  ['255.255.255.252/30', 3, '255.255.255.255'],
  ['10.0.0.5', 0, '10.0.0.5'],
])('in %s number %i is %s', (range, index, expected) => {
  expect(nthAddress(range, index)).toBe(expected)
})

test('exactly the addresses of a range are in it', () => {
  fc.assert(
    fc.property(address, fc.integer({ min: 1, max: 32 }), fc.nat(), (base, length, pick) => {
      const range = `${formatAddress(base)}/${length}`
      const count = addressCount(range)
      expect(count).toBe(2 ** (32 - length))
      expect(addressInRange(nthAddress(range, pick % count), range)).toBe(true)
      const first = parseAddress(nthAddress(range, 0))!
      expect(first > 0 && addressInRange(formatAddress(first - 1), range)).toBe(false)
      expect(first + count < 2 ** 32 && addressInRange(formatAddress(first + count), range)).toBe(false)
    }),
  )
})

test('a range that is none is named', () => {
  expect(() => addressCount('10.0.0/8')).toThrow('expected an IPv4 range such as 10.43.0.0/16, found "10.0.0/8"')
  expect(addressInRange('no address', '10.0.0.0/8')).toBe(false)
})
