// Macros: calls that are written over into comprehensions before types are checked. Which shapes they take
// decides what they cost, so they are those of cel-go.
import type { Issue } from './cel-error.ts'
import { accumulatorName, type Call, type Comprehension, type Expression, type LiteralValue } from './syntax.ts'

type Around = (result: Expression) => Expression

interface Loop {
  /** A list or map that grows, or a value. */
  readonly initial: { readonly collection: 'list' | 'map' } | { readonly value: LiteralValue }
  readonly condition: Around
  readonly step: Around
  readonly finish: Around
}

/** The expansion of a call that is a macro, every other call as it is. */
export function expandMacro(call: Call, issues: Issue[]): Expression {
  const { name, target, args, offset } = call
  if (target === undefined) return name === 'has' && args.length === 1 ? presence(call, issues) : call
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) return optionalMapping(call, issues)
  if (name === 'sortBy' && args.length === 2) return sortedBy(call, issues)
  const loop = loopOf(call)
  if (loop === undefined) return call
  const variables = args.slice(0, loop.variables)
  for (const variable of variables) {
    if (variable.kind !== 'identifier') {
      issues.push({ offset: variable.offset, message: 'argument must be a simple name' })
      return call
    }
  }
  const names = variables.map(variable => (variable as { name: string }).name)
  if (names[0] === names[1]) {
    issues.push({ offset: variables[1]!.offset, message: `duplicate iteration variable name: ${names[0]}` })
    return call
  }
  return comprehension(offset, target, names, loop.loop)
}

function presence({ args: [argument], offset }: Call, issues: Issue[]): Expression {
  if (argument?.kind === 'select') return { ...argument, testOnly: true, offset }
  issues.push({ offset: argument!.offset, message: 'invalid argument to has() macro' })
  return argument!
}

function loopOf({ name, args, offset }: Call): { variables: number; loop: Loop } | undefined {
  const make = (operator: string, ...operands: Expression[]): Call => ({
    kind: 'call',
    name: operator,
    target: undefined,
    args: operands,
    offset,
  })
  const literal = (value: LiteralValue): Expression => ({ kind: 'literal', value, offset })
  const item = (value: Expression): Expression => ({ kind: 'list', elements: [{ value, optional: false }], offset })
  const same = (result: Expression): Expression => result
  const always = (): Expression => literal(true)
  const count = args.length
  const [first, second, third, fourth] = args
  const fold = (
    variables: number,
    initial: Loop['initial'],
    step: Loop['step'],
    condition: Loop['condition'] = always,
    finish: Loop['finish'] = same,
  ): { variables: number; loop: Loop } => ({ variables, loop: { initial, condition, step, finish } })
  const quantifier = (variables: number, predicate: Expression): { variables: number; loop: Loop } | undefined => {
    switch (name) {
      case 'all':
        return fold(
          variables,
          { value: true },
          result => make('_&&_', result, predicate),
          result => make('@not_strictly_false', result),
        )
      case 'exists':
        return fold(
          variables,
          { value: false },
          result => make('_||_', result, predicate),
          result => make('@not_strictly_false', make('!_', result)),
        )
      case 'exists_one':
      case 'existsOne':
        return fold(
          variables,
          { value: 0n },
          result => make('_?_:_', predicate, make('_+_', result, literal(1n)), result),
          always,
          result => make('_==_', result, literal(1n)),
        )
      default:
        return undefined
    }
  }
  if (count === 2 && (name === 'all' || name === 'exists' || name === 'exists_one' || name === 'existsOne'))
    return quantifier(1, second!)
  if (count === 3 && (name === 'all' || name === 'exists' || name === 'existsOne')) return quantifier(2, third!)
  const filtered =
    (predicate: Expression, step: Loop['step']): Loop['step'] =>
    result =>
      make('_?_:_', predicate, step(result), result)
  const append =
    (value: Expression): Loop['step'] =>
    result =>
      make('_+_', result, item(value))
  switch (`${name}/${count}`) {
    case 'map/2':
      return fold(1, { collection: 'list' }, append(second!))
    case 'map/3':
      return fold(1, { collection: 'list' }, filtered(second!, append(third!)))
    case 'filter/2':
      return fold(1, { collection: 'list' }, filtered(second!, append(first!)))
    case 'transformList/3':
      return fold(2, { collection: 'list' }, append(third!))
    case 'transformList/4':
      return fold(2, { collection: 'list' }, filtered(third!, append(fourth!)))
    case 'transformMap/3':
      return fold(2, { collection: 'map' }, result => make('cel.@mapInsert', result, first!, third!))
    case 'transformMap/4':
      return fold(
        2,
        { collection: 'map' },
        filtered(third!, result => make('cel.@mapInsert', result, first!, fourth!)),
      )
    case 'transformMapEntry/3':
      return fold(2, { collection: 'map' }, result => make('cel.@mapInsert', result, third!))
    case 'transformMapEntry/4':
      return fold(
        2,
        { collection: 'map' },
        filtered(third!, result => make('cel.@mapInsert', result, fourth!)),
      )
    default:
      return undefined
  }
}

function comprehension(
  offset: number,
  range: Expression,
  [variable, secondVariable]: readonly string[],
  { initial, condition, step, finish }: Loop,
): Comprehension {
  const result: Expression = { kind: 'identifier', name: accumulatorName, offset }
  const start: Expression =
    'value' in initial
      ? { kind: 'literal', value: initial.value, offset }
      : initial.collection === 'list'
        ? { kind: 'list', elements: [], offset }
        : { kind: 'map', entries: [], offset }
  return {
    kind: 'comprehension',
    range,
    variable: variable!,
    secondVariable,
    accumulator: accumulatorName,
    initial: start,
    condition: condition(result),
    step: step(result),
    result: finish(result),
    offset,
  }
}

/** A comprehension over nothing, whose accumulator is the bound variable. */
function bind(name: string, value: Expression, body: Expression, offset: number): Comprehension {
  const nothing: Expression = { kind: 'list', elements: [], offset }
  return {
    kind: 'comprehension',
    range: nothing,
    variable: '#unused',
    secondVariable: undefined,
    accumulator: name,
    initial: value,
    condition: { kind: 'literal', value: false, offset },
    step: { kind: 'identifier', name, offset },
    result: body,
    offset,
  }
}

function optionalMapping({ name, target, args: [variable, body], offset }: Call, issues: Issue[]): Expression {
  if (variable!.kind !== 'identifier') {
    issues.push({ offset: variable!.offset, message: `${name}() variable name must be a simple identifier` })
    return variable!
  }
  const member = (on: Expression, method: string): Call => ({
    kind: 'call',
    name: method,
    target: on,
    args: [],
    offset,
  })
  const global = (method: string, ...args: Expression[]): Call => ({
    kind: 'call',
    name: method,
    target: undefined,
    args,
    offset,
  })
  const bound = bind(variable!.name, member(target!, 'value'), body!, offset)
  return global(
    '_?_:_',
    member(target!, 'hasValue'),
    name === 'optMap' ? global('optional.of', bound) : bound,
    global('optional.none'),
  )
}

function sortedBy({ target, args, offset }: Call, issues: Issue[]): Expression {
  const input: Expression = { kind: 'identifier', name: '@input', offset }
  const keys = expandMacro({ kind: 'call', name: 'map', target: input, args, offset }, issues)
  return bind(
    '@input',
    target!,
    { kind: 'call', name: '@sortByAssociatedKeys', target: input, args: [keys], offset },
    offset,
  )
}
