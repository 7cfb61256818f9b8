// A structural schema as a type of expressions, with how large a value can get: that is what the cost of a
// rule is estimated from. What expressions cannot see (fields without a schema) has no type.
import type { JSONSchemaProps } from '../generated/models.ts'
import { bool, bytes, double, duration, dyn, int, listOf, mapOf, string, timestamp, type CelType } from './types.ts'
import type { ListSemantics } from './values.ts'

export interface SchemaType {
  readonly type: CelType
  /** The most characters, bytes, elements or entries. */
  readonly maximum: number
  /** The fewest bytes of its JSON. */
  readonly smallestBytes: number
  /** Of a list or map. */
  readonly element?: SchemaType
  /** Of an object, by the name that expressions use. */
  readonly fields?: ReadonlyMap<string, { readonly name: string; readonly schema: SchemaType }>
  readonly list?: ListSemantics
}

const requestBytes = 3 * 1024 * 1024
const wholeText = requestBytes - 2
const text: SchemaType = { type: string, maximum: wholeText, smallestBytes: 2 }
const integer: SchemaType = { type: int, maximum: 0, smallestBytes: 1 }
const number: SchemaType = { type: double, maximum: 0, smallestBytes: 1 }
const truth: SchemaType = { type: bool, maximum: 0, smallestBytes: 4 }
/** Keys of maps: kube-apiserver's estimate takes them for texts of no length. */
export const keyType: SchemaType = { type: string, maximum: 0, smallestBytes: 2 }

/**
 * Undefined when expressions cannot see such a value.
 * @param isResource at the root of a resource: kind, apiVersion and the names in metadata are always there
 */
export function schemaType(schema: JSONSchemaProps, isResource: boolean, name = 'object'): SchemaType | undefined {
  if (schema['x-kubernetes-int-or-string'] === true)
    return {
      type: dyn,
      maximum: schema.maxLength === undefined ? wholeText : Math.max(0, Number(schema.maxLength)) * 4,
      smallestBytes: 1,
    }
  switch (schema.type) {
    case 'array':
      return arrayType(schema, name)
    case 'object':
      return objectSchemaType(isResource ? withMetadata(schema) : schema, name)
    case 'string':
      return textType(schema)
    case 'integer':
      return integer
    case 'number':
      return number
    case 'boolean':
      return truth
    default:
      return undefined
  }
}

const isEmbedded = (schema: JSONSchemaProps): boolean => schema['x-kubernetes-embedded-resource'] === true

/** The schema of items or additional properties, when it is one. */
export const schemaOf = (part: unknown): JSONSchemaProps | undefined =>
  typeof part === 'object' && part !== null && !Array.isArray(part) ? (part as JSONSchemaProps) : undefined

function arrayType(schema: JSONSchemaProps, name: string): SchemaType | undefined {
  const items = schemaOf(schema.items)
  const element = items === undefined ? undefined : schemaType(items, isEmbedded(items), `${name}.@idx`)
  if (element === undefined) return undefined
  const maximum =
    schema.maxItems === undefined
      ? Math.floor((requestBytes - 2) / (element.smallestBytes + 1))
      : Math.max(0, Number(schema.maxItems))
  const kind = schema['x-kubernetes-list-type']
  return {
    type: listOf(element.type),
    element,
    maximum,
    smallestBytes: 2,
    ...((kind === 'set' || kind === 'map') && { list: { kind, keys: schema['x-kubernetes-list-map-keys'] ?? [] } }),
  }
}

function objectSchemaType(schema: JSONSchemaProps, name: string): SchemaType | undefined {
  const additional = schemaOf(schema.additionalProperties)
  if (additional !== undefined) {
    const element = schemaType(additional, isEmbedded(additional), `${name}.@elem`)
    if (element === undefined) return undefined
    const maximum =
      schema.maxProperties === undefined
        ? Math.floor((requestBytes - 2) / (element.smallestBytes + 6))
        : Math.max(0, Number(schema.maxProperties))
    return { type: mapOf(string, element.type), element, maximum, smallestBytes: 2 }
  }
  const required = new Set(schema.required ?? [])
  const fields = new Map<string, { name: string; schema: SchemaType }>()
  let smallestBytes = 2
  for (const [property, part] of Object.entries(schema.properties ?? {})) {
    const field = schemaType(part, isEmbedded(part), `${name}.${property}`)
    if (field === undefined) continue
    const escaped = escapeName(property)
    if (escaped !== undefined) fields.set(escaped, { name: property, schema: field })
    if (required.has(property) && part.default === undefined) smallestBytes += property.length + field.smallestBytes + 4
  }
  return {
    type: { kind: 'object', name, fieldType: field => fields.get(field)?.schema.type },
    fields,
    maximum: 0,
    smallestBytes,
  }
}

function withMetadata(schema: JSONSchemaProps): JSONSchemaProps {
  if (saysOwnNames(schema.properties)) return schema
  const metadata: JSONSchemaProps = {
    type: 'object',
    properties: { name: { type: 'string' }, generateName: { type: 'string' } },
  }
  return {
    ...schema,
    properties: { ...schema.properties, kind: { type: 'string' }, apiVersion: { type: 'string' }, metadata },
  }
}

/** Then its own restrictions count. */
function saysOwnNames({ kind, apiVersion, metadata }: JSONSchemaProps['properties'] = {}): boolean {
  return (
    [kind, apiVersion, metadata?.properties?.['name'], metadata?.properties?.['generateName']].every(
      part => part?.type === 'string',
    ) && metadata?.type === 'object'
  )
}

function textType({ format, maxLength, enum: values }: JSONSchemaProps): SchemaType {
  switch (format) {
    case 'byte':
      return {
        type: bytes,
        maximum: maxLength === undefined ? wholeText : Math.max(0, Number(maxLength)),
        smallestBytes: 2,
      }
    case 'duration':
      return { type: duration, maximum: 32, smallestBytes: 3 }
    case 'date':
      return { type: timestamp, maximum: 12, smallestBytes: 12 }
    case 'date-time':
      return { type: timestamp, maximum: 32, smallestBytes: 21 }
    default:
      break
  }
  if (maxLength !== undefined) return { ...text, maximum: Math.max(0, Number(maxLength)) * 4 }
  if (values === undefined || values.length === 0) return text
  return { ...text, maximum: Math.max(...values.map(value => (typeof value === 'string' ? value.length : 0))) }
}

const keywords = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
])
const written: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** A property's name as expressions write it; undefined when they cannot. */
export function escapeName(name: string): string | undefined {
  if (keywords.has(name)) return `__${name}__`
  if (!/^[A-Za-z_./-][A-Za-z0-9_./-]*$/.test(name)) return undefined
  return name.replaceAll(/__|[./-]/g, part => written[part]!)
}
