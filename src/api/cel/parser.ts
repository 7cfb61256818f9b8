// Tokens to a tree: the grammar of the CEL specification with optional syntax (`a.?b`, `a[?b]`, `[?a]`,
// `{?k: v}`). Every source gives a tree or a CompileError; depth and size are bounded as in Kubernetes.
import { largestInt64 } from '../../lib/int64.ts'
import { CompileError, type Issue } from './cel-error.ts'
import { tokensOf, type Token } from './lexer.ts'
import { expandMacro } from './macros.ts'
import type { Call, Expression, ListLiteral, MapLiteral, StructLiteral } from './syntax.ts'

const deepest = 250
const longestSource = 100_000
const expressionStart =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
const reserved = new Set([
  'as',
  'break',
  'const',
  'continue',
  'else',
  'false',
  'for',
  'function',
  'if',
  'import',
  'in',
  'let',
  'loop',
  'package',
  'namespace',
  'null',
  'return',
  'true',
  'var',
  'void',
  'while',
])
const comparisons = new Set(['==', '!=', '<', '<=', '>', '>=', 'in'])

/** Throws a CompileError. */
export function parse(source: string): Expression {
  const issues: Issue[] = []
  if (source.length > longestSource)
    throw new CompileError('', [
      {
        offset: 0,
        message: `expression code point size exceeds limit: size: ${source.length}, limit ${longestSource}`,
      },
    ])
  const parser = new Parser(tokensOf(source, issues), issues)
  try {
    const expression = parser.wholeExpression()
    if (issues.length === 0) return expression
  } catch (error) {
    if (!(error instanceof Unparsable)) throw error
  }
  throw new CompileError(source, issues)
}

/** What stops the parser; its issue is recorded already. */
class Unparsable extends Error {}

class Parser {
  private at = 0
  private depth = 0
  private readonly tokens: readonly Token[]
  private readonly issues: Issue[]

  constructor(tokens: readonly Token[], issues: Issue[]) {
    this.tokens = tokens
    this.issues = issues
  }

  wholeExpression(): Expression {
    const expression = this.expression()
    if (this.token.kind !== 'end') this.unexpected('<EOF>')
    return expression
  }

  private get token(): Token {
    return this.tokens[this.at]!
  }

  private next(): Token {
    const token = this.token
    if (token.kind !== 'end') this.at++
    return token
  }

  private is(text: string): boolean {
    return this.token.kind === 'symbol' && this.token.text === text
  }

  private accept(text: string): Token | undefined {
    return this.is(text) ? this.next() : undefined
  }

  private expect(text: string): Token {
    return this.accept(text) ?? this.unexpected(`'${text}'`)
  }

  private unexpected(expected: string): never {
    const { text, offset } = this.token
    const following = this.tokens[this.at + 1]
    const extra =
      expected === '<EOF>' ? following?.kind === 'end' : following !== undefined && `'${following.text}'` === expected
    return this.fail(
      offset,
      `Syntax error: ${extra ? 'extraneous' : 'mismatched'} input '${text}' expecting ${expected}`,
    )
  }

  private fail(offset: number, message: string): never {
    this.issues.push({ offset, message })
    throw new Unparsable(message)
  }

  private nested<T>(read: () => T): T {
    if (++this.depth > deepest) this.fail(this.token.offset, `expression recursion limit exceeded: ${deepest}`)
    const result = read()
    this.depth--
    return result
  }

  private expression(): Expression {
    return this.nested(() => {
      const condition = this.or()
      const mark = this.accept('?')
      if (mark === undefined) return condition
      const yes = this.or()
      this.expect(':')
      return call('_?_:_', mark.offset, [condition, yes, this.expression()])
    })
  }

  private or(): Expression {
    return this.logical('||', '_||_', () => this.logical('&&', '_&&_', () => this.relation()))
  }

  /** A long chain becomes a balanced tree, so that it does not nest deeply. */
  private logical(operator: string, name: string, operand: () => Expression): Expression {
    const terms = [operand()]
    const offsets: number[] = []
    for (let mark = this.accept(operator); mark !== undefined; mark = this.accept(operator)) {
      offsets.push(mark.offset)
      terms.push(operand())
    }
    return balanced(name, terms, offsets, 0, terms.length - 1)
  }

  private relation(): Expression {
    return this.leftAssociative(
      () =>
        this.token.kind === 'symbol' && comparisons.has(this.token.text)
          ? this.token.text === 'in'
            ? '@in'
            : `_${this.token.text}_`
          : undefined,
      () => this.sum(),
    )
  }

  private sum(): Expression {
    return this.leftAssociative(
      () => (this.is('+') || this.is('-') ? `_${this.token.text}_` : undefined),
      () => this.product(),
    )
  }

  private product(): Expression {
    return this.leftAssociative(
      () => (this.is('*') || this.is('/') || this.is('%') ? `_${this.token.text}_` : undefined),
      () => this.unary(),
    )
  }

  private leftAssociative(operator: () => string | undefined, operand: () => Expression): Expression {
    let left = operand()
    let length = 0
    for (let name = operator(); name !== undefined; name = operator()) {
      const { offset } = this.next()
      if (++length > deepest) this.fail(offset, `expression recursion limit exceeded: ${deepest}`)
      left = call(name, offset, [left, operand()])
    }
    return left
  }

  private unary(): Expression {
    return this.nested(() => {
      const operator = this.accept('!') ?? this.accept('-')
      if (operator === undefined) return this.member()
      if (operator.text === '-' && this.token.kind === 'literal' && typeof this.token.value === 'bigint')
        return this.negativeInteger(operator)
      const operand = this.unary()
      if (operator.text === '-' && operand.kind === 'literal' && typeof operand.value === 'number')
        return { ...operand, value: -operand.value, offset: operator.offset }
      return call(operator.text === '!' ? '!_' : '-_', operator.offset, [operand])
    })
  }

  private negativeInteger(operator: Token): Expression {
    const { value } = this.next()
    if ((value as bigint) > largestInt64 + 1n) this.fail(operator.offset, 'invalid int literal')
    return this.suffixes({ kind: 'literal', value: -(value as bigint), offset: operator.offset })
  }

  private member(): Expression {
    return this.suffixes(this.primary())
  }

  private suffixes(start: Expression): Expression {
    let operand = start
    for (let length = 0; ; length++) {
      if (length > deepest) this.fail(this.token.offset, `expression recursion limit exceeded: ${deepest}`)
      const dot = this.accept('.')
      const bracket = dot === undefined ? this.accept('[') : undefined
      if (dot !== undefined) operand = this.selection(operand, dot)
      else if (bracket !== undefined) operand = this.index(operand, bracket)
      else return operand
    }
  }

  private selection(operand: Expression, dot: Token): Expression {
    const optional = this.accept('?') !== undefined
    const { kind, text } = this.token
    if (kind !== 'identifier' && kind !== 'quoted') this.unexpected('IDENTIFIER')
    this.next()
    const name = kind === 'quoted' ? text.slice(1, -1) : text
    if (optional) return call('_?._', dot.offset, [operand, { kind: 'literal', value: name, offset: dot.offset }])
    const open = kind === 'identifier' ? this.accept('(') : undefined
    if (open === undefined) return { kind: 'select', operand, field: name, testOnly: false, offset: dot.offset }
    return this.callOrMacro(name, operand, open.offset)
  }

  private index(operand: Expression, bracket: Token): Expression {
    const optional = this.accept('?') !== undefined
    const key = this.expression()
    this.expect(']')
    return call(optional ? '_[?_]' : '_[_]', bracket.offset, [operand, key])
  }

  private primary(): Expression {
    const token = this.token
    const { kind, offset, value } = token
    if (kind === 'literal') return this.literal(value!, offset)
    if (kind === 'identifier') return this.name()
    if (this.accept('(') !== undefined) {
      const inner = this.expression()
      this.expect(')')
      return inner
    }
    if (this.accept('[') !== undefined) return this.list(offset)
    if (this.is('{')) return this.map(this.next().offset)
    if (this.is('.')) {
      this.next()
      if (this.token.kind === 'identifier') return this.name()
    }
    return this.unexpected(expressionStart)
  }

  private literal(value: NonNullable<Token['value']>, offset: number): Expression {
    this.next()
    if (typeof value === 'bigint' && value > largestInt64) this.fail(offset, 'invalid int literal')
    return { kind: 'literal', value, offset }
  }

  private name(): Expression {
    const { text, offset } = this.next()
    if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true', offset }
    if (text === 'null') return { kind: 'literal', value: null, offset }
    const open = this.accept('(')
    if (reserved.has(text)) this.fail(offset, `reserved identifier: ${text}`)
    if (open !== undefined) return this.callOrMacro(text, undefined, open.offset)
    return this.structIfAny(text, offset) ?? { kind: 'identifier', name: text, offset }
  }

  /** `Object.spec{...}`: only when a brace follows the dotted name. */
  private structIfAny(first: string, offset: number): StructLiteral | undefined {
    let end = this.at
    const path = [first]
    while (this.tokens[end]!.text === '.' && this.tokens[end + 1]?.kind === 'identifier') {
      path.push(this.tokens[end + 1]!.text)
      end += 2
    }
    if (this.tokens[end]!.kind !== 'symbol' || this.tokens[end]!.text !== '{') return undefined
    this.at = end + 1
    const opened = this.tokens[end]!.offset
    const fields: { name: string; value: Expression; optional: boolean; offset: number }[] = []
    while (!this.is('}')) {
      const optional = this.accept('?') !== undefined
      const { kind, text } = this.token
      if (kind !== 'identifier' && kind !== 'quoted') this.unexpected('IDENTIFIER')
      this.next()
      const colon = this.expect(':')
      fields.push({
        name: kind === 'quoted' ? text.slice(1, -1) : text,
        value: this.expression(),
        optional,
        offset: colon.offset,
      })
      if (this.accept(',') === undefined) break
    }
    this.expect('}')
    return { kind: 'struct', typeName: path.join('.'), fields, offset: opened === undefined ? offset : opened }
  }

  private list(offset: number): ListLiteral {
    const elements: { value: Expression; optional: boolean }[] = []
    while (!this.is(']')) {
      const optional = this.accept('?') !== undefined
      elements.push({ value: this.expression(), optional })
      if (this.accept(',') === undefined) break
    }
    this.expect(']')
    return { kind: 'list', elements, offset }
  }

  private map(offset: number): MapLiteral {
    const entries: { key: Expression; value: Expression; optional: boolean }[] = []
    while (!this.is('}')) {
      const optional = this.accept('?') !== undefined
      const key = this.expression()
      this.expect(':')
      entries.push({ key, value: this.expression(), optional })
      if (this.accept(',') === undefined) break
    }
    this.expect('}')
    return { kind: 'map', entries, offset }
  }

  private callOrMacro(name: string, target: Expression | undefined, offset: number): Expression {
    const args: Expression[] = []
    while (!this.is(')')) {
      args.push(this.expression())
      if (this.accept(',') === undefined) break
    }
    this.expect(')')
    return expandMacro({ kind: 'call', name, target, args, offset }, this.issues)
  }
}

const call = (name: string, offset: number, args: readonly Expression[]): Call => ({
  kind: 'call',
  name,
  target: undefined,
  args,
  offset,
})

function balanced(
  name: string,
  terms: readonly Expression[],
  offsets: readonly number[],
  low: number,
  high: number,
): Expression {
  if (low === high) return terms[low]!
  const middle = Math.floor((low + high) / 2)
  return call(name, offsets[middle]!, [
    balanced(name, terms, offsets, low, middle),
    balanced(name, terms, offsets, middle + 1, high),
  ])
}
