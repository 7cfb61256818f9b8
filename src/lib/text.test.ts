import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { base64ErrorAt, decodeBase64, decodeUtf8, encodeBase64, encodeUtf8, encodeUtf8Into } from './text.ts'

const bytes = fc.uint8Array({ maxLength: 64 })

test('text comes back as it went, a byte order mark included', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      expect(decodeUtf8(encodeUtf8(text))).toBe(text)
    }),
  )
  expect(decodeUtf8(encodeUtf8('\uFEFFx'))).toBe('\uFEFFx')
})

test('text can be written into the middle of something', () => {
  const target = new Uint8Array(8)
  expect(encodeUtf8Into('ä!', target, 2)).toBe(3)
  expect([...target]).toEqual([0, 0, 0xc3, 0xa4, 0x21, 0, 0, 0])
})

describe('base64', () => {
  test('comes back as it went, from a part of a buffer too', () => {
    fc.assert(
      fc.property(bytes, fc.nat({ max: 3 }), (content, offset) => {
        const part = content.subarray(Math.min(offset, content.length))
        const text = encodeBase64(part)
        expect(base64ErrorAt(text)).toBe(-1)
        expect([...decodeBase64(text)]).toEqual([...part])
      }),
    )
  })

  test.each([
    ['YWJj', -1],
    ['YQ==', -1],
    ['YWI=', -1],
    ['', -1],
    ['YW\nJj', -1],
    ['YW\r\nJj', -1],
    ['YW!j', 2],
    ['YWJ', 0],
    ['YWJjYQ', 4],
    ['Y-_j', 1],
  ])('%j stops at %i', (text, at) => {
    expect(base64ErrorAt(text)).toBe(at)
  })
})
