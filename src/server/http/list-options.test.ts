import { expect, test } from 'vitest'
import { queryFlag } from '../query-flag.ts'
import { readListOptions, readWatchOptions } from './list-options.ts'

const query = (text: string): URLSearchParams => new URLSearchParams(text)
const refused = (why: string): string => `ListOptions.meta.k8s.io "" is invalid: ${why}`

test.each<[string, string]>([
  [
    'resourceVersionMatch=Exact',
    refused('resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided'),
  ],
  [
    'resourceVersionMatch=Exact&resourceVersion=0',
    refused('resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
  ],
  [
    'resourceVersionMatch=NotOlderThan&resourceVersion=1&continue=x',
    refused('resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided'),
  ],
  [
    'resourceVersionMatch=Bad&resourceVersion=1',
    refused('resourceVersionMatch: Unsupported value: "Bad": supported values: "", "Exact", "NotOlderThan"'),
  ],
  ['sendInitialEvents=true', refused('sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list')],
  ['limit=abc', 'strconv.ParseInt: parsing "abc": invalid syntax'],
  ['timeoutSeconds=1.5', 'strconv.ParseInt: parsing "1.5": invalid syntax'],
])('a list with %s is refused', (text, message) => {
  expect(() => readListOptions(query(text))).toThrow(message)
})

test('a negative limit is none', () => {
  expect(readListOptions(query('limit=-1&resourceVersion=0&resourceVersionMatch=NotOlderThan'))).toEqual({
    limit: 0,
    continueToken: undefined,
    resourceVersion: '0',
    resourceVersionMatch: 'NotOlderThan',
  })
})

test.each<[string, string]>([
  [
    'sendInitialEvents=false',
    refused('resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
  ],
  [
    'resourceVersionMatch=NotOlderThan',
    refused(
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ),
  ],
  [
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x',
    refused('resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided'),
  ],
])('a watch with %s is refused', (text, message) => {
  expect(() => readWatchOptions(query(text))).toThrow(message)
})

test.each<[string, boolean]>([
  ['', false],
  ['watch=false', false],
  ['watch=0', false],
  ['watch=FALSE', false],
  ['watch=true', true],
  ['watch=1', true],
  ['watch=maybe', true],
  ['watch=', true],
  ['watch', true],
  ['watch=False&watch=true', false],
])('%j asks to watch: %s', (text, expected) => {
  expect(queryFlag(query(text), 'watch')).toBe(expected)
})

test.each<[string, boolean, boolean]>([
  ['sendInitialEvents=1&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=yes', true, true],
  ['sendInitialEvents=0&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=False', false, false],
  ['', false, false],
])('a watch with %j sends initial events: %s, bookmarks: %s', (text, sendInitialEvents, allowWatchBookmarks) => {
  expect(readWatchOptions(query(text))).toMatchObject({ sendInitialEvents, allowWatchBookmarks })
})
