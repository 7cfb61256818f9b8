// The static types of expressions, and when a value of one may stand where another is expected.

export type CelType =
  | {
      readonly kind:
        | 'dyn'
        | 'error'
        | 'bool'
        | 'int'
        | 'uint'
        | 'double'
        | 'string'
        | 'bytes'
        | 'null'
        | 'duration'
        | 'timestamp'
    }
  | { readonly kind: 'list'; readonly element: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | { readonly kind: 'type'; readonly of: CelType | undefined }
  | { readonly kind: 'optional'; readonly of: CelType }
  /** A type of a library: `kubernetes.Quantity`, `net.IP`. */
  | { readonly kind: 'opaque'; readonly name: string }
  /** An object of known fields. Two of them are the same type when they have the same name. */
  | { readonly kind: 'object'; readonly name: string; readonly fieldType: (name: string) => CelType | undefined }
  /** A variable of a signature, or one that is not known yet. */
  | { readonly kind: 'parameter'; readonly name: string }

export const dyn: CelType = { kind: 'dyn' }
export const errorType: CelType = { kind: 'error' }
export const bool: CelType = { kind: 'bool' }
export const int: CelType = { kind: 'int' }
export const uint: CelType = { kind: 'uint' }
export const double: CelType = { kind: 'double' }
export const string: CelType = { kind: 'string' }
export const bytes: CelType = { kind: 'bytes' }
export const nullType: CelType = { kind: 'null' }
export const duration: CelType = { kind: 'duration' }
export const timestamp: CelType = { kind: 'timestamp' }
export const listOf = (element: CelType): CelType => ({ kind: 'list', element })
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value })
export const optionalOf = (of: CelType): CelType => ({ kind: 'optional', of })
export const objectType = (name: string, fields: Readonly<Record<string, CelType>>): CelType => ({
  kind: 'object',
  name,
  fieldType: field => (Object.hasOwn(fields, field) ? fields[field] : undefined),
})

const simple: Readonly<Record<string, CelType>> = {
  dyn,
  bool,
  int,
  uint,
  double,
  string,
  bytes,
  null_type: nullType,
  duration,
  timestamp,
  'google.protobuf.Timestamp': timestamp,
  'google.protobuf.Duration': duration,
}

/** Type names that are values in expressions, as in `type(x) == string`. */
export const namedTypes: Readonly<Record<string, CelType>> = {
  ...simple,
  list: listOf(dyn),
  map: mapOf(dyn, dyn),
  type: { kind: 'type', of: undefined },
  optional_type: optionalOf(dyn),
}

/** As error messages name types. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'error':
      return '!error!'
    case 'null':
      return 'null'
    case 'duration':
      return 'google.protobuf.Duration'
    case 'timestamp':
      return 'google.protobuf.Timestamp'
    case 'list':
      return `list(${formatType(type.element)})`
    case 'map':
      return `map(${formatType(type.key)}, ${formatType(type.value)})`
    case 'type':
      return type.of === undefined ? 'type' : `type(${formatType(type.of)})`
    case 'optional':
      return `optional_type(${formatType(type.of)})`
    case 'opaque':
    case 'object':
    case 'parameter':
      return type.name
    default:
      return type.kind
  }
}

/** Reads `list(A)`, `map(string, T)`, `kubernetes.Quantity`; a single capital letter is a parameter. */
export function parseType(text: string): CelType {
  const open = text.indexOf('(')
  if (open === -1)
    return simple[text] ?? (/^[A-Z]$/.test(text) ? { kind: 'parameter', name: text } : { kind: 'opaque', name: text })
  const parts = splitList(text.slice(open + 1, -1)).map(parseType)
  switch (text.slice(0, open)) {
    case 'list':
      return listOf(parts[0]!)
    case 'map':
      return mapOf(parts[0]!, parts[1]!)
    case 'optional':
      return optionalOf(parts[0]!)
    case 'type':
    default:
      return { kind: 'type', of: parts[0] }
  }
}

/** Splits at the commas that are not in parentheses. */
export function splitList(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')') depth--
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  const last = text.slice(start).trim()
  return last === '' ? parts : [...parts, last]
}

/** What the parameters of signatures stand for, found while types are compared. */
export class Bindings {
  private readonly bound: Map<string, CelType>
  private fresh = 0

  constructor(bound: ReadonlyMap<string, CelType> = new Map()) {
    this.bound = new Map(bound)
  }

  freshParameter(): CelType {
    return { kind: 'parameter', name: `_var${this.fresh++}` }
  }

  /** Replaces what is known; with `final`, what is not becomes dyn. */
  substitute(type: CelType, final = false): CelType {
    switch (type.kind) {
      case 'parameter': {
        const found = this.bound.get(type.name)
        return found === undefined ? (final ? dyn : type) : this.substitute(found, final)
      }
      case 'list':
        return listOf(this.substitute(type.element, final))
      case 'map':
        return mapOf(this.substitute(type.key, final), this.substitute(type.value, final))
      case 'optional':
        return optionalOf(this.substitute(type.of, final))
      case 'type':
        return type.of === undefined ? type : { kind: 'type', of: this.substitute(type.of, final) }
      default:
        return type
    }
  }

  /** Whether all of `given` fit; only then are bindings kept. */
  accept(given: readonly CelType[], wanted: readonly CelType[]): boolean {
    const before = new Map(this.bound)
    if (given.length === wanted.length && given.every((type, index) => this.fits(type, wanted[index]!))) return true
    this.bound.clear()
    for (const [name, type] of before) this.bound.set(name, type)
    return false
  }

  private fits(given: CelType, wanted: CelType): boolean {
    const from = this.resolve(given)
    const to = this.resolve(wanted)
    if (to.kind === 'parameter') return this.bind(to.name, from)
    if (from.kind === 'parameter') return this.bind(from.name, to)
    if (from.kind === 'dyn' || from.kind === 'error' || to.kind === 'dyn' || to.kind === 'error') return true
    if (from.kind === 'null') return isNullable(to)
    if (to.kind === 'null') return isNullable(from)
    if (from.kind === 'list' && to.kind === 'list') return this.fits(from.element, to.element)
    if (from.kind === 'map' && to.kind === 'map') return this.fits(from.key, to.key) && this.fits(from.value, to.value)
    if (from.kind === 'optional' && to.kind === 'optional') return this.fits(from.of, to.of)
    if ((from.kind === 'opaque' || from.kind === 'object') && from.kind === to.kind) return from.name === to.name
    return from.kind === to.kind
  }

  private resolve(type: CelType): CelType {
    let found = type
    while (found.kind === 'parameter') {
      const next = this.bound.get(found.name)
      if (next === undefined) return found
      found = next
    }
    return found
  }

  private bind(name: string, type: CelType): boolean {
    if (type.kind === 'parameter' && type.name === name) return true
    if (this.mentions(type, name)) return false
    this.bound.set(name, type)
    return true
  }

  private mentions(type: CelType, name: string): boolean {
    switch (type.kind) {
      case 'parameter':
        return type.name === name || (this.bound.has(type.name) && this.mentions(this.bound.get(type.name)!, name))
      case 'list':
        return this.mentions(type.element, name)
      case 'map':
        return this.mentions(type.key, name) || this.mentions(type.value, name)
      case 'optional':
        return this.mentions(type.of, name)
      default:
        return false
    }
  }
}

const isNullable = ({ kind }: CelType): boolean =>
  kind === 'null' ||
  kind === 'object' ||
  kind === 'opaque' ||
  kind === 'optional' ||
  kind === 'duration' ||
  kind === 'timestamp'

/** The one of two compatible types that says less. */
export function moreGeneral(a: CelType, b: CelType): CelType {
  if (a.kind === 'dyn' || a.kind === 'error' || b.kind === 'parameter') return a
  if (b.kind === 'dyn' || a.kind === 'parameter' || a.kind === 'null') return b
  if (a.kind === 'list' && b.kind === 'list') return listOf(moreGeneral(a.element, b.element))
  if (a.kind === 'map' && b.kind === 'map') return mapOf(moreGeneral(a.key, b.key), moreGeneral(a.value, b.value))
  return a
}
