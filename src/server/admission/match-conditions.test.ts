import { describe, expect, test } from 'vitest'
import { fromJson } from '../../api/cel/json-values.ts'
import type { Value } from '../../api/cel/values.ts'
import { compileMatchConditions, type MatchConditionsResult } from './match-conditions.ts'

const values = (name: string): Value => fromJson(name === 'object' ? { data: { a: '1' } } : null)
const evaluate = (failurePolicy: string, ...expressions: string[]): MatchConditionsResult =>
  compileMatchConditions(
    expressions.map((expression, index) => ({ name: `c${index}`, expression })),
    { hasParams: false, failurePolicy },
  ).evaluate(values)

describe('match conditions', () => {
  test('all true: it applies; any false: it does not, whatever fails besides', () => {
    expect(evaluate('Fail', 'true', 'object.data.a == "1"')).toEqual({ matches: true })
    expect(evaluate('Fail', 'object.missing == 1', 'false')).toEqual({ matches: false })
  })

  test('errors go by the failure policy', () => {
    const problem = "expression 'object.missing == 1' resulted in error: no such key: missing"
    expect(evaluate('Fail', 'true', 'object.missing == 1')).toEqual({ matches: false, error: problem })
    expect(evaluate('Fail', 'object.missing == 1', 'object.missing == 1')).toEqual({
      matches: false,
      error: `[${problem}, ${problem}]`,
    })
    expect(evaluate('Ignore', 'true', 'object.missing == 1')).toEqual({ matches: false })
  })

  test('what does not compile is an error, not an exception', () => {
    expect(evaluate('Fail', 'object ==').error).toContain('compilation failed: ERROR: <input>:1:10: Syntax error')
  })

  test('together they may cost a quarter of what a request may', () => {
    const costly = 'lists.range(300).all(a, lists.range(300).all(b, a + b >= 0))'
    expect(evaluate('Fail', costly)).toEqual({ matches: true })
    expect(evaluate('Fail', costly, costly, costly, costly).error).toBe(
      'validation failed due to running out of cost budget, no further validation rules will be run',
    )
  })
})
