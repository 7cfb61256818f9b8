import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiError } from './api-error.ts'
import { parseFieldSelector, parseLabelSelector } from './selectors.ts'

describe('label selectors in text', () => {
  test.each([
    ['', {}, true],
    ['a', { a: '' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['!a', { a: '1' }, false],
    ['a=1', { a: '1' }, true],
    ['a==1', { a: '1' }, true],
    ['a=1', { a: '2' }, false],
    ['a=', { a: '' }, true],
    ['a!=1', {}, true],
    ['a!=1', { a: '1' }, false],
    ['a in (x,y)', { a: 'y' }, true],
    ['a in (x, y)', { a: 'z' }, false],
    ['a in ()', { a: '' }, true],
    ['a notin (x,y)', {}, true],
    ['a notin (x)', { a: 'x' }, false],
    ['app in (x,y),!zzz', { app: 'x' }, true],
    ['a>3', { a: '4' }, true],
    ['a<3', { a: '4' }, false],
    ['example.com/in=in', { 'example.com/in': 'in' }, true],
  ])('%j on %j is %s', (text, labels, expected) => {
    expect(parseLabelSelector(text).matches(labels as Record<string, string>)).toBe(expected)
  })

  test.each([
    ['a b c', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in x', "unable to parse requirement: found 'x', expected: '('"],
    ['=a', "unable to parse requirement: found '=', expected: !, identifier, or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['a=-x', 'unable to parse requirement: values[0][a]: Invalid value: "-x": a valid label must be an empty string'],
    ['-a', 'unable to parse requirement: key: Invalid value: "-a": name part must consist of'],
    ['a in (x', "unable to parse requirement: found '', expected: ',' or ')'"],
  ])('%j is refused', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message)
  })

  test('any text is read or refused, never worse', () => {
    const outcome = (read: () => unknown): string => {
      try {
        read()
        return 'read'
      } catch (error) {
        return error instanceof ApiError ? 'refused' : String(error)
      }
    }
    fc.assert(
      fc.property(fc.string(), text => {
        expect(['read', 'refused']).toContain(outcome(() => parseLabelSelector(text)))
        expect(['read', 'refused']).toContain(outcome(() => parseFieldSelector(text)))
      }),
    )
  })
})

test('field selectors', () => {
  expect(parseFieldSelector('metadata.name=a,status.phase!=Failed,x==1')).toEqual([
    { field: 'metadata.name', operator: '=', value: 'a' },
    { field: 'status.phase', operator: '!=', value: 'Failed' },
    { field: 'x', operator: '=', value: '1' },
  ])
  expect(parseFieldSelector(String.raw`a=x\,y\=z\\`)).toEqual([
    { field: 'a', operator: '=', value: String.raw`x,y=z\ `.trim() },
  ])
  expect(() => parseFieldSelector('metadata.name')).toThrow(
    "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
  )
})
