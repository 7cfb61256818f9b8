import { expect, it } from 'vitest'
import { parseInt64 } from './int64.ts'

it.each([
  ['3546343826724305832', 3546343826724305832n],
  ['-9223372036854775808', -9223372036854775808n],
  ['+7', 7n],
  ['9223372036854775808', undefined],
  ['-9223372036854775809', undefined],
  ['', undefined],
  ['1.0', undefined],
  ['0x1', undefined],
  ['1 ', undefined],
  [undefined, undefined],
])('%s is %s', (text, value) => {
  expect(parseInt64(text)).toBe(value)
})
