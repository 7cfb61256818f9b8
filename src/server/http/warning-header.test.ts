import { expect, test } from 'vitest'
import { warningHeaders } from './warning-header.ts'

test.each([
  ['a text', ['unknown field "spec.a"'], ['299 - "unknown field \\"spec.a\\""']],
  ['the same text twice', ['a', 'a'], ['299 - "a"']],
  ['control characters and lines', ['a\nb\u0000\u007Fc\u0085'], ['299 - "abc"']],
  ['half a character', ['\uD800'], ['299 - "\\ud800"']],
])('%s', (_what, warnings, headers) => {
  expect(warningHeaders(warnings)).toEqual(headers)
})

test('other alphabets go out as UTF-8', () => {
  expect(Buffer.from(warningHeaders(['é🚣'])[0]!, 'latin1').toString()).toBe('299 - "é🚣"')
})

test('too much of it is cut short, and what is over the limit left out', () => {
  const many = warningHeaders(Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(400)}`))
  expect(many).toHaveLength(16)
  expect(many.every(header => header.length === 256 + 8)).toBe(true)
})
