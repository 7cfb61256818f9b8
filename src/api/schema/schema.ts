// What is known about each model, from one generated file: fields, types, required or not, list types,
// merge keys, wire numbers. Decoding, patches, server-side apply, protobuf and OpenAPI all read this.
// A model is parsed on its first use; nothing is parsed when the module is loaded.
//
// A model is a line of tokens, a field each: `name=wire:type!@list~patch*`
//   =5 or =2.1  protobuf number; with a dot: inside an embedded message that JSON does not show
//   :type       [] list, {} map, then s b i l d y(bytes) t(time) u(micro time) q(quantity) x(int or
//               string) r(raw object) f(fieldsV1) j(any JSON) v(wrapped list) A B S (parts of JSON
//               schemas) or =Model
//   !           required    * a zero value differs from none
//   @a @s @m(k) @g atomic, set, map list, granular structure for server-side apply
//   ~m ~r (key) merged or retain-keys in strategic merge patches, ~ alone replaced
// A leading `#group/version` marks a top-level kind, a leading `@a` a structure that is applied as a whole.
import structure from '../generated/structure.json' with { type: 'json' }

export type FieldType =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'double'
  | 'bytes'
  | 'time'
  | 'microTime'
  | 'quantity'
  | 'intOrString'
  | 'any'
  | 'raw'
  | 'fieldsV1'
  | 'json'
  | 'stringList'
  | 'schemaOrArray'
  | 'schemaOrBool'
  | 'schemaOrStrings'
  | 'object'

export interface Field {
  readonly name: string
  readonly type: FieldType
  /** The model's name when the type is `object`. */
  readonly model: string
  readonly shape: 'one' | 'list' | 'map'
  readonly required: boolean
  /** In Go a pointer: a zero value is kept, where otherwise it is the same as nothing. */
  readonly pointer: boolean
  /** For server-side apply. Lists without a list type are atomic. */
  readonly listType: 'atomic' | 'set' | 'map'
  readonly listMapKeys: readonly string[]
  /** A map that is applied as a whole. */
  readonly atomicMap: boolean
  /** Owned field by field, although the model is atomic elsewhere. */
  readonly granular: boolean
  /** A map that a strategic merge patch replaces. */
  readonly patchReplace: boolean
  readonly patchMerge: boolean
  readonly patchRetainKeys: boolean
  readonly patchMergeKey: string | undefined
  /** Protobuf numbers, the embedding messages first; empty for `apiVersion` and `kind` of top-level kinds. */
  readonly wire: readonly number[]
}

export interface Model {
  /** `V1Pod` */
  readonly name: string
  /** `io.k8s.api.core.v1.Pod` */
  readonly definition: string
  /** `Pod` */
  readonly goName: string
  readonly fields: ReadonlyMap<string, Field>
  /** Applied as a whole by server-side apply. */
  readonly atomic: boolean
  readonly topLevel: { readonly group: string; readonly version: string } | undefined
}

const types: Record<string, FieldType> = {
  s: 'string',
  b: 'boolean',
  i: 'int32',
  l: 'int64',
  d: 'double',
  y: 'bytes',
  t: 'time',
  u: 'microTime',
  q: 'quantity',
  x: 'intOrString',
  a: 'any',
  r: 'raw',
  f: 'fieldsV1',
  j: 'json',
  v: 'stringList',
  A: 'schemaOrArray',
  B: 'schemaOrBool',
  S: 'schemaOrStrings',
}
const tokenPattern =
  /^([^=:]+)(?:=([\d.]+))?:(\[\]|\{\})?(?:=(\w+)|(\w))(!)?(?:@(\w)(?:\(([^)]*)\))?)?(?:(~)(m?)(r?)(?:\(([^)]*)\))?)?(\*)?$/

function parseField(token: string): Field {
  const match = tokenPattern.exec(token)
  if (match === null) throw new Error(`schema: cannot read the field ${token}`)
  const [, name, wire, shape, model, type, required, list, keys, strategy, merge, retain, mergeKey, pointer] = match
  return {
    name: name!,
    type: type === undefined ? 'object' : types[type]!,
    model: model ?? '',
    shape: shape === '[]' ? 'list' : shape === '{}' ? 'map' : 'one',
    required: required !== undefined,
    pointer: pointer !== undefined,
    listType: list === 'm' ? 'map' : list === 's' ? 'set' : 'atomic',
    listMapKeys: keys?.split(',') ?? [],
    atomicMap: shape !== '[]' && list === 'a',
    granular: list === 'g',
    patchReplace: strategy !== undefined && merge === '' && retain === '',
    patchMerge: merge === 'm',
    patchRetainKeys: retain === 'r',
    patchMergeKey: mergeKey,
    wire: wire?.split('.').map(Number) ?? [],
  }
}

function parseModel(name: string, group: string, line: string): Model {
  const tokens = line.split(' ')
  const fields = new Map<string, Field>()
  let topLevel: Model['topLevel']
  let atomic = false
  for (const token of tokens) {
    if (token === '') continue
    if (token.startsWith('#')) {
      const slash = token.lastIndexOf('/')
      topLevel =
        slash < 0 ? { group: '', version: 'v1' } : { group: token.slice(1, slash), version: token.slice(slash + 1) }
    } else if (token.startsWith('@')) {
      atomic = true
    } else {
      const field = parseField(token)
      fields.set(field.name, field)
    }
  }
  const goName = name === 'VersionInfo' ? 'Info' : name.replace(/^[A-Z][a-z]*V\d(?=[A-Z])|^V\d(?=[A-Z])/, '')
  return { name, definition: `${group}.${goName}`, goName, fields, atomic, topLevel }
}

const lines = new Map<string, readonly [group: string, line: string]>()
const known = new Map<string, Model>()

function lineOf(name: string): readonly [string, string] | undefined {
  if (lines.size === 0) {
    for (const [group, models] of Object.entries(structure as Record<string, Record<string, string>>)) {
      for (const [model, line] of Object.entries(models)) lines.set(model, [group, line])
    }
  }
  return lines.get(name)
}

/** The model of that name; throws on a name that does not exist, which is a mistake in the program. */
export function modelOf(name: string): Model {
  const model = known.get(name)
  if (model !== undefined) return model
  const line = lineOf(name)
  if (line === undefined) throw new Error(`schema: there is no model ${name}`)
  const parsed = parseModel(name, ...line)
  known.set(name, parsed)
  return parsed
}

export const hasModel = (name: string): boolean => lineOf(name) !== undefined

export function modelNames(): string[] {
  lineOf('')
  return [...lines.keys()]
}

/** What a list-map key is when an item does not name it; Kubernetes' schema defaults only protocols. */
export const listKeyDefaults: Readonly<Record<string, unknown>> = { protocol: 'TCP' }
