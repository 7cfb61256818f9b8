// Tables say the same as the rules that they are made of, for every request.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findRule, type AskedRequest } from '../model/find-rule.ts'
import { compareRules } from '../model/match-order.ts'
import type { Host, HostName, PathMatch, Rule, ValueMatch } from '../model/model.ts'
import { lookUp } from './look-up.ts'
import { routingTable } from './routing-table.ts'

const path: fc.Arbitrary<PathMatch> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('exact' as const, 'prefix' as const),
    value: fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/c', '/ab', '/b'),
  }),
  fc.record({ kind: fc.constant('pattern' as const), value: fc.constantFrom('^/a', 'b$', '^/[ab]/.$') }),
)
const value = (name: string): fc.Arbitrary<ValueMatch> =>
  fc.record({
    name: fc.constant(name),
    kind: fc.constantFrom('exact' as const, 'pattern' as const),
    value: fc.constantFrom('1', '2'),
  })
const some = (name: string): fc.Arbitrary<ValueMatch[]> => fc.array(value(name), { maxLength: 1 })
const name: fc.Arbitrary<HostName> = fc.oneof(
  fc.record({ kind: fc.constant('exact' as const), name: fc.constantFrom('x.com', 'a.x.com', 'b.a.x.com') }),
  fc.record({
    kind: fc.constantFrom('one-label' as const, 'below' as const),
    below: fc.constantFrom('com', 'x.com', 'a.x.com'),
  }),
  fc.constant({ kind: 'any' as const }),
)
const rule: fc.Arbitrary<Omit<Rule, 'source' | 'action'>> = fc.record({
  match: fc.record(
    { path, method: fc.constantFrom('GET', 'POST'), headers: some('x-a'), query: some('q') },
    { requiredKeys: ['path', 'headers', 'query'] },
  ),
})
const hosts: fc.Arbitrary<Host[]> = fc
  .uniqueArray(
    fc.record({ name, listener: fc.constantFrom('one', 'other'), rules: fc.array(rule, { maxLength: 5 }) }),
    {
      maxLength: 5,
      selector: host => JSON.stringify(host.name),
    },
  )
  .map(all =>
    all.map((host, place) => ({
      ...host,
      rules: host.rules
        .map((each, index): Rule => {
          const backend = `b_${place}_${index}`
          return { ...each, source: backend, action: { shares: [{ backend, weight: 1 }] } }
        })
        .toSorted(compareRules),
    })),
  )
const request: fc.Arbitrary<AskedRequest> = fc.record({
  host: fc.constantFrom('x.com', 'a.x.com', 'b.a.x.com', 'c.b.a.x.com', 'com', 'y.org', 'A.X.com'),
  path: fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/', '/a/b/c/d', '/ab', '/abc', '/b', '/c'),
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  headers: fc.constantFrom<Record<string, string>[]>({}, { 'x-a': '1' }, { 'x-a': '2' }),
  query: fc.constantFrom<Record<string, string>[]>({}, { q: '1' }),
})

describe('a routing table', () => {
  test('leads each request to where its rules lead it', () => {
    fc.assert(
      fc.property(hosts, fc.array(request, { minLength: 10, maxLength: 10 }), (all, requests) => {
        const table = routingTable({ hosts: all })
        for (const asked of requests) expect(lookUp(table, asked)).toBe(findRule({ hosts: all }, asked)?.source)
      }),
      { numRuns: 3_000 },
    )
  })
})
