import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseExactJson } from './exact-json.ts'

describe('whole numbers', () => {
  it.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-9007199254740993', -9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    // No longer 64 bits, or written as a fraction: rounded, as Go does.
    ['9223372036854775808', 2 ** 63],
    ['1e16', 1e16],
    ['12345678901234567.0', 12345678901234568],
  ])('%s', (text, value) => {
    expect(parseExactJson(`{"a":[${text}]}`)).toEqual({ a: [value] })
    expect(parseExactJson(`{ "a" : ${text}\n}`)).toEqual({ a: value })
  })

  it('are written as they were read', () => {
    const text = '{"a":9007199254740993,"b":[-9223372036854775808,1],"c":{"d":1.5}}'
    expect(JSON.stringify(parseExactJson(text))).toBe(text)
  })

  it('are found wherever they stand', () => {
    for (let before = 0; before < 40; before++) {
      const text = `{"a":"${'x'.repeat(before)}","b":9007199254740993,"c":"1"}`
      expect(JSON.stringify(parseExactJson(text))).toBe(text)
    }
  })

  it('within strings are left alone', () => {
    const text = '{"a":"9007199254740993","b":"x: 9007199254740993, y","__proto__":{"c":":12345678901234567}"}}'
    expect(JSON.stringify(parseExactJson(text))).toBe(text)
  })
})

it('what is no JSON is refused as ever', () => {
  expect(() => parseExactJson('{"a":9007199254740993')).toThrow(SyntaxError)
  expect(() => parseExactJson('{"a":09007199254740993}')).toThrow(SyntaxError)
})

test('rounded, it is what JSON.parse makes of it', () => {
  fc.assert(
    fc.property(fc.json(), text => {
      expect(JSON.parse(JSON.stringify(parseExactJson(text)))).toEqual(JSON.parse(text))
    }),
  )
})
