import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliValue,
  parseQuantity,
  wholeValue,
} from './quantity.ts'

describe('canonical form', () => {
  test.each([
    ['0', '0'],
    ['1', '1'],
    ['1.5', '1500m'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['512.0Mi', '512Mi'],
    ['1024Mi', '1Gi'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1000000', '1M'],
    ['1.5Gi', '1536Mi'],
    ['512', '512'],
    ['100Ki', '100Ki'],
    ['0.5Ki', '512'],
    ['1e3', '1e3'],
    ['12E2', '1200'],
    ['1e-3', '1e-3'],
    ['-1', '-1'],
    ['+5', '5'],
    ['.5', '500m'],
    ['1.', '1'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['3E', '3E'],
  ])('%s becomes %s', (text, canonical) => expect(canonicalQuantity(text)).toBe(canonical))

  test.each(['abc', '', '1.5.2', '1KB', '--1', '1 Gi', 'Mi'])('%s is refused', text =>
    expect(parseQuantity(text)).toBeUndefined(),
  )

  test('is a fixed point and keeps the value', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-(10n ** 20n), 10n ** 20n),
        fc.constantFrom('', 'm', 'n', 'k', 'Ki', 'Gi', 'e2'),
        (number, suffix) => {
          const quantity = parseQuantity(`${number}${suffix}`)!
          const text = formatQuantity(quantity)
          expect(parseQuantity(text)!.nano).toBe(quantity.nano)
          expect(canonicalQuantity(text)).toBe(text)
        },
      ),
    )
  })
})

test('sums, comparisons and plain numbers', () => {
  expect(addQuantities('500m', '1.5')).toBe('2')
  expect(addQuantities('0', '1Gi')).toBe('1Gi')
  expect(compareQuantities('1Gi', '1G')).toBe(1)
  expect(compareQuantities(undefined, '0')).toBe(0)
  expect(milliValue('0.0001')).toBe(1)
  expect(milliValue('2')).toBe(2000)
  expect(wholeValue('1Ki')).toBe(1024)
  expect(wholeValue('1500m')).toBe(2)
})
