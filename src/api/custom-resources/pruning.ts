// Copies a value and leaves out the fields that its schema does not specify. A schema is compiled once.
// Source of the rules: apiextensions-apiserver pkg/apiserver/schema/pruning.
import { decodeObject } from '../decode.ts'
import { copyJson, isObject, setKey, type JsonObject } from '../patch/json-value.ts'
import { additionalOf, isEmbedded, itemsOf, preservesUnknown, propertiesOf, type Schema } from './schema.ts'

/** @param unknownFields collects the paths of what was left out */
export type Pruner = (value: unknown, path: string, unknownFields: string[]) => unknown

export function compilePruner(schema: Schema): Pruner {
  let made: Pruner | undefined
  return (value, path, unknownFields) =>
    isCompound(value) ? (made ??= compile(schema))(value, path, unknownFields) : value
}

const isCompound = (value: unknown): boolean => typeof value === 'object' && value !== null

function compile(schema: Schema): Pruner {
  const properties = new Map(propertiesOf(schema).map(([name, property]) => [name, compilePruner(property)]))
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const keepsAll = preservesUnknown(schema)
  const item = items === undefined ? (keepsAll ? copy : copyScalars) : compilePruner(items)
  const other =
    additional !== undefined
      ? compilePruner(additional)
      : keepsAll
        ? copy
        : schema.additionalProperties === true
          ? copyScalars
          : undefined
  const embedded = isEmbedded(schema)
  return (value, path, unknownFields) => {
    if (Array.isArray(value)) return value.map((one, index) => item(one, `${path}[${index}]`, unknownFields))
    const pruned: JsonObject = {}
    for (const [name, inner] of Object.entries(value as JsonObject)) {
      const at = path === '' ? name : `${path}.${name}`
      const prune = (embedded ? embeddedFields[name] : undefined) ?? properties.get(name) ?? other
      if (prune === undefined) unknownFields.push(at)
      else setKey(pruned, name, prune(inner, at, unknownFields))
    }
    return pruned
  }
}

/** A value of which nothing is specified, although it may be there: what is inside it goes. */
const copyScalars: Pruner = (value, path, unknownFields) => {
  if (Array.isArray(value)) return value.map((item, index) => copyScalars(item, `${path}[${index}]`, unknownFields))
  if (!isObject(value)) return value
  unknownFields.push(...Object.keys(value).map(name => `${path}.${name}`))
  return {}
}

const copy: Pruner = value => copyJson(value)

const embeddedFields: Readonly<Record<string, Pruner | undefined>> = Object.assign(Object.create(null) as object, {
  apiVersion: copy,
  kind: copy,
  metadata: pruneMetadata,
})

/** Metadata of the wrong types is kept as it is; validation says what is wrong with it. */
function pruneMetadata(value: unknown, path: string, unknownFields: string[]): unknown {
  try {
    const decoded = decodeObject('V1ObjectMeta', value)
    unknownFields.push(...decoded.unknownFields.map(name => `${path}.${name}`))
    return decoded.object
  } catch {
    return copy(value, path, unknownFields)
  }
}
