// A checked tree as a function that computes its value. Every step is paid for out of a meter, with the
// prices of cel-go's interpreter, so that no expression runs longer than it may.
import type { Checked } from './checker.ts'
import { CostLimitError, EvaluationError } from './cel-error.ts'
import type { Overload } from './functions.ts'
import {
  accumulatorName,
  type Call,
  type Comprehension,
  type Expression,
  type ListLiteral,
  type MapLiteral,
  type Select,
  type StructLiteral,
} from './syntax.ts'
import { namedTypes } from './types.ts'
import { limitWork } from './work.ts'
import {
  CelList,
  CelMap,
  CelObject,
  isMapLike,
  isOfType,
  mapEntries,
  mapGet,
  Optional,
  runtimeTypeName,
  TypeValue,
  typeNameOf,
  UnsignedInteger,
  type MapEntry,
  type Value,
} from './values.ts'

/** Counts what an evaluation costs, and ends it at the limit. */
export class Meter {
  spent = 0
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  charge(cost: number): void {
    this.spent += cost
    if (this.spent > this.limit) throw new CostLimitError()
  }
}

interface Frame {
  readonly meter: Meter
  readonly variable: (name: string) => Value
  /** Local variables by slot. */
  readonly slots: Local[]
}

/** The accumulator of all() and exists() may be an error, which a later element can make irrelevant. */
type Local = Value | EvaluationError

type Step = (frame: Frame) => Value

/** Throws EvaluationError or CostLimitError. */
export type Program = (variable: (name: string) => Value, meter: Meter) => Value

export type StructMaker = (typeName: string, fields: ReadonlyMap<string, Value>) => Value

const prices = { identifier: 1, select: 1, list: 10, map: 30, struct: 40 }

export function compileProgram(expression: Expression, checked: Checked, makeStruct: StructMaker): Program {
  const compiler = new Compiler(checked, makeStruct)
  const run = compiler.compile(expression)
  return (variable, meter) => {
    try {
      return run({ meter, variable, slots: [] })
    } catch (error) {
      // Values that nest too deeply to be compared.
      if (error instanceof RangeError) throw new EvaluationError('expression is nested too deeply')
      throw error
    }
  }
}

class Compiler {
  private readonly checked: Checked
  private readonly makeStruct: StructMaker
  private readonly scope: string[] = []
  /** Macros repeat parts of what they were given, always where the same names are in scope. */
  private readonly compiled = new Map<Expression, Step>()

  constructor(checked: Checked, makeStruct: StructMaker) {
    this.checked = checked
    this.makeStruct = makeStruct
  }

  compile(node: Expression): Step {
    const known = this.compiled.get(node)
    if (known !== undefined) return known
    const step = this.stepFor(node)
    this.compiled.set(node, step)
    return step
  }

  private stepFor(node: Expression): Step {
    const reference = this.checked.references.get(node)
    if (reference !== undefined) return this.reference(reference)
    switch (node.kind) {
      case 'literal':
        return () => node.value
      case 'identifier':
        return this.identifier(node.name)
      case 'select':
        return this.select(node)
      case 'call':
        return this.call(node)
      case 'list':
        return this.list(node)
      case 'map':
        return this.map(node)
      case 'struct':
        return this.struct(node)
      case 'comprehension':
      default:
        return this.comprehension(node)
    }
  }

  private reference(name: string): Step {
    if (!Object.hasOwn(namedTypes, name)) return this.identifier(name)
    const value = new TypeValue(runtimeTypeName(namedTypes[name]!))
    return () => value
  }

  private identifier(name: string): Step {
    const slot = this.scope.lastIndexOf(name)
    return slot === -1
      ? ({ meter, variable }) => (meter.charge(prices.identifier), variable(name))
      : ({ meter, slots }) => {
          meter.charge(prices.identifier)
          const local = slots[slot]!
          if (local instanceof EvaluationError) throw local
          return local
        }
  }

  private select({ operand, field, testOnly }: Select): Step {
    const run = this.compile(operand)
    if (testOnly) return frame => fieldOf(run(frame), field, true)
    // What is not a name or a part of one is paid for as an attribute of its own.
    const price = prices.select + (operand.kind === 'call' && !operand.name.startsWith('_[') ? prices.identifier : 0)
    return frame => {
      const container = run(frame)
      frame.meter.charge(price)
      return fieldOf(container, field, false)
    }
  }

  private call(node: Call): Step {
    switch (node.name) {
      case '_&&_':
        return this.logical(node, false)
      case '_||_':
        return this.logical(node, true)
      case '_?_:_':
        return this.conditional(node)
      case '_?._':
      case '_[?_]':
        return this.optionalAccess(node)
      case '_[_]':
        return this.index(node)
      case '@not_strictly_false':
        return this.notStrictlyFalse(node)
      case 'or':
      case 'orValue':
        return node.target === undefined ? this.function(node) : this.alternative(node)
      default:
        return this.function(node)
    }
  }

  /** `a && b`: one side that decides makes the other's error not matter. */
  private logical({ args }: Call, decisive: boolean): Step {
    const [left, right] = args.map(argument => this.compile(argument))
    return frame => {
      const first = attempt(left!, frame)
      if (first === decisive) return decisive
      const second = attempt(right!, frame)
      if (second === decisive) return decisive
      if (first instanceof EvaluationError) throw first
      if (second instanceof EvaluationError) throw second
      if (typeof first !== 'boolean' || typeof second !== 'boolean') throw new EvaluationError('no such overload')
      return !decisive
    }
  }

  private conditional({ args }: Call): Step {
    const [condition, yes, no] = args.map(argument => this.compile(argument))
    return frame => {
      const decision = condition!(frame)
      if (typeof decision !== 'boolean') throw new EvaluationError('no such overload')
      return decision ? yes!(frame) : no!(frame)
    }
  }

  private notStrictlyFalse({ args }: Call): Step {
    const run = this.compile(args[0]!)
    return frame => {
      const value = attempt(run, frame)
      frame.meter.charge(1)
      return value !== false
    }
  }

  private index({ args }: Call): Step {
    const [container, key] = args.map(argument => this.compile(argument))
    return frame => {
      const outer = container!(frame)
      const name = key!(frame)
      frame.meter.charge(1)
      return outer instanceof Optional ? partOf(outer, name) : entryAt(outer, name)
    }
  }

  private optionalAccess({ args }: Call): Step {
    const [container, key] = args.map(argument => this.compile(argument))
    return frame => {
      const outer = container!(frame)
      const name = key!(frame)
      frame.meter.charge(1)
      return partOf(outer instanceof Optional ? outer : new Optional(outer), name)
    }
  }

  /** The alternative of an optional is only computed when it is needed. */
  private alternative({ name, target, args }: Call): Step {
    const [first, other] = [this.compile(target!), this.compile(args[0]!)]
    return frame => {
      const optional = first(frame)
      frame.meter.charge(1)
      if (!(optional instanceof Optional)) throw noSuchOverload(name, [optional])
      if (optional.value !== undefined) return name === 'or' ? optional : optional.value
      return other(frame)
    }
  }

  private function(node: Call): Step {
    const overloads = this.checked.overloads.get(node) ?? []
    const isMethod = overloads[0]?.isMethod === true
    const inputs = [...(isMethod ? [node.target!] : []), ...node.args].map(argument => this.compile(argument))
    const name = overloads[0]?.name ?? node.name
    return frame => {
      const args = inputs.map(input => input(frame))
      const chosen =
        overloads.length === 1 && accepts(overloads[0]!, args)
          ? overloads[0]!
          : overloads.find(candidate => accepts(candidate, args))
      if (chosen === undefined) throw noSuchOverload(name, args)
      return invoke(chosen, args, frame.meter)
    }
  }

  private list({ elements }: ListLiteral): Step {
    const steps = elements.map(({ value, optional }) => ({ run: this.compile(value), optional }))
    return frame => {
      const items: Value[] = []
      for (const { run, optional } of steps) {
        const value = optional ? contentOf(run(frame)) : run(frame)
        if (value !== undefined) items.push(value)
      }
      frame.meter.charge(prices.list)
      return new CelList(items)
    }
  }

  private map({ entries }: MapLiteral): Step {
    const steps = entries.map(({ key, value, optional }) => ({
      key: this.compile(key),
      value: this.compile(value),
      optional,
    }))
    return frame => {
      const made: MapEntry[] = []
      for (const step of steps) {
        const key = step.key(frame)
        if (!isKey(key)) throw new EvaluationError(`unsupported key type: ${typeNameOf(key)}`)
        const value = step.optional ? contentOf(step.value(frame)) : step.value(frame)
        if (value !== undefined) made.push({ key, value })
      }
      frame.meter.charge(prices.map)
      const map = new CelMap(made)
      if (map.size < made.length) throw new EvaluationError('Failed with repeated key')
      return map
    }
  }

  private struct({ typeName, fields }: StructLiteral): Step {
    const steps = fields.map(({ name, value, optional }) => ({ name, run: this.compile(value), optional }))
    return frame => {
      const made = new Map<string, Value>()
      for (const { name, run, optional } of steps) {
        const value = optional ? contentOf(run(frame)) : run(frame)
        if (value !== undefined) made.set(name, value)
      }
      frame.meter.charge(prices.struct)
      return charged(frame.meter, () => ({ result: this.makeStruct(typeName, made), paid: prices.struct }))
    }
  }

  private comprehension(node: Comprehension): Step {
    const range = this.compile(node.range)
    const initial = this.compile(node.initial)
    const slot = this.scope.push(node.accumulator) - 1
    this.scope.push(node.variable)
    if (node.secondVariable !== undefined) this.scope.push(node.secondVariable)
    const condition = this.compile(node.condition)
    const step = this.growing(node, slot) ?? this.compile(node.step)
    this.scope.length = slot + 1
    const result = this.compile(node.result)
    this.scope.length = slot
    const two = node.secondVariable !== undefined
    const advance: (frame: Frame) => Local = isQuantifier(node) ? frame => attempt(step, frame) : step
    return frame => {
      const { slots } = frame
      const over = range(frame)
      slots[slot] = initial(frame)
      for (const [first, second] of iterate(over, two)) {
        slots[slot + 1] = first
        if (two) slots[slot + 2] = second
        if (condition(frame) !== true) break
        slots[slot] = advance(frame)
      }
      return result(frame)
    }
  }

  /** `result + [x]` and `insert(result, k, v)` change the growing collection itself: nobody else sees it yet. */
  private growing(node: Comprehension, slot: number): Step | undefined {
    if (node.accumulator !== accumulatorName || (node.initial.kind !== 'list' && node.initial.kind !== 'map'))
      return undefined
    const plain = (step: Expression): Step | undefined => {
      if (step.kind !== 'call' || !isAccumulator(step.args[0])) return undefined
      if (step.name === '_+_') return this.appending(step, slot)
      return step.name === 'cel.@mapInsert' ? this.inserting(step, slot) : undefined
    }
    if (node.step.kind !== 'call' || node.step.name !== '_?_:_') return plain(node.step)
    const condition = this.compile(node.step.args[0]!)
    const grow = plain(node.step.args[1]!)
    if (grow === undefined) return undefined
    return frame => {
      const decision = condition(frame)
      if (typeof decision !== 'boolean') throw new EvaluationError('no such overload')
      if (decision) return grow(frame)
      frame.meter.charge(prices.identifier)
      return frame.slots[slot] as Value
    }
  }

  private appending({ args }: Call, slot: number): Step {
    const item = this.compile((args[1] as ListLiteral).elements[0]!.value)
    return frame => {
      const value = item(frame)
      frame.meter.charge(prices.identifier + prices.list + 1)
      const list = frame.slots[slot] as CelList
      ;(list.items as Value[]).push(value)
      return list
    }
  }

  private inserting({ args }: Call, slot: number): Step {
    const inputs = args.slice(1).map(argument => this.compile(argument))
    return frame => {
      const [first, second] = inputs.map(input => input(frame))
      frame.meter.charge(prices.identifier + 1)
      const map = frame.slots[slot] as CelMap
      if (second === undefined && !isMapLike(first!)) throw noSuchOverload('cel.@mapInsert', [map, first!])
      const entries = second === undefined ? [...mapEntries(first as CelMap)] : [{ key: first!, value: second }]
      for (const entry of entries) {
        if (!isKey(entry.key)) throw new EvaluationError(`unsupported key type: ${typeNameOf(entry.key)}`)
        if (!map.insert(entry))
          throw new EvaluationError(`insert failed: key ${JSON.stringify(entry.key)} already exists`)
      }
      return map
    }
  }
}

const isAccumulator = (node: Expression | undefined): boolean =>
  node?.kind === 'identifier' && node.name === accumulatorName
const isQuantifier = ({ accumulator, initial }: Comprehension): boolean =>
  accumulator === accumulatorName && initial.kind === 'literal' && typeof initial.value === 'boolean'

function attempt(step: Step, frame: Frame): Value | EvaluationError {
  try {
    return step(frame)
  } catch (error) {
    if (error instanceof EvaluationError) return error
    throw error
  }
}

const accepts = ({ parameters }: Overload, args: readonly Value[]): boolean =>
  parameters.every((type, index) => isOfType(args[index]!, type))

function invoke({ call, cost }: Overload, args: readonly Value[], meter: Meter): Value {
  return charged(meter, () => {
    // What is costly is paid for first, as far as its arguments tell; the rest when the result is there.
    const ahead = cost?.(args, null) ?? 1
    meter.charge(ahead)
    const result = call(...args)
    const paid = Math.max(ahead, cost?.(args, result) ?? 1)
    meter.charge(paid - ahead)
    return { result, paid }
  })
}

const partsPerUnit = 10

/** Walking through large values costs as well, beyond what was paid already. */
function charged(meter: Meter, run: () => { readonly result: Value; readonly paid: number }): Value {
  const {
    result: { result, paid },
    visited,
  } = limitWork((meter.limit - meter.spent + 1) * partsPerUnit, run)
  meter.charge(Math.max(0, Math.floor(visited / partsPerUnit) - paid))
  return result
}

/** What a value must be so that the operator, or the function, asks it itself; else the operator's name is told. */
const receivers = ['string', 'google.protobuf.Timestamp', 'google.protobuf.Duration']
const numeric = ['int', 'uint', 'double', ...receivers]
const ordered = [...numeric, 'bool', 'bytes']
const askedTypes: Readonly<Record<string, readonly string[]>> = {
  '_+_': [...numeric, 'bytes', 'list'],
  '_-_': numeric,
  '_*_': numeric,
  '_/_': numeric,
  '_%_': ['int', 'uint', ...receivers],
  '-_': ['int', 'double', 'bool', ...receivers],
  '_<_': ordered,
  '_<=_': ordered,
  '_>_': ordered,
  '_>=_': ordered,
  size: [...receivers, 'bytes', 'list', 'map'],
  sort: ['list'],
  matches: receivers,
}

function noSuchOverload(name: string, args: readonly Value[]): EvaluationError {
  const types = args.map(typeNameOf)
  const asked = askedTypes[name]
  if (asked === undefined)
    return new EvaluationError(
      /^[_@!]/.test(name) ? 'no such overload' : `no such overload: ${name}(${types.join(', ')})`,
    )
  return new EvaluationError(asked.includes(types[0]!) ? 'no such overload' : `no such overload: ${name}`)
}

const isKey = (value: Value): boolean =>
  typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean' || typeNameOf(value) === 'uint'

function contentOf(value: Value): Value | undefined {
  if (value instanceof Optional) return value.value
  throw new EvaluationError(`cannot initialize optional entry from non-optional value ${typeNameOf(value)}`)
}

/** A field, an element or a value; undefined when there is none. Throws where the key is none of a list. */
export function lookUp(container: Value, key: Value): Value | undefined {
  if (container instanceof CelList) {
    const index = listIndex(key)
    return index < 0n ? undefined : container.items[Number(index)]
  }
  if (isMapLike(container)) return mapGet(container, key)
  return container instanceof CelObject && typeof key === 'string' ? container.get(key) : undefined
}

function listIndex(key: Value): bigint {
  if (typeof key === 'bigint') return key
  if (key instanceof UnsignedInteger) return key.value
  if (typeof key !== 'number') throw new EvaluationError(`unsupported index type '${typeNameOf(key)}' in list`)
  if (!Number.isInteger(key)) throw new EvaluationError(`unsupported index value ${key} in list`)
  return BigInt(key)
}

/** Throws when there is none, which is so of everything that has no parts. */
export function entryAt(container: Value, key: Value): Value {
  const found = lookUp(container, key)
  if (found === undefined)
    throw new EvaluationError(
      `${container instanceof CelList ? 'index out of bounds' : 'no such key'}: ${keyText(key)}`,
    )
  return found
}

function keyText(key: Value): string {
  if (key instanceof UnsignedInteger) return `${key.value}`
  return typeof key === 'object' ? typeNameOf(key) : `${key}`
}

function partOf({ value }: Optional, key: Value): Optional {
  const found = value === undefined ? undefined : lookUp(value, key)
  return found === undefined ? Optional.none : new Optional(found)
}

function fieldOf(container: Value, field: string, testOnly: boolean): Value {
  if (container instanceof Optional) {
    const part = partOf(container, field)
    return testOnly ? part.value !== undefined : part
  }
  return testOnly ? lookUp(container, field) !== undefined : entryAt(container, field)
}

function* iterate(over: Value, two: boolean): Generator<readonly [Value, Value]> {
  if (over instanceof CelList) {
    for (let index = 0; index < over.items.length; index++)
      yield two ? [BigInt(index), over.items[index]!] : [over.items[index]!, null]
  } else if (over instanceof CelMap) {
    for (const { key, value } of over.entries()) yield [key, value]
  } else if (isMapLike(over)) {
    for (const key of over.names()) yield [key, two ? over.get(key)! : null]
  } else {
    throw new EvaluationError(`got '${typeNameOf(over)}', expected iterable type`)
  }
}
