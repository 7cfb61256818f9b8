// The most that an expression can cost, computed before it runs from how large its inputs can get: the
// estimate by which Kubernetes refuses rules. Follows the cost model of cel-go and of Kubernetes' libraries.
import type { Checked } from './checker.ts'
import { keyType, type SchemaType } from './schema-type.ts'
import {
  accumulatorName,
  type Call,
  type Comprehension,
  type Expression,
  type Identifier,
  type LiteralValue,
  type Select,
} from './syntax.ts'
import { dyn, type CelType } from './types.ts'
import { textLength } from './values.ts'

/** Both ends of what is possible; Infinity when there is no bound. */
interface Range {
  readonly min: number
  readonly max: number
}

interface EntrySizes {
  readonly isList: boolean
  readonly key: Range
  readonly value: Range
}

interface Local extends Pick<Estimate, 'size' | 'entries' | 'schema'> {
  readonly name: string
}

/** What is known of a node before it runs. */
interface Estimate {
  readonly cost: Range
  /** Undefined when nothing is known. */
  readonly size?: Range | undefined
  readonly entries?: EntrySizes | undefined
  /** That its value came from. */
  readonly schema?: SchemaType | undefined
}

/** An argument of a function. */
interface Argument {
  readonly type: CelType
  readonly schema: SchemaType | undefined
  readonly size: Range
}

const fixed = (count: number): Range => ({ min: count, max: count })
const unknown: Range = { min: 0, max: Infinity }
const add = (...ranges: readonly Range[]): Range =>
  ranges.reduce((sum, { min, max }) => ({ min: sum.min + min, max: sum.max + max }))
const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b)
const times = (a: Range, b: Range): Range => ({ min: product(a.min, b.min), max: product(a.max, b.max) })
const scaled = ({ min, max }: Range, factor: number): Range => ({
  min: Math.ceil(product(min, factor)),
  max: Math.ceil(product(max, factor)),
})
const union = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) })
const unionEntries = (a: EntrySizes | undefined, b: EntrySizes | undefined): EntrySizes | undefined =>
  a === undefined || b === undefined
    ? undefined
    : { isList: a.isList, key: union(a.key, b.key), value: union(a.value, b.value) }

const perCharacter = 0.1
const perPatternCharacter = 0.25
const longestFormat = 64
const longestFormatPattern = 128
const nothing = fixed(0)
const one = fixed(1)

/**
 * @param variables the schemas of variables, where they have one
 * @returns cost units; Infinity when nothing bounds it
 */
export function estimateCost(
  expression: Expression,
  checked: Checked,
  variables: (name: string) => SchemaType | undefined,
): number {
  try {
    return new Estimator(checked, variables).estimate(expression).cost.max
  } catch (error) {
    // It nests too deeply for the stack, and would when it is evaluated.
    if (error instanceof RangeError) return Infinity
    throw error
  }
}

class Estimator {
  private readonly checked: Checked
  private readonly variables: (name: string) => SchemaType | undefined
  private readonly estimates = new Map<Expression, Estimate>()
  private readonly locals: Local[] = []

  constructor(checked: Checked, variables: (name: string) => SchemaType | undefined) {
    this.checked = checked
    this.variables = variables
  }

  estimate(node: Expression): Estimate {
    const known = this.estimates.get(node)
    if (known !== undefined) return known
    const made = this.estimateOf(node)
    const estimate = made.size === undefined ? { ...made, size: this.sizeByType(node, made.schema) } : made
    this.estimates.set(node, estimate)
    return estimate
  }

  private estimateOf(node: Expression): Estimate {
    switch (node.kind) {
      case 'literal':
        return { cost: nothing, size: literalSize(node.value) }
      case 'identifier':
        return this.identifier(node)
      case 'select':
        return this.select(node)
      case 'call':
        return this.call(node)
      case 'list': {
        const values = node.elements.map(({ value }) => this.estimate(value))
        return {
          cost: add(fixed(10), ...costsOf(values)),
          size: fixed(values.length),
          entries: { isList: true, key: one, value: unionOf(values) },
        }
      }
      case 'map': {
        const [keys, values] = [
          node.entries.map(({ key }) => this.estimate(key)),
          node.entries.map(({ value }) => this.estimate(value)),
        ]
        return {
          cost: add(fixed(30), ...costsOf([...keys, ...values])),
          size: fixed(keys.length),
          entries: { isList: false, key: unionOf(keys), value: unionOf(values) },
        }
      }
      case 'struct':
        return { cost: add(fixed(40), ...costsOf(node.fields.map(({ value }) => this.estimate(value)))) }
      case 'comprehension':
      default:
        return isBinding(node) ? this.binding(node) : this.comprehension(node)
    }
  }

  private typeOf(node: Expression): CelType {
    return this.checked.types.get(node) ?? dyn
  }

  private sizeByType(node: Expression, schema: SchemaType | undefined): Range | undefined {
    return schema !== undefined ? { min: 0, max: schema.maximum } : isScalar(this.typeOf(node)) ? one : undefined
  }

  private identifier(node: Identifier): Estimate {
    const local = this.locals.findLast(({ name }) => name === node.name)
    const schema = local === undefined ? this.variables(node.name) : local.schema
    return { cost: one, schema, size: this.sizeByType(node, schema) ?? local?.size, entries: local?.entries }
  }

  private select(node: Select): Estimate {
    if (this.checked.references.has(node)) return { cost: one }
    const { cost, schema } = this.estimate(node.operand)
    if (node.testOnly) return { cost }
    const { kind } = this.typeOf(node.operand)
    return {
      cost: kind === 'map' || kind === 'object' || kind === 'parameter' ? add(cost, one) : cost,
      schema: schema?.fields?.get(node.field)?.schema,
    }
  }

  private call(node: Call): Estimate {
    if (node.name === 'dyn' && node.target === undefined) {
      const argument = this.estimate(node.args[0]!)
      return { cost: add(one, argument.cost), size: argument.size, entries: argument.entries }
    }
    const args = node.args.map(argument => this.estimate(argument))
    const overloads = this.checked.overloads.get(node) ?? []
    if (overloads.length === 0)
      return node.name === '_?._' || node.name === '_[?_]' ? this.optionalAccess(node, args) : { cost: nothing }
    const isMethod = overloads[0]!.isMethod
    const target = isMethod ? this.estimate(node.target!).cost : nothing
    const estimates = overloads.map(({ parameters }) => this.function(node, parameters, isMethod, args))
    const sizes = estimates.flatMap(({ size }) => size ?? [])
    return {
      cost: add(target, estimates.map(({ cost }) => cost).reduce(union)),
      size: sizes.length === 0 ? undefined : sizes.reduce(union),
      entries: estimates.findLast(({ entries }) => entries !== undefined)?.entries,
      schema: estimates.findLast(({ schema }) => schema !== undefined)?.schema,
    }
  }

  private optionalAccess(node: Call, args: readonly Estimate[]): Estimate {
    const key = node.args[1]!
    const { schema } = args[0]!
    const part =
      key.kind === 'literal' && typeof key.value === 'string' && schema?.fields !== undefined
        ? schema.fields.get(key.value)?.schema
        : schema?.element
    return { cost: add(one, ...costsOf(args)), schema: part }
  }

  private function(node: Call, parameters: readonly CelType[], isMethod: boolean, args: readonly Estimate[]): Estimate {
    const branching = branchingOf(node.name, args)
    if (branching !== undefined) return branching
    const inputs = isMethod ? [node.target!, ...node.args] : node.args
    const known = this.operator(node, parameters, args) ??
      this.library(node, inputs, parameters, isMethod) ?? { cost: one }
    return { ...known, cost: add(known.cost, ...costsOf(args)) }
  }

  private operator(node: Call, parameters: readonly CelType[], [a, b]: readonly Estimate[]): Estimate | undefined {
    switch (node.name) {
      case '_+_': {
        const { kind } = parameters[0]!
        if (kind !== 'string' && kind !== 'bytes' && kind !== 'list') return undefined
        const size = add(sizeOf(a!), sizeOf(b!))
        return {
          cost: kind === 'list' ? one : scaled(size, perCharacter),
          size,
          entries: unionEntries(a!.entries, b!.entries),
        }
      }
      case '_==_':
      case '_!=_':
      case '_<_':
      case '_<=_':
      case '_>_':
      case '_>=_':
        return this.comparison(node, parameters, [a!, b!])
      case '@in':
        return parameters[1]!.kind === 'list' ? { cost: sizeOf(b!) } : undefined
      case '_[_]':
        return {
          cost: one,
          size: a!.entries?.value,
          schema: parameters[0]!.kind === 'list' || parameters[0]!.kind === 'map' ? a!.schema?.element : undefined,
        }
      default:
        return undefined
    }
  }

  private comparison(
    { name, args }: Call,
    [parameter]: readonly CelType[],
    sides: readonly Estimate[],
  ): Estimate | undefined {
    const [left, right] = args.map(argument => this.typeOf(argument))
    if (name === '_==_' && left!.kind === 'opaque' && right!.kind === 'opaque' && left!.name === right!.name)
      return { cost: left!.name === 'kubernetes.NamedFormat' ? scaled(fixed(longestFormat), perCharacter) : one }
    const traverses = name === '_==_' || name === '_!=_' || parameter!.kind === 'string' || parameter!.kind === 'bytes'
    if (!traverses) return undefined
    const max = Math.min(...sides.map(side => sizeOf(side).max))
    return { cost: scaled({ min: max > 0 ? 1 : 0, max }, perCharacter) }
  }

  private argument(node: Expression): Argument {
    const estimate = this.estimate(node)
    return { type: this.typeOf(node), schema: estimate.schema, size: sizeOf(estimate) }
  }

  /** Functions whose cost grows with their arguments. */
  private library(
    node: Call,
    inputs: readonly Expression[],
    parameters: readonly CelType[],
    isMethod: boolean,
  ): Estimate | undefined {
    const [first, second, third] = inputs.map(input => this.argument(input))
    const { name } = this.checked.overloads.get(node)![0]!
    switch (name) {
      case 'check':
        return isMethod ? { cost: fixed(350_000) } : undefined
      case 'isSorted':
      case 'sum':
      case 'min':
      case 'max':
      case 'indexOf':
      case 'lastIndexOf':
        return listTraversal(first!, parameters[0]!)
      case 'url':
        return { cost: scaled(first!.size, perCharacter) }
      case 'lowerAscii':
      case 'upperAscii':
      case 'substring':
      case 'trim':
        return { cost: scaled(first!.size, perCharacter), size: first!.size }
      case 'replace':
        return {
          cost: scaled(first!.size, 2 * perCharacter),
          size: replacedSize(first!.size, second!.size, third!.size),
        }
      case 'split':
        return {
          cost: scaled(first!.size, 2 * perCharacter),
          size: { min: 0, max: literalInteger(inputs[2], first!.size.max) },
        }
      case 'slice':
        return allocating(fixed(Math.max(0, literalInteger(inputs[2], first!.size.max) - literalInteger(inputs[1], 0))))
      case 'lists.range':
        return allocating(fixed(literalInteger(inputs[0], Infinity)))
      case 'reverse':
        return allocating(first!.size)
      case 'flatten':
        return allocating(first!.size, inputs.length === 1 ? 1 : literalInteger(inputs[1], Infinity))
      case 'distinct':
        return allocating(times(first!.size, first!.size), 2)
      case 'sort':
        return selfCompared(first!.size, parameters[0]!)
      case '@sortByAssociatedKeys':
        return selfCompared(second!.size, parameters[1]!)
      case 'sets.contains':
      case 'sets.intersects':
        return { cost: add(times(first!.size, second!.size), one) }
      case 'sets.equivalent':
        return { cost: add(scaled(times(first!.size, second!.size), 2), one) }
      case 'validate':
        return { cost: scaled(scaled(second!.size, perCharacter), longestFormatPattern * perPatternCharacter) }
      case 'join':
        return joined(first!, second)
      case 'find':
      case 'findAll':
        return { cost: patternCost(first!.size, second!.size), size: { min: 0, max: first!.size.max } }
      case 'matches':
        return isMethod ? { cost: patternCost(first!.size, second!.size) } : undefined
      case 'contains':
        return isMethod && parameters[0]!.kind === 'string'
          ? { cost: times(scaled(first!.size, perCharacter), scaled(second!.size, perCharacter)) }
          : undefined
      case 'startsWith':
      case 'endsWith':
        return { cost: scaled(second!.size, perCharacter) }
      case 'format':
        return { cost: scaled(first!.size, perCharacter), size: add(first!.size, second!.size) }
      case 'bytes':
        return parameters[0]!.kind === 'string'
          ? { cost: scaled(first!.size, perCharacter), size: { min: first!.size.min, max: first!.size.max * 4 } }
          : undefined
      case 'string':
        return parameters[0]!.kind === 'bytes'
          ? {
              cost: scaled(first!.size, perCharacter),
              size: { min: Math.floor(first!.size.min / 4), max: first!.size.max },
            }
          : undefined
      case 'strings.quote':
        return {
          cost: scaled(first!.size, perCharacter),
          size: { min: first!.size.min + 2, max: first!.size.max * 2 + 2 },
        }
      case 'containsIP':
      case 'containsCIDR':
        return {
          cost: add(
            scaled(fixed(32), perCharacter),
            ...(name === 'containsCIDR' ? [scaled(fixed(16), perCharacter), one] : []),
            ...(parameters[1]!.kind === 'string' ? [scaled(second!.size, perCharacter)] : []),
          ),
        }
      default:
        return undefined
    }
  }

  private binding(node: Comprehension): Estimate {
    const [range, initial] = [this.estimate(node.range), this.estimate(node.initial)]
    const { cost, size, entries } = this.within([{ ...initial, name: node.accumulator }], () =>
      this.estimate(node.result),
    )
    return { cost: add(range.cost, initial.cost, cost), size, entries }
  }

  private comprehension(node: Comprehension): Estimate {
    const [range, initial] = [this.estimate(node.range), this.estimate(node.initial)]
    const accumulator: Local = { name: node.accumulator, size: initial.size, entries: initial.entries }
    return this.within([accumulator], () => {
      const [condition, step] = this.within(this.iterationOf(node, range), () => [
        this.estimate(node.condition),
        this.estimate(node.step),
      ])
      const count = sizeOf(range)
      const cost = add(
        range.cost,
        initial.cost,
        this.estimate(node.result).cost,
        times(count, add(condition!.cost, step!.cost)),
      )
      return node.initial.kind === 'literal' ? { cost, size: one } : { cost, size: count, entries: step!.entries }
    })
  }

  private within<T>(locals: readonly Local[], estimate: () => T): T {
    this.locals.push(...locals)
    const result = estimate()
    this.locals.length -= locals.length
    return result
  }

  private iterationOf({ range, variable, secondVariable }: Comprehension, { entries, schema }: Estimate): Local[] {
    const isList = entries?.isList ?? this.typeOf(range).kind === 'list'
    const key: Local = {
      name: variable,
      schema: isList || schema === undefined ? undefined : keyType,
      size: entries?.key,
    }
    const value: Local = { name: secondVariable ?? variable, schema: schema?.element, size: entries?.value }
    return secondVariable !== undefined ? [key, value] : [isList ? value : key]
  }
}

const costsOf = (estimates: readonly Estimate[]): Range[] => estimates.map(({ cost }) => cost)
const sizeOf = ({ size }: Estimate): Range => size ?? unknown
const unionOf = (estimates: readonly Estimate[]): Range =>
  estimates.length === 0 ? nothing : estimates.map(sizeOf).reduce(union)

/** Operators that do not evaluate all of their arguments. */
function branchingOf(name: string, [first, yes, no]: readonly Estimate[]): Estimate | undefined {
  switch (name) {
    case '_&&_':
    case '_||_':
      return { cost: { min: first!.cost.min, max: first!.cost.max + yes!.cost.max } }
    case '_?_:_':
      return {
        cost: add(first!.cost, union(yes!.cost, no!.cost)),
        size: union(sizeOf(yes!), sizeOf(no!)),
        entries: unionEntries(yes!.entries, no!.entries),
      }
    default:
      return undefined
  }
}

const isBinding = ({ accumulator, range, condition }: Comprehension): boolean =>
  accumulator !== accumulatorName &&
  range.kind === 'list' &&
  range.elements.length === 0 &&
  condition.kind === 'literal' &&
  condition.value === false

const literalSize = (value: LiteralValue): Range =>
  fixed(typeof value === 'string' ? textLength(value) : value instanceof Uint8Array ? value.length : 1)

const scalars = new Set<CelType['kind']>(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])
const isScalar = (type: CelType): boolean => scalars.has(type.kind) || (type.kind === 'optional' && isScalar(type.of))

function listTraversal({ type, schema, size }: Argument, parameter: CelType): Estimate {
  if (parameter.kind !== 'list') return { cost: scaled(size, perCharacter) }
  const element = type.kind === 'list' ? type.element.kind : 'dyn'
  const each = element === 'string' || element === 'bytes' ? add(one, scaled(elementSize(schema), perCharacter)) : one
  return { cost: times(size, each) }
}

const elementSize = (schema: SchemaType | undefined): Range => ({ min: 0, max: schema?.element?.maximum ?? Infinity })

const patternCost = (text: Range, pattern: Range): Range =>
  times(scaled(add(text, one), perCharacter), scaled(pattern, perPatternCharacter))

/** The value of a literal that is not negative. */
function literalInteger(node: Expression | undefined, otherwise: number): number {
  return node?.kind === 'literal' && typeof node.value === 'bigint' ? Math.max(0, Number(node.value)) : otherwise
}

/** A call of the lists extension that makes a list. */
const allocating = (size: Range, factor = 1): Estimate => ({ cost: add(scaled(size, factor), fixed(11)), size })

function selfCompared(size: Range, list: CelType): Estimate {
  const element = list.kind === 'list' ? list.element.kind : 'dyn'
  return allocating(times(size, size), element === 'string' || element === 'bytes' ? 2 + perCharacter : 2)
}

function joined({ schema, size }: Argument, separator: Argument | undefined): Estimate {
  const separators: Range = { min: Math.max(0, size.min - 1), max: Math.max(0, size.max - 1) }
  const length = add(
    times(size, elementSize(schema)),
    separator === undefined ? nothing : times(separator.size, separators),
  )
  return { cost: scaled(length, perCharacter), size: length }
}

/** How long a text can get, and how short, when parts of it are replaced. */
function replacedSize(text: Range, old: Range, by: Range): Range {
  const longest =
    old.min === 0
      ? product(text.max + 1, by.max) + text.max
      : by.max <= old.min
        ? text.max
        : product(Math.ceil(text.max / old.min), by.max)
  const shortest =
    old.max === 0
      ? product(text.min + 1, by.min) + text.min
      : old.max <= by.min
        ? text.min
        : product(Math.ceil(text.min / old.max), by.min)
  return { min: shortest, max: longest }
}
