import { expect, test } from 'vitest'
import { secondsOfSpan } from './time-span.ts'

test.each([
  ['45s', 45],
  ['10m', 600],
  ['2h30m', 9_000],
  ['1d', 86_400],
  ['', undefined],
  ['10', undefined],
  ['m', undefined],
  ['1m2h', undefined],
  ['-5m', undefined],
])('"%s" is %s seconds', (text, seconds) => {
  expect(secondsOfSpan(text)).toBe(seconds)
})
