// Whatever is written as an expression: it does not compile, fails, costs too much, or gives a value.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CompileError, CostLimitError, EvaluationError } from './cel-error.ts'
import { compile } from './environment.ts'
import { estimateCost } from './estimate-cost.ts'
import { fromJson } from './json-values.ts'
import { dyn, int, listOf, string } from './types.ts'

const variables = { self: dyn, n: int, text: string, list: listOf(int) }
const json: Readonly<Record<string, unknown>> = {
  self: { a: [1, 'x', { b: null }], c: 2.5 },
  n: 3,
  text: 'ä😀b',
  list: [1, 2, 3],
}

function outcome(source: string): 'value' | 'uncompilable' | 'failed' {
  try {
    const compiled = compile(source, { variables })
    estimateCost(compiled.expression, compiled.checked, () => undefined)
    compiled.evaluate(name => fromJson(json[name]), 100_000)
    return 'value'
  } catch (error) {
    if (error instanceof CompileError) return 'uncompilable'
    if (error instanceof EvaluationError || error instanceof CostLimitError) return 'failed'
    throw error
  }
}

const words = [
  'self',
  'n',
  'text',
  'list',
  'a',
  'b',
  'x',
  '1',
  '0',
  '-1',
  '2.5',
  '3u',
  '"s"',
  'b"y"',
  'null',
  'true',
  '[',
  ']',
  '(',
  ')',
  '{',
  '}',
  '.',
  '?',
  ':',
  ',',
  '+',
  '-',
  '*',
  '/',
  '%',
  '==',
  '<',
  '&&',
  '||',
  '!',
  'in',
  'has',
  'all',
  'map',
  'filter',
  'exists',
  'exists_one',
  'size',
  'int',
  'string',
  'type',
  'optional',
  'of',
  'orValue',
  'sort',
  'split',
  'format',
  'matches',
  '`k`',
  'r"("',
  "'%d'",
]
const tokens = fc.array(fc.constantFrom(...words), { maxLength: 30 }).map(parts => parts.join(' '))

const { expression } = fc.letrec<{ expression: string }>(tie => ({
  expression: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(
      'self',
      'self.a',
      'self.a[2].b',
      'n',
      'text',
      'list',
      '1',
      '9223372036854775807',
      '2.5',
      '3u',
      '"s"',
      '"😀"',
      'b"y"',
      'null',
      'true',
      '[]',
      '{}',
      'duration("1h")',
      'timestamp("2026-01-01T00:00:00Z")',
      'optional.none()',
      'quantity("1Gi")',
      'ip("::1")',
      'semver("1.2.3")',
      'int',
      'list(1)',
      'x',
      'y',
    ),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '>=', '&&', '||', 'in'),
        tie('expression'),
      )
      .map(([a, operator, b]) => `(${a} ${operator} ${b})`),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('all', 'exists', 'exists_one', 'map', 'filter', 'sortBy', 'optMap'),
        tie('expression'),
      )
      .map(([a, macro, b]) => `${a}.${macro}(x, ${b})`),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('all', 'transformList', 'transformMap', 'transformMapEntry'),
        tie('expression'),
      )
      .map(([a, macro, b]) => `${a}.${macro}(x, y, ${b})`),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom(
          'size',
          'trim',
          'value',
          'hasValue',
          'sum',
          'min',
          'sort',
          'distinct',
          'flatten',
          'isSorted',
          'getHours',
          'asInteger',
          'family',
          'major',
          'reverse',
          'unwrapOpt',
          'first',
          'last',
        ),
      )
      .map(([a, method]) => `${a}.${method}()`),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom(
          'split',
          'join',
          'matches',
          'findAll',
          'substring',
          'format',
          'orValue',
          'or',
          'indexOf',
          'charAt',
          'getDate',
          'add',
          'containsIP',
          'replace',
        ),
        tie('expression'),
      )
      .map(([a, method, b]) => `${a}.${method}(${b})`),
    fc
      .tuple(
        fc.constantFrom(
          'int',
          'uint',
          'double',
          'string',
          'bytes',
          'dyn',
          'type',
          'duration',
          'timestamp',
          'size',
          'lists.range',
          'optional.of',
          'url',
          'quantity',
        ),
        tie('expression'),
      )
      .map(([name, a]) => `${name}(${a})`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `[dyn(${a}), dyn(${b})]`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `{${a}: ${b}}`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `${a}[${b}]`),
    fc.tuple(tie('expression'), tie('expression'), tie('expression')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
}))

describe('no source of an expression', () => {
  it('as any text, throws anything but the errors of this folder', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), source => {
        expect(['value', 'uncompilable', 'failed']).toContain(outcome(source))
      }),
      { numRuns: 500 },
    )
  })

  it('as any tokens, throws anything but the errors of this folder', () => {
    fc.assert(
      fc.property(tokens, source => {
        expect(['value', 'uncompilable', 'failed']).toContain(outcome(source))
      }),
      { numRuns: 1500 },
    )
  })

  it('as any well-formed expression, throws anything but the errors of this folder', () => {
    fc.assert(
      fc.property(expression, source => {
        expect(['value', 'uncompilable', 'failed']).toContain(outcome(source))
      }),
      { numRuns: 3000 },
    )
  })

  it('nests deeper than the parser allows', () => {
    for (const [open, inner, close] of [
      ['(', '1', ')'],
      ['[', '', ']'],
      ['!', 'true', ''],
      ['-', 'n', ''],
      ['{1: ', '1', '}'],
      ['self.a', '', '.b'],
      ['size(', '1', ')'],
      ['true ? 1 : ', '1', ''],
      ['1 + ', '1', ''],
    ]) {
      const source = open!.repeat(5000) + inner! + close!.repeat(5000)
      expect(['uncompilable', 'failed', 'value']).toContain(outcome(source))
    }
    expect(outcome(Array.from({ length: 5000 }, () => 'true').join(' && '))).toBe('value')
  })

  it('doubles its size in each step for long', () => {
    const bind = (name: string, value: string, body: string): string =>
      `optional.of(${value}).optMap(${name}, ${body}).value()`
    const doubled = Array.from({ length: 60 }).reduce<string>(inner => bind('a', inner, 'a + a'), '"0123456789"')
    expect(outcome(doubled)).toBe('failed')
    const tower = (name: string, body: string): string =>
      Array.from({ length: 40 })
        .reduce<string>(
          (inner, _level, index) => bind(`${name}${39 - index}`, `[${name}${38 - index}, ${name}${38 - index}]`, inner),
          body,
        )
        .replace(`[${name}-1, ${name}-1]`, '[1]')
    expect(outcome(tower('a', tower('b', 'a39 == b39')))).toBe('failed')
    expect(outcome(tower('a', '"%s".format([a39])'))).toBe('failed')
    expect(outcome(`optional.of(1)${'.optMap(v, v + 1)'.repeat(60)}.value() == 61`)).toBe('failed')
    expect(
      outcome(
        Array.from({ length: 60 })
          .reduce<string>(inner => bind('m', '{m: m}', inner), 'm == m')
          .replace('{m: m}', '{1: 1}'),
      ),
    ).toBe('failed')
    expect(
      outcome(Array.from({ length: 100 }).reduce<string>(inner => `(${inner}${' + 1'.repeat(200)})`, '1')),
    ).not.toBe('')
    expect(outcome(tower('a', 'dyn([a39]).indexOf(dyn(1)) == 0'))).toBe('failed')
    expect(
      outcome(
        '"x".replace("", text + text + text + text + text).replace("", [lists.range(90000)][0].map(i, "abcdefgh").join()).size() > 0',
      ),
    ).toBe('failed')
    expect(
      outcome(
        `list.map(a, list.map(b, list.map(c, list.map(d, list.map(e, list.map(f, list.map(g, list.map(h, list.map(i, list.map(j, 1))))))))))`,
      ),
    ).toBe('failed')
  })
})
