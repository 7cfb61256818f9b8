// What expressions cost when they run, and what they can cost at most, by the numbers of Kubernetes' libraries.
import { describe, expect, it } from 'vitest'
import { AuthorizerValue } from './library/authorizer.ts'
import { compile } from './environment.ts'
import { estimateCost } from './estimate-cost.ts'
import { fromJson } from './json-values.ts'
import { schemaType } from './schema-type.ts'
import { listOf, string, int, type CelType } from './types.ts'

const self = schemaType(
  {
    type: 'object',
    properties: {
      numbers: { type: 'array', items: { type: 'integer' }, maxItems: 100 },
      texts: { type: 'array', items: { type: 'string', maxLength: 10 }, maxItems: 10 },
      lists: { type: 'array', items: { type: 'array', items: { type: 'integer' }, maxItems: 5 }, maxItems: 20 },
      text: { type: 'string', maxLength: 25 },
    },
  },
  false,
)!

describe('running', () => {
  const authorizer: CelType = { kind: 'opaque', name: 'kubernetes.authorization.Authorizer' }
  const variables = {
    numbers: listOf(int),
    texts: listOf(string),
    lists: listOf(listOf(int)),
    text: string,
    authorizer,
  }
  const json: Readonly<Record<string, unknown>> = {
    numbers: [3, 1, 2],
    texts: ['b', 'a'],
    lists: [[1], [2, 3]],
    text: 'a'.repeat(20),
  }
  const no = { allowed: false, reason: '' }
  const cost = (source: string): number =>
    compile(source, { variables }).evaluate(name =>
      name === 'authorizer'
        ? new AuthorizerValue(
            () => no,
            () => () => no,
          )
        : fromJson(json[name]),
    ).cost

  it.each([
    ['numbers.distinct()', 1 + 2 * 9 + 11],
    ['numbers.sort()', 1 + 2 * 9 + 11],
    ['texts.sort()', 1 + 8 + 11],
    ['numbers.reverse()', 1 + 3 + 11],
    ['numbers.slice(1, 3)', 1 + 2 + 11],
    ['lists.flatten()', 1 + 2 + 11],
    ['lists.flatten(3)', 1 + 6 + 11],
    ['lists.range(5)', 5 + 11],
    ['sets.contains(numbers, numbers)', 2 + 1 + 9],
    ['sets.equivalent(numbers, numbers)', 2 + 1 + 18],
    ['format.dns1123Label().validate(text)', 1 + 1 + 3 * 8],
    ['format.qualifiedName().validate(text)', 1 + 1 + 3 * 15],
    ['cidr("10.0.0.0/8").containsIP(ip("10.1.2.3"))', 1 + 1 + 1],
    ['cidr("10.0.0.0/8").containsIP("10.1.2.3")', 1 + 1 + 1],
    ['cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")', 1 + 1 + 1 + 1 + 2],
    ['quantity(text.substring(20) + "1") == quantity("1")', 1 + 2 + 1 + 1 + 1 + 1],
    [
      'authorizer.group("").resource("pods").fieldSelector("spec.nodeName=a").check("list")',
      1 + 1 + 1 + (10 + 2 + 8 * 50) + 350_000,
    ],
  ])('%s costs %d', (source, expected) => {
    expect(cost(source)).toBe(expected)
  })
})

describe('the most that it can cost', () => {
  const estimate = (source: string): number => {
    const { expression, checked } = compile(source, { variables: { self: self.type } })
    return estimateCost(expression, checked, () => self)
  }

  it.each([
    ['self.numbers.distinct()', 2 + 2 * 10_000 + 11],
    ['self.numbers.sort()', 2 + 2 * 10_000 + 11],
    ['self.texts.sort()', 2 + 210 + 11],
    ['self.numbers.reverse()', 2 + 100 + 11],
    ['self.numbers.slice(10, 30)', 2 + 20 + 11],
    ['self.numbers.slice(10, self.numbers[0])', 2 + 2 + 1 + 90 + 11],
    ['self.lists.flatten()', 2 + 20 + 11],
    ['self.lists.flatten(2)', 2 + 40 + 11],
    ['lists.range(5)', 16],
    ['lists.range(self.numbers[0])', Infinity],
    ['sets.contains(self.numbers, [1, 2])', 2 + 10 + 200 + 1],
    ['sets.equivalent(self.numbers, [1, 2])', 2 + 10 + 400 + 1],
    ['format.dns1123Label().validate(self.text)', 1 + 2 + 320],
    ['self.text.split(",", 3).map(a, a).size()', 2 + 20 + 10 + 3 * 13 + 1 + 1],
    ['quantity(self.text) == quantity("1")', 2 + 1 + 1 + 1],
    ['quantity(self.text) != quantity("1")', Infinity],
  ])('of %s is %d', (source, expected) => {
    expect(estimate(source)).toBe(expected)
  })
})
