// Static types: finds the type of every node and the overloads a call may mean, or reports what does not fit,
// in the words of cel-go.
import type { Issue } from './cel-error.ts'
import type { Overload } from './functions.ts'
import type {
  Call,
  Comprehension,
  Expression,
  ListLiteral,
  LiteralValue,
  MapLiteral,
  Select,
  StructLiteral,
} from './syntax.ts'
import {
  Bindings,
  bool,
  bytes,
  double,
  dyn,
  errorType,
  formatType,
  int,
  listOf,
  mapOf,
  moreGeneral,
  namedTypes,
  nullType,
  optionalOf,
  string,
  uint,
  type CelType,
} from './types.ts'

export interface Declarations {
  /** By name; methods and global functions together. */
  readonly functions: ReadonlyMap<string, readonly Overload[]>
  variable(name: string): CelType | undefined
  /** Types that `Name{...}` makes. */
  structType(name: string): CelType | undefined
}

export interface Checked {
  readonly type: CelType
  /** The types of all nodes. */
  readonly types: ReadonlyMap<Expression, CelType>
  /** Which overloads each call may mean. */
  readonly overloads: ReadonlyMap<Call, readonly Overload[]>
  /** Identifiers and selections that are really one dotted name: a type, or a variable with a dot. */
  readonly references: ReadonlyMap<Expression, string>
  /** Global variables that are used. */
  readonly variables: ReadonlySet<string>
}

export function check(expression: Expression, declarations: Declarations, issues: Issue[]): Checked {
  return new Checker(declarations, issues).run(expression)
}

class Checker {
  private readonly declarations: Declarations
  private readonly issues: Issue[]
  private readonly types = new Map<Expression, CelType>()
  private readonly overloads = new Map<Call, readonly Overload[]>()
  private readonly references = new Map<Expression, string>()
  private readonly used = new Set<string>()
  private readonly locals: { name: string; type: CelType }[] = []
  private readonly bindings = new Bindings()

  constructor(declarations: Declarations, issues: Issue[]) {
    this.declarations = declarations
    this.issues = issues
  }

  run(expression: Expression): Checked {
    this.check(expression)
    for (const [node, type] of this.types) this.types.set(node, this.bindings.substitute(type, true))
    return {
      type: this.types.get(expression)!,
      types: this.types,
      overloads: this.overloads,
      references: this.references,
      variables: this.used,
    }
  }

  private report(offset: number, message: string): CelType {
    this.issues.push({ offset, message })
    return errorType
  }

  private format(type: CelType): string {
    return formatType(this.bindings.substitute(type, true))
  }

  private check(node: Expression): CelType {
    const known = this.types.get(node)
    if (known !== undefined) return known
    const type = this.typeOf(node)
    this.types.set(node, type)
    return type
  }

  private typeOf(node: Expression): CelType {
    switch (node.kind) {
      case 'literal':
        return literalType(node.value)
      case 'identifier':
        return (
          this.identifier(node, node.name) ??
          this.report(node.offset, `undeclared reference to '${node.name}' (in container '')`)
        )
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

  private identifier(node: Expression, name: string): CelType | undefined {
    const local = this.locals.findLast(one => one.name === name)
    if (local !== undefined) {
      this.types.delete(node)
      return local.type
    }
    const variable = this.declarations.variable(name)
    if (variable !== undefined) {
      this.used.add(name)
      return variable
    }
    if (!Object.hasOwn(namedTypes, name)) return undefined
    this.references.set(node, name)
    return { kind: 'type', of: namedTypes[name] }
  }

  private select(node: Select): CelType {
    const dotted = node.testOnly ? undefined : dottedName(node)
    if (dotted !== undefined && !this.locals.some(({ name }) => dotted.startsWith(`${name}.`))) {
      const type = this.identifier(node, dotted)
      if (type !== undefined) {
        this.references.set(node, dotted)
        return type
      }
    }
    const operand = this.bindings.substitute(this.check(node.operand))
    const unwrapped = operand.kind === 'optional' ? this.bindings.substitute(operand.of) : operand
    const field = this.fieldType(unwrapped, node.field, node.offset)
    if (node.testOnly) return bool
    return operand.kind === 'optional' ? optionalOf(field) : field
  }

  private fieldType(operand: CelType, field: string, offset: number): CelType {
    switch (operand.kind) {
      case 'map':
        return operand.value
      case 'object':
        return operand.fieldType(field) ?? this.report(offset, `undefined field '${field}'`)
      case 'parameter':
        this.bindings.accept([dyn], [operand])
        return dyn
      case 'dyn':
      case 'error':
        return dyn
      // Most types of libraries are, to the original, objects whose fields it does not find.
      case 'opaque':
        return this.report(
          offset,
          operand.name.startsWith('net.')
            ? noSelection(operand.name)
            : `unexpected failed resolution of '${operand.name}'`,
        )
      default:
        return this.report(offset, noSelection(this.format(operand)))
    }
  }

  private call(node: Call): CelType {
    const qualified = node.target === undefined ? undefined : dottedName(node.target)
    const asGlobal = qualified === undefined ? undefined : `${qualified}.${node.name}`
    if (
      asGlobal !== undefined &&
      !this.locals.some(({ name }) => asGlobal.startsWith(`${name}.`)) &&
      this.declarations.functions.has(asGlobal)
    ) {
      return this.resolve(
        node,
        asGlobal,
        node.args.map(argument => this.check(argument)),
        false,
      )
    }
    if (node.name === '_?._' || node.name === '_[?_]') return this.optionalAccess(node)
    if (node.name === 'format' && node.target !== undefined && node.args[0]?.kind === 'list')
      this.mixedList(node.args[0])
    const receiver = node.target === undefined ? [] : [this.check(node.target)]
    return this.resolve(
      node,
      node.name,
      [...receiver, ...node.args.map(argument => this.check(argument))],
      receiver.length > 0,
    )
  }

  private optionalAccess(node: Call): CelType {
    const [operand, key] = node.args.map(argument => this.check(argument))
    const resolved = this.bindings.substitute(operand!)
    const container = resolved.kind === 'optional' ? this.bindings.substitute(resolved.of) : resolved
    if (node.name === '_?._') {
      const field = (node.args[1] as { value: string }).value
      return optionalOf(this.fieldType(container, field, node.offset))
    }
    if (container.kind === 'list') return optionalOf(container.element)
    if (container.kind === 'map')
      return this.bindings.accept([key!], [container.key])
        ? optionalOf(container.value)
        : this.noOverload(node, '_[?_]', [operand!, key!], false)
    if (container.kind === 'dyn' || container.kind === 'error' || container.kind === 'parameter') return optionalOf(dyn)
    return this.noOverload(node, '_[?_]', [operand!, key!], false)
  }

  private resolve(node: Call, name: string, given: readonly CelType[], isMethod: boolean): CelType {
    const known = this.declarations.functions.get(name)
    if (known === undefined) return this.report(node.offset, `undeclared reference to '${name}' (in container '')`)
    const fitting: Overload[] = []
    let result: CelType | undefined
    for (const candidate of known) {
      if (candidate.isMethod !== isMethod || candidate.parameters.length !== given.length) continue
      const fresh = this.instantiate(candidate)
      if (!this.bindings.accept(given, fresh.parameters)) continue
      fitting.push(candidate)
      const type = this.bindings.substitute(fresh.result)
      result = result === undefined || formatType(result) === formatType(type) ? type : dyn
    }
    if (result === undefined) return this.noOverload(node, name, given, isMethod)
    this.overloads.set(node, fitting)
    return result
  }

  private noOverload(node: Call, name: string, given: readonly CelType[], isMethod: boolean): CelType {
    if (given.some(type => this.bindings.substitute(type).kind === 'error')) return errorType
    const types = given.map(type => this.format(type))
    return this.report(
      node.offset,
      `found no matching overload for '${name}' applied to '${isMethod ? `${types[0]}.(${types.slice(1).join(', ')})` : `(${types.join(', ')})`}'`,
    )
  }

  private instantiate({ parameters, result }: Overload): { parameters: CelType[]; result: CelType } {
    const fresh = new Map<string, CelType>()
    const renamed = (type: CelType): CelType => {
      switch (type.kind) {
        case 'parameter': {
          const known = fresh.get(type.name) ?? this.bindings.freshParameter()
          fresh.set(type.name, known)
          return known
        }
        case 'list':
          return listOf(renamed(type.element))
        case 'map':
          return mapOf(renamed(type.key), renamed(type.value))
        case 'optional':
          return optionalOf(renamed(type.of))
        case 'type':
          return type.of === undefined ? type : { kind: 'type', of: renamed(type.of) }
        default:
          return type
      }
    }
    return { parameters: parameters.map(renamed), result: renamed(result) }
  }

  private list({ elements }: ListLiteral): CelType {
    const element = elements.reduce<CelType | undefined>(
      (known, { value, optional }) => this.join(known, this.entryType(value, optional), value),
      undefined,
    )
    return listOf(element ?? this.bindings.freshParameter())
  }

  /** What format() is given may be of any types. */
  private mixedList(node: ListLiteral): void {
    for (const { value, optional } of node.elements) this.entryType(value, optional)
    this.types.set(node, listOf(dyn))
  }

  private map({ entries }: MapLiteral): CelType {
    let [keyType, valueType]: (CelType | undefined)[] = []
    for (const { key, value, optional } of entries) {
      keyType = this.join(keyType, keyTypeOf(this.bindings.substitute(this.check(key))), key)
      valueType = this.join(valueType, this.entryType(value, optional), value)
    }
    return mapOf(keyType ?? this.bindings.freshParameter(), valueType ?? this.bindings.freshParameter())
  }

  /** The type of an element; of an optional one, what is in it. */
  private entryType(value: Expression, optional: boolean): CelType {
    const type = this.bindings.substitute(this.check(value))
    if (!optional) return type
    if (type.kind === 'optional') return type.of
    return type.kind === 'dyn' || type.kind === 'error'
      ? dyn
      : this.report(
          value.offset,
          `expected type 'optional_type(${this.format(type)})' but found '${this.format(type)}'`,
        )
  }

  private join(known: CelType | undefined, type: CelType, node: Expression): CelType {
    if (known === undefined) return type
    if (this.bindings.accept([type], [known]))
      return moreGeneral(this.bindings.substitute(known), this.bindings.substitute(type))
    return this.report(positionOf(node), `expected type '${this.format(known)}' but found '${this.format(type)}'`)
  }

  private struct({ typeName, fields, offset }: StructLiteral): CelType {
    const type = this.declarations.structType(typeName)
    for (const field of fields) {
      const given = this.entryType(field.value, field.optional)
      if (type?.kind !== 'object') continue
      const wanted = type.fieldType(field.name)
      if (wanted === undefined) this.report(field.offset, `undefined field '${field.name}'`)
      else if (!this.bindings.accept([given], [wanted]))
        this.report(
          field.offset,
          `expected type of field '${field.name}' is '${this.format(wanted)}' but provided type is '${this.format(given)}'`,
        )
    }
    return type ?? this.report(offset, `undeclared reference to '${typeName}' (in container '')`)
  }

  private comprehension(node: Comprehension): CelType {
    const range = this.bindings.substitute(this.check(node.range))
    const [first, second] = this.iterationTypes(range, node)
    const accumulated = this.check(node.initial)
    this.locals.push({ name: node.accumulator, type: accumulated })
    this.locals.push({ name: node.variable, type: first })
    if (node.secondVariable !== undefined) this.locals.push({ name: node.secondVariable, type: second })
    this.expect(node.condition, bool)
    this.expect(node.step, accumulated)
    this.locals.length -= node.secondVariable === undefined ? 1 : 2
    const result = this.check(node.result)
    this.locals.pop()
    return result
  }

  private iterationTypes(range: CelType, node: Comprehension): readonly [CelType, CelType] {
    const two = node.secondVariable !== undefined
    switch (range.kind) {
      case 'list':
        return two ? [int, range.element] : [range.element, dyn]
      case 'map':
        return [range.key, range.value]
      case 'dyn':
      case 'error':
        return [dyn, dyn]
      case 'parameter':
        this.bindings.accept([dyn], [range])
        return [dyn, dyn]
      default:
        this.report(
          positionOf(node.range),
          `expression of type '${this.format(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`,
        )
        return [errorType, errorType]
    }
  }

  private expect(node: Expression, wanted: CelType): void {
    const given = this.check(node)
    if (!this.bindings.accept([given], [wanted]))
      this.report(positionOf(node), `expected type '${this.format(wanted)}' but found '${this.format(given)}'`)
  }
}

/** Only these can be keys at run time; types that nest in keys and values would double with every level. */
const keyKinds = new Set<CelType['kind']>(['bool', 'int', 'uint', 'string', 'parameter', 'error'])
const keyTypeOf = (type: CelType): CelType => (keyKinds.has(type.kind) ? type : dyn)

const noSelection = (type: string): string => `type '${type}' does not support field selection`

const positionOf = ({ offset }: Expression): number => offset

/** `a.b.c`, when it is nothing but names. */
export function dottedName(node: Expression): string | undefined {
  if (node.kind === 'identifier') return node.name
  if (node.kind !== 'select' || node.testOnly) return undefined
  const operand = dottedName(node.operand)
  return operand === undefined ? undefined : `${operand}.${node.field}`
}

function literalType(value: LiteralValue): CelType {
  switch (typeof value) {
    case 'boolean':
      return bool
    case 'bigint':
      return int
    case 'number':
      return double
    case 'string':
      return string
    default:
      return value === null ? nullType : value instanceof Uint8Array ? bytes : uint
  }
}
