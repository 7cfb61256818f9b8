import { expect, test } from 'vitest'
import { goQuote } from './go-quote.ts'

test.each([
  ['plain "text" \\', String.raw`"plain \"text\" \\"`],
  ['ö日🙂', '"ö日🙂"'],
  ['\u0000\u0001\u0007\b\f\n\r\t\v\u001F\u007F', String.raw`"\x00\x01\a\b\f\n\r\t\v\x1f\x7f"`],
  ['\u0085\u00A0\u200B\u2028\uFEFF\u{E0001}', String.raw`"\u0085\u00a0\u200b\u2028\ufeff\U000e0001"`],
  [String.raw`\u0001`, String.raw`"\\u0001"`],
])('%j', (text, quoted) => {
  expect(goQuote(text)).toBe(quoted)
})
