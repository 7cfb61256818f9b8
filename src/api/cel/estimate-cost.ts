// The most that an expression can cost, computed before it runs from how large its inputs can get: the
// estimate by which Kubernetes refuses rules. Follows the cost model of cel-go and of Kubernetes' libraries.
import type { Checked } from './checker.ts'
import { keyType, type SchemaType } from './schema-type.ts'
import { accumulatorName, type Call, type Comprehension, type Expression } from './syntax.ts'
import { dyn, type CelType } from './types.ts'
import { textLength } from './values.ts'

/** Both ends of what is possible; Infinity when there is no bound. */
interface Range { readonly min: number; readonly max: number }

interface EntrySizes { readonly isList: boolean; readonly key: Range; readonly value: Range }

interface Local { readonly name: string; readonly schema: SchemaType | undefined; readonly size: Range | undefined; readonly entries: EntrySizes | undefined }

/** What is known of a value's type and of the schema it came from. */
interface Estimated { readonly type: CelType; readonly schema: SchemaType | undefined; readonly size: Range }

interface CallEstimate { readonly cost: Range; readonly size?: Range; readonly entries?: EntrySizes | undefined }

const fixed = (count: number): Range => ({ min: count, max: count })
const unknown: Range = { min: 0, max: Infinity }
const add = (...ranges: readonly Range[]): Range => ranges.reduce((sum, { min, max }) => ({ min: sum.min + min, max: sum.max + max }))
const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b)
const times = (a: Range, b: Range): Range => ({ min: product(a.min, b.min), max: product(a.max, b.max) })
const scaled = ({ min, max }: Range, factor: number): Range => ({ min: Math.ceil(product(min, factor)), max: Math.ceil(product(max, factor)) })
const union = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) })
const unionEntries = (a: EntrySizes | undefined, b: EntrySizes | undefined): EntrySizes | undefined => (a === undefined || b === undefined ? undefined : { isList: a.isList, key: union(a.key, b.key), value: union(a.value, b.value) })

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
export function estimateCost(expression: Expression, checked: Checked, variables: (name: string) => SchemaType | undefined): number {
  try {
    return new Estimator(checked, variables).cost(expression).max
  } catch (error) {
    // It nests too deeply for the stack, and would when it is evaluated.
    if (error instanceof RangeError) return Infinity
    throw error
  }
}

class Estimator {
  private readonly checked: Checked
  private readonly variables: (name: string) => SchemaType | undefined
  private readonly costs = new Map<Expression, Range>()
  private readonly sizes = new Map<Expression, Range>()
  private readonly entries = new Map<Expression, EntrySizes>()
  private readonly schemas = new Map<Expression, SchemaType | undefined>()
  private readonly locals: Local[] = []

  constructor(checked: Checked, variables: (name: string) => SchemaType | undefined) {
    this.checked = checked
    this.variables = variables
  }

  cost(node: Expression): Range {
    const known = this.costs.get(node)
    if (known !== undefined) return known
    const cost = this.costOf(node)
    this.costs.set(node, cost)
    return cost
  }

  private costOf(node: Expression): Range {
    switch (node.kind) {
      case 'literal': return nothing
      case 'identifier':
        this.schemas.set(node, this.local(node.name)?.schema ?? (this.isLocal(node.name) ? undefined : this.variables(node.name)))
        return one
      case 'select': return this.select(node)
      case 'call': return this.call(node)
      case 'list': {
        const parts = node.elements.map(({ value }) => this.cost(value))
        this.entries.set(node, { isList: true, key: one, value: this.unionOf(node.elements.map(({ value }) => value)) })
        return add(fixed(10), ...parts)
      }
      case 'map': {
        const parts = node.entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)])
        this.entries.set(node, { isList: false, key: this.unionOf(node.entries.map(({ key }) => key)), value: this.unionOf(node.entries.map(({ value }) => value)) })
        return add(fixed(30), ...parts)
      }
      case 'struct': return add(fixed(40), ...node.fields.map(({ value }) => this.cost(value)))
      case 'comprehension':
      default: return isBinding(node) ? this.binding(node) : this.comprehension(node)
    }
  }

  private unionOf(nodes: readonly Expression[]): Range {
    return nodes.map(node => this.sizeOf(node)).reduce<Range | undefined>((sum, size) => (sum === undefined ? size : union(sum, size)), undefined) ?? nothing
  }

  private isLocal(name: string): boolean {
    return this.locals.some(local => local.name === name)
  }

  private local(name: string): Local | undefined {
    return this.locals.findLast(local => local.name === name)
  }

  private typeOf(node: Expression): CelType {
    return this.checked.types.get(node) ?? dyn
  }

  private schemaOf(node: Expression): SchemaType | undefined {
    return node.kind === 'identifier' ? this.local(node.name)?.schema ?? this.schemas.get(node) : this.schemas.get(node)
  }

  private select(node: Expression & { kind: 'select' }): Range {
    if (this.checked.references.has(node)) return one
    const operand = this.cost(node.operand)
    if (node.testOnly) return operand
    this.schemas.set(node, this.schemaOf(node.operand)?.fields?.get(node.field)?.schema)
    const { kind } = this.typeOf(node.operand)
    return kind === 'map' || kind === 'object' || kind === 'parameter' ? add(operand, one) : operand
  }

  /** undefined when nothing is known. */
  private knownSize(node: Expression): Range | undefined {
    const known = this.sizes.get(node) ?? literalSize(node)
    if (known !== undefined) return known
    const schema = this.schemaOf(node)
    if (schema !== undefined) return { min: 0, max: schema.maximum }
    if (isScalar(this.typeOf(node))) return one
    return node.kind === 'identifier' ? this.local(node.name)?.size : undefined
  }

  private sizeOf(node: Expression): Range {
    return this.knownSize(node) ?? unknown
  }

  private entriesOf(node: Expression): EntrySizes | undefined {
    return this.entries.get(node) ?? (node.kind === 'identifier' ? this.local(node.name)?.entries : undefined)
  }

  private call(node: Call): Range {
    if (node.name === 'dyn' && node.target === undefined) return this.unwrapped(node)
    const costs = node.args.map(argument => this.cost(argument))
    const overloads = this.checked.overloads.get(node) ?? []
    const isMethod = overloads[0]?.isMethod === true
    const target = isMethod ? this.cost(node.target!) : nothing
    if (overloads.length === 0) return node.name === '_?._' || node.name === '_[?_]' ? this.optionalAccess(node, costs) : nothing
    const estimates = overloads.map(({ parameters }) => this.function(node, parameters, isMethod, costs))
    const cost = estimates.map(estimate => estimate.cost).reduce(union)
    for (const { size, entries } of estimates) {
      if (size !== undefined) this.sizes.set(node, union(this.sizes.get(node) ?? size, size))
      if (entries !== undefined) this.entries.set(node, entries)
    }
    return add(target, cost)
  }

  private unwrapped(node: Call): Range {
    const [argument] = node.args
    const cost = this.cost(argument!)
    const size = this.knownSize(argument!)
    const entries = this.entriesOf(argument!)
    if (size !== undefined) this.sizes.set(node, size)
    if (entries !== undefined) this.entries.set(node, entries)
    return add(one, cost)
  }

  private optionalAccess(node: Call, costs: readonly Range[]): Range {
    const [operand, key] = node.args
    const schema = this.schemaOf(operand!)
    this.schemas.set(node, key!.kind === 'literal' && typeof key!.value === 'string' && schema?.fields !== undefined ? schema.fields.get(key!.value)?.schema : schema?.element)
    return add(one, ...costs)
  }

  private function(node: Call, parameters: readonly CelType[], isMethod: boolean, costs: readonly Range[]): CallEstimate {
    const inputs = isMethod ? [node.target!, ...node.args] : node.args
    const all = costs.length === 0 ? nothing : add(...costs)
    const branching = this.branching(node, costs)
    if (branching !== undefined) return branching
    const known = this.operator(node, parameters) ?? this.library(node, inputs, parameters, isMethod) ?? { cost: one }
    return { ...known, cost: add(known.cost, all) }
  }

  /** Operators that do not evaluate all of their arguments. */
  private branching({ name, args: [, yes, no] }: Call, costs: readonly Range[]): CallEstimate | undefined {
    switch (name) {
      case '_&&_': case '_||_': return { cost: { min: costs[0]!.min, max: costs[0]!.max + costs[1]!.max } }
      case '_?_:_': return { cost: add(costs[0]!, union(costs[1]!, costs[2]!)), size: union(this.sizeOf(yes!), this.sizeOf(no!)), entries: unionEntries(this.entriesOf(yes!), this.entriesOf(no!)) }
      default: return undefined
    }
  }

  private operator(node: Call, parameters: readonly CelType[]): CallEstimate | undefined {
    const { name, args } = node
    const [a, b] = args
    switch (name) {
      case '_+_': {
        const { kind } = parameters[0]!
        if (kind !== 'string' && kind !== 'bytes' && kind !== 'list') return undefined
        const size = add(this.sizeOf(a!), this.sizeOf(b!))
        return { cost: kind === 'list' ? one : scaled(size, perCharacter), size, entries: unionEntries(this.entriesOf(a!), this.entriesOf(b!)) }
      }
      case '_==_': case '_!=_': case '_<_': case '_<=_': case '_>_': case '_>=_': return this.comparison(node, parameters)
      case '@in': return parameters[1]!.kind === 'list' ? { cost: this.sizeOf(b!) } : undefined
      case '_[_]': return this.index(node, parameters)
      default: return undefined
    }
  }

  private comparison({ name, args: [a, b] }: Call, [parameter]: readonly CelType[]): CallEstimate | undefined {
    const [left, right] = [this.typeOf(a!), this.typeOf(b!)]
    if (name === '_==_' && left.kind === 'opaque' && right.kind === 'opaque' && left.name === right.name) return { cost: left.name === 'kubernetes.NamedFormat' ? scaled(fixed(longestFormat), perCharacter) : one }
    const traverses = name === '_==_' || name === '_!=_' || parameter!.kind === 'string' || parameter!.kind === 'bytes'
    if (!traverses) return undefined
    const max = Math.min(this.sizeOf(a!).max, this.sizeOf(b!).max)
    return { cost: scaled({ min: max > 0 ? 1 : 0, max }, perCharacter) }
  }

  private index(node: Call, [container]: readonly CelType[]): CallEstimate {
    const [operand] = node.args
    const entry = this.entriesOf(operand!)?.value
    if (container!.kind === 'list' || container!.kind === 'map') this.schemas.set(node, this.schemaOf(operand!)?.element)
    return { cost: one, ...(entry !== undefined && { size: entry }) }
  }

  private describe(node: Expression): Estimated {
    return { type: this.typeOf(node), schema: this.schemaOf(node), size: this.sizeOf(node) }
  }

  /** Functions whose cost grows with their arguments. */
  private library(node: Call, inputs: readonly Expression[], parameters: readonly CelType[], isMethod: boolean): CallEstimate | undefined {
    const [first, second, third] = inputs.map(input => this.describe(input))
    const { name } = this.checked.overloads.get(node)![0]!
    switch (name) {
      case 'check': return isMethod ? { cost: fixed(350_000) } : undefined
      case 'isSorted': case 'sum': case 'min': case 'max': case 'indexOf': case 'lastIndexOf': return listTraversal(first!, parameters[0]!)
      case 'url': return { cost: scaled(first!.size, perCharacter) }
      case 'lowerAscii': case 'upperAscii': case 'substring': case 'trim': return { cost: scaled(first!.size, perCharacter), size: first!.size }
      case 'replace': return { cost: scaled(first!.size, 2 * perCharacter), size: replacedSize(first!.size, second!.size, third!.size) }
      case 'split': return { cost: scaled(first!.size, 2 * perCharacter), size: { min: 0, max: literalInteger(inputs[2], first!.size.max) } }
      case 'slice': return allocating(fixed(Math.max(0, literalInteger(inputs[2], first!.size.max) - literalInteger(inputs[1], 0))))
      case 'lists.range': return allocating(fixed(literalInteger(inputs[0], Infinity)))
      case 'reverse': return allocating(first!.size)
      case 'flatten': return allocating(first!.size, inputs.length === 1 ? 1 : literalInteger(inputs[1], Infinity))
      case 'distinct': return allocating(times(first!.size, first!.size), 2)
      case 'sort': return selfCompared(first!.size, parameters[0]!)
      case '@sortByAssociatedKeys': return selfCompared(second!.size, parameters[1]!)
      case 'sets.contains': case 'sets.intersects': return { cost: add(times(first!.size, second!.size), one) }
      case 'sets.equivalent': return { cost: add(scaled(times(first!.size, second!.size), 2), one) }
      case 'validate': return { cost: scaled(scaled(second!.size, perCharacter), longestFormatPattern * perPatternCharacter) }
      case 'join': return joined(first!, second)
      case 'find': case 'findAll': return { cost: patternCost(first!.size, second!.size), size: { min: 0, max: first!.size.max } }
      case 'matches': return isMethod ? { cost: patternCost(first!.size, second!.size) } : undefined
      case 'contains': return isMethod && parameters[0]!.kind === 'string' ? { cost: times(scaled(first!.size, perCharacter), scaled(second!.size, perCharacter)) } : undefined
      case 'startsWith': case 'endsWith': return { cost: scaled(second!.size, perCharacter) }
      case 'format': return { cost: scaled(first!.size, perCharacter), size: add(first!.size, second!.size) }
      case 'bytes': return parameters[0]!.kind === 'string' ? { cost: scaled(first!.size, perCharacter), size: { min: first!.size.min, max: first!.size.max * 4 } } : undefined
      case 'string': return parameters[0]!.kind === 'bytes' ? { cost: scaled(first!.size, perCharacter), size: { min: Math.floor(first!.size.min / 4), max: first!.size.max } } : undefined
      case 'strings.quote': return { cost: scaled(first!.size, perCharacter), size: { min: first!.size.min + 2, max: first!.size.max * 2 + 2 } }
      case 'containsIP': case 'containsCIDR': return { cost: add(scaled(fixed(32), perCharacter), ...(name === 'containsCIDR' ? [scaled(fixed(16), perCharacter), one] : []), ...(parameters[1]!.kind === 'string' ? [scaled(second!.size, perCharacter)] : [])) }
      default: return undefined
    }
  }

  private binding(node: Comprehension): Range {
    const range = this.cost(node.range)
    const initial = this.cost(node.initial)
    this.locals.push({ name: node.accumulator, schema: this.schemaOf(node.initial), size: this.knownSize(node.initial), entries: this.entriesOf(node.initial) })
    const result = this.cost(node.result)
    const [size, entries] = [this.knownSize(node.result), this.entriesOf(node.result)]
    this.locals.pop()
    if (size !== undefined) this.sizes.set(node, size)
    if (entries !== undefined) this.entries.set(node, entries)
    return add(range, initial, result)
  }

  private comprehension(node: Comprehension): Range {
    const range = this.cost(node.range)
    const initial = this.cost(node.initial)
    this.locals.push({ name: node.accumulator, schema: undefined, size: this.knownSize(node.initial), entries: this.entriesOf(node.initial) })
    this.pushIteration(node)
    const each = add(this.cost(node.condition), this.cost(node.step))
    this.locals.length -= node.secondVariable === undefined ? 1 : 2
    const result = this.cost(node.result)
    this.locals.pop()
    const count = this.sizeOf(node.range)
    if (node.initial.kind === 'literal') this.sizes.set(node, one)
    else {
      this.sizes.set(node, count)
      const entries = this.entriesOf(node.step)
      if (entries !== undefined) this.entries.set(node, entries)
    }
    return add(range, initial, result, times(count, each))
  }

  private pushIteration({ range, variable, secondVariable }: Comprehension): void {
    const entries = this.entriesOf(range)
    const schema = this.schemaOf(range)
    const isList = entries?.isList ?? this.typeOf(range).kind === 'list'
    const key: Local = { name: variable, schema: isList || schema === undefined ? undefined : keyType, size: entries?.key, entries: undefined }
    const value: Local = { name: secondVariable ?? variable, schema: schema?.element, size: entries?.value, entries: undefined }
    if (secondVariable !== undefined) this.locals.push(key, value)
    else this.locals.push(isList ? value : key)
  }
}

const isBinding = ({ accumulator, range, condition }: Comprehension): boolean =>
  accumulator !== accumulatorName && range.kind === 'list' && range.elements.length === 0 && condition.kind === 'literal' && condition.value === false

function literalSize(node: Expression): Range | undefined {
  switch (node.kind) {
    case 'literal': return fixed(typeof node.value === 'string' ? textLength(node.value) : node.value instanceof Uint8Array ? node.value.length : 1)
    case 'list': return fixed(node.elements.length)
    case 'map': return fixed(node.entries.length)
    default: return undefined
  }
}

const scalars = new Set<CelType['kind']>(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])
const isScalar = (type: CelType): boolean => scalars.has(type.kind) || (type.kind === 'optional' && isScalar(type.of))

function listTraversal({ type, schema, size }: Estimated, parameter: CelType): CallEstimate {
  if (parameter.kind !== 'list') return { cost: scaled(size, perCharacter) }
  const element = type.kind === 'list' ? type.element.kind : 'dyn'
  const each = element === 'string' || element === 'bytes' ? add(one, scaled(elementSize(schema), perCharacter)) : one
  return { cost: times(size, each) }
}

const elementSize = (schema: SchemaType | undefined): Range => ({ min: 0, max: schema?.element?.maximum ?? Infinity })

const patternCost = (text: Range, pattern: Range): Range => times(scaled(add(text, one), perCharacter), scaled(pattern, perPatternCharacter))

/** The value of a literal that is not negative. */
function literalInteger(node: Expression | undefined, otherwise: number): number {
  return node?.kind === 'literal' && typeof node.value === 'bigint' ? Math.max(0, Number(node.value)) : otherwise
}

/** A call of the lists extension that makes a list. */
const allocating = (size: Range, factor = 1): CallEstimate => ({ cost: add(scaled(size, factor), fixed(11)), size })

function selfCompared(size: Range, list: CelType): CallEstimate {
  const element = list.kind === 'list' ? list.element.kind : 'dyn'
  return allocating(times(size, size), element === 'string' || element === 'bytes' ? 2 + perCharacter : 2)
}

function joined({ schema, size }: Estimated, separator: Estimated | undefined): CallEstimate {
  const separators: Range = { min: Math.max(0, size.min - 1), max: Math.max(0, size.max - 1) }
  const length = add(times(size, elementSize(schema)), separator === undefined ? nothing : times(separator.size, separators))
  return { cost: scaled(length, perCharacter), size: length }
}

/** How long a text can get, and how short, when parts of it are replaced. */
function replacedSize(text: Range, old: Range, by: Range): Range {
  const longest = old.min === 0 ? product(text.max + 1, by.max) + text.max : by.max <= old.min ? text.max : product(Math.ceil(text.max / old.min), by.max)
  const shortest = old.max === 0 ? product(text.min + 1, by.min) + text.min : old.max <= by.min ? text.min : product(Math.ceil(text.min / old.max), by.min)
  return { min: shortest, max: longest }
}
