// The values that expressions compute with. int is bigint, double is number, bytes is Uint8Array; string,
// bool and null are their own. Lists, maps and objects are read through classes, so that JSON is converted
// only where an expression looks at it.
import { fitsInt64 } from '../../lib/int64.ts'
import { EvaluationError } from './cel-error.ts'
import { formatType, type CelType } from './types.ts'
import { visit } from './work.ts'

export class UnsignedInteger {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

/** Nanoseconds, of either sign. */
export class Duration {
  readonly nanoseconds: bigint
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds
  }
}

/** Nanoseconds since 1970 in UTC. */
export class Timestamp {
  readonly nanoseconds: bigint
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds
  }
}

export class Optional {
  static readonly none = new Optional(undefined)
  readonly value: Value | undefined
  constructor(value: Value | undefined) {
    this.value = value
  }
}

export class TypeValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A value of a library; `type` is the name of its opaque type. */
export abstract class OpaqueValue {
  abstract readonly type: string
  abstract equals(other: OpaqueValue): boolean
}

/** How the lists of a schema compare and join: as a list, as a set, or by the keys of their objects. */
export interface ListSemantics {
  readonly kind: 'atomic' | 'set' | 'map'
  readonly keys: readonly string[]
}

export class CelList {
  readonly semantics: ListSemantics | undefined
  private readonly read: () => readonly Value[]
  private known: readonly Value[] | undefined

  constructor(items: readonly Value[] | (() => readonly Value[]), semantics?: ListSemantics) {
    this.known = typeof items === 'function' ? undefined : items
    this.read = typeof items === 'function' ? items : () => items
    this.semantics = semantics
  }

  get items(): readonly Value[] {
    return (this.known ??= this.read())
  }
}

export interface MapEntry {
  readonly key: Value
  readonly value: Value
}

export class CelMap {
  private readonly entryOf: Map<string, MapEntry>

  constructor(entries: Iterable<MapEntry>) {
    this.entryOf = new Map([...entries].map(entry => [mapKey(entry.key), entry]))
  }

  get size(): number {
    return this.entryOf.size
  }

  entries(): Iterable<MapEntry> {
    return this.entryOf.values()
  }

  /** For a map that is still being made; false when the key is taken. */
  insert(entry: MapEntry): boolean {
    const key = mapKey(entry.key)
    if (this.entryOf.has(key)) return false
    this.entryOf.set(key, entry)
    return true
  }

  get(key: Value): Value | undefined {
    return this.entryOf.get(mapKey(key))?.value
  }
}

/** An object of a schema, or a JSON object of which nothing is known; each field is converted once. */
export class CelObject {
  readonly typeName: string
  readonly json: Readonly<Record<string, unknown>>
  private readonly convert: (name: string) => Value | undefined
  private readonly nameList: () => readonly string[]
  private readonly converted = new Map<string, Value | undefined>()
  private namesKnown: readonly string[] | undefined
  /** A map of strings to the language, rather than an object with declared fields. */
  readonly isMap: boolean

  constructor({
    typeName,
    json,
    isMap,
    convert,
    names,
  }: {
    typeName: string
    json: Readonly<Record<string, unknown>>
    isMap: boolean
    convert: (name: string) => Value | undefined
    names: () => readonly string[]
  }) {
    this.typeName = typeName
    this.json = json
    this.isMap = isMap
    this.convert = convert
    this.nameList = names
  }

  /** Names as expressions write them. */
  names(): readonly string[] {
    return (this.namesKnown ??= this.nameList())
  }

  get(name: string): Value | undefined {
    if (!this.converted.has(name)) this.converted.set(name, this.convert(name))
    return this.converted.get(name)
  }
}

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | UnsignedInteger
  | Duration
  | Timestamp
  | Optional
  | TypeValue
  | OpaqueValue
  | CelList
  | CelMap
  | CelObject

/** Numbers that are equal have the same key, whatever their type. */
function mapKey(key: Value): string {
  switch (typeof key) {
    case 'string':
      return `s${key}`
    case 'boolean':
      return `b${key}`
    case 'bigint':
      return `n${key}`
    case 'number':
      return Number.isInteger(key) ? `n${BigInt(key)}` : `n${key}`
    default:
      return key instanceof UnsignedInteger ? `n${key.value}` : 'unsupported'
  }
}

export const isMapLike = (value: Value): value is CelMap | CelObject =>
  value instanceof CelMap || (value instanceof CelObject && value.isMap)

export const mapSize = (map: CelMap | CelObject): number => (map instanceof CelMap ? map.size : map.names().length)

export function mapGet(map: CelMap | CelObject, key: Value): Value | undefined {
  if (map instanceof CelMap) return map.get(key)
  return typeof key === 'string' ? map.get(key) : undefined
}

export function* mapEntries(map: CelMap | CelObject): Generator<MapEntry> {
  if (map instanceof CelMap) yield* map.entries()
  else for (const key of map.names()) yield { key, value: map.get(key)! }
}

/** The name of the value's type at run time, as in `type(x)`. */
export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'string':
      return 'string'
    default:
      break
  }
  if (value === null) return 'null_type'
  if (value instanceof CelList) return 'list'
  if (isMapLike(value)) return 'map'
  if (value instanceof CelObject) return value.typeName
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof UnsignedInteger) return 'uint'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Optional) return 'optional_type'
  return value instanceof TypeValue ? 'type' : value.type
}

/** Whether the value may be given where the type is expected; parts of lists and maps are not looked at. */
export function isOfType(value: Value, type: CelType): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'error':
    case 'parameter':
      return true
    case 'bool':
      return typeof value === 'boolean'
    case 'int':
      return typeof value === 'bigint'
    case 'double':
      return typeof value === 'number'
    case 'string':
      return typeof value === 'string'
    case 'null':
      return value === null
    case 'uint':
      return value instanceof UnsignedInteger
    case 'bytes':
      return value instanceof Uint8Array
    case 'duration':
      return value instanceof Duration
    case 'timestamp':
      return value instanceof Timestamp
    case 'optional':
      return value instanceof Optional
    case 'list':
      return value instanceof CelList
    case 'map':
      return value instanceof CelMap || value instanceof CelObject
    case 'type':
      return value instanceof TypeValue
    case 'opaque':
      return value instanceof OpaqueValue && value.type === type.name
    case 'object':
    default:
      return value instanceof CelObject
  }
}

export const runtimeTypeName = (type: CelType): string =>
  type.kind === 'null'
    ? 'null_type'
    : type.kind === 'list' || type.kind === 'map' || type.kind === 'type'
      ? type.kind
      : type.kind === 'optional'
        ? 'optional_type'
        : formatType(type)

const numberOf = (value: Value): bigint | number | undefined =>
  typeof value === 'bigint' || typeof value === 'number'
    ? value
    : value instanceof UnsignedInteger
      ? value.value
      : undefined

/** CEL equality: numbers across their types; different types are unequal, never an error. */
export function equal(a: Value, b: Value): boolean {
  visit()
  if (a === b) return true
  if (a === null || b === null || typeof a === 'string' || typeof a === 'boolean') return false
  const [left, right] = [numberOf(a), numberOf(b)]
  // eslint-disable-next-line eqeqeq -- bigint and number compare by value only this way
  if (left !== undefined) return right !== undefined && left == right
  if (a instanceof CelList) return b instanceof CelList && equalLists(a, b)
  if (a instanceof CelMap || a instanceof CelObject)
    return (b instanceof CelMap || b instanceof CelObject) && equalMaps(a, b)
  if (a instanceof Uint8Array)
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, index) => byte === b[index])
  if (a instanceof Duration) return b instanceof Duration && a.nanoseconds === b.nanoseconds
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanoseconds === b.nanoseconds
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name
  if (a instanceof Optional)
    return (
      b instanceof Optional &&
      (a.value === undefined || b.value === undefined ? a.value === b.value : equal(a.value, b.value))
    )
  return a instanceof OpaqueValue && b instanceof OpaqueValue && a.type === b.type && a.equals(b)
}

function equalLists(a: CelList, b: CelList): boolean {
  if (a.items.length !== b.items.length) return false
  const semantics = a.semantics ?? b.semantics
  if (semantics === undefined || semantics.kind === 'atomic')
    return a.items.every((item, index) => equal(item, b.items[index]!))
  if (semantics.kind === 'set') return a.items.every(item => b.items.some(other => equal(item, other)))
  const others = new Map(b.items.map(item => [listKey(item, semantics.keys), item]))
  return a.items.every(item => {
    const other = others.get(listKey(item, semantics.keys))
    return other !== undefined && equal(item, other)
  })
}

const listKey = (item: Value, keys: readonly string[]): string =>
  JSON.stringify(keys.map(key => (item instanceof CelObject ? item.json[key] : undefined)))

function equalMaps(a: CelMap | CelObject, b: CelMap | CelObject): boolean {
  if (mapSize(a) !== mapSize(b)) return false
  for (const { key, value } of mapEntries(a)) {
    const other = mapGet(b, key)
    if (other === undefined || !equal(value, other)) return false
  }
  return true
}

/** `a + b` with the meaning of the list's type. */
export function concatenate(a: CelList, b: CelList): CelList {
  if (a.semantics?.kind === 'set')
    return new CelList([...a.items, ...b.items.filter(item => !a.items.some(other => equal(other, item)))], a.semantics)
  if (a.semantics?.kind !== 'map') return new CelList([...a.items, ...b.items])
  const { keys } = a.semantics
  const merged = new Map(a.items.map(item => [listKey(item, keys), item]))
  for (const item of b.items) merged.set(listKey(item, keys), item)
  return new CelList([...merged.values()], a.semantics)
}

/** Throws when the result does not fit in 64 bits. */
export function checkedInt(value: bigint): bigint {
  if (!fitsInt64(value)) throw new EvaluationError('integer overflow')
  return value
}

export function checkedUint(value: bigint): UnsignedInteger {
  if (value < 0n || value >= 1n << 64n) throw new EvaluationError('unsigned integer overflow')
  return new UnsignedInteger(value)
}

/** In code points. */
export function textLength(text: string): number {
  let length = text.length
  for (let at = 0; at < text.length - 1; at++)
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) length--
  return length
}

/** What cost is counted by: characters, bytes, elements, entries; 1 for everything else. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return textLength(value)
  if (value instanceof Uint8Array) return value.length
  if (value instanceof CelList) return value.items.length
  return isMapLike(value) ? mapSize(value) : 1
}
