// What a schema of a CustomResourceDefinition may say beside being structural: supported keywords, list
// and map types with their keys, where defaults may stand. Rules and wording: apiextensions-apiserver
// pkg/apis/apiextensions/validation.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import { isObject } from '../patch/json-value.ts'
import { each } from '../validation/scalars.ts'
import { additionalOf, isEmbedded, itemsOf, propertiesOf, propertyOf, type Schema } from './schema.ts'

interface Surroundings {
  /** Why defaults must not stand here. */
  readonly noDefaults?: string
  /** In apiVersion, kind or metadata of an object. */
  readonly insideMetadata: boolean
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const metadataFields = new Set(['metadata', 'kind', 'apiVersion'])

export const checkSchema = (schema: Schema, path: string): FieldError[] =>
  check(schema, path, { insideMetadata: false }, true)

function check(schema: Schema, path: string, around: Surroundings, isRoot = false): FieldError[] {
  const items = itemsOf(schema)
  const inner = (name: 'allOf' | 'anyOf' | 'oneOf'): FieldError[] =>
    each(schema[name], `${path}.${name}`, (one, at) => check(one, at, around))
  return joinErrors(
    keywords(schema, path, around),
    schema.uniqueItems === true
      ? [
          forbiddenField(
            `${path}.uniqueItems`,
            'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
          ),
        ]
      : [],
    additionalProperties(schema, path, around),
    propertiesOf(schema).flatMap(([name, property]) =>
      check(property, `${path}.properties[${name}]`, aroundProperty(schema, name, around, isRoot)),
    ),
    schema.not === undefined ? [] : check(schema.not, `${path}.not`, around),
    inner('allOf'),
    inner('oneOf'),
    inner('anyOf'),
    items === undefined ? [] : check(items, `${path}.items`, around),
    schema['x-kubernetes-preserve-unknown-fields'] === false
      ? [invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined')]
      : [],
    mapType(schema, path),
    listType(schema, path),
    listMapKeys(schema, path),
  )
}

function aroundProperty(schema: Schema, name: string, around: Surroundings, isRoot: boolean): Surroundings {
  if (!metadataFields.has(name) || !(isRoot || isEmbedded(schema))) return around
  return { ...around, insideMetadata: true, ...(isRoot && { noDefaults: `in top-level ${name}` }) }
}

const unsupported = ['additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const

function keywords(schema: Schema, path: string, { noDefaults, insideMetadata }: Surroundings): FieldError[] {
  const { type = '' } = schema
  return joinErrors(
    type !== '' && !types.includes(type) ? [notSupported(`${path}.type`, type, types)] : [],
    schema.default !== undefined && noDefaults !== undefined
      ? [forbiddenField(`${path}.default`, `must not be set ${noDefaults}`)]
      : [],
    schema.id ? [forbiddenField(`${path}.id`, 'id is not supported')] : [],
    unsupported
      .filter(name => schema[name] !== undefined)
      .map(name => forbiddenField(`${path}.${name}`, `${name} is not supported`)),
    type === 'null'
      ? [forbiddenField(`${path}.type`, 'type cannot be set to null, use nullable as an alternative')]
      : [],
    Array.isArray(schema.items) && schema.items.length > 0
      ? [forbiddenField(`${path}.items`, 'items must be a schema object and not an array')]
      : [],
    insideMetadata && isEmbedded(schema)
      ? [forbiddenField(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta')]
      : [],
  )
}

function additionalProperties(schema: Schema, path: string, around: Surroundings): FieldError[] {
  const given = schema.additionalProperties
  const inner = additionalOf(schema)
  const field = `${path}.additionalProperties`
  return joinErrors(
    given !== undefined && given !== true && propertiesOf(schema).length > 0
      ? [forbiddenField(field, 'additionalProperties and properties are mutual exclusive')]
      : [],
    inner === undefined
      ? []
      : check(
          inner,
          field,
          around.insideMetadata
            ? { ...around, noDefaults: 'inside additionalProperties applying to object metadata' }
            : around,
        ),
  )
}

function mustHaveType({ type = '' }: Schema, wanted: string, field: string, path: string): FieldError[] {
  if (type === wanted) return []
  const detail = `must be ${wanted} if ${field} is specified`
  return [type === '' ? required(`${path}.type`, detail) : invalidValue(`${path}.type`, type, detail)]
}

function mapType(schema: Schema, path: string): FieldError[] {
  const field = 'x-kubernetes-map-type'
  const given = schema[field]
  if (given === undefined) return []
  return joinErrors(
    mustHaveType(schema, 'object', field, path),
    given === 'atomic' || given === 'granular' ? [] : [notSupported(`${path}.${field}`, given, ['atomic', 'granular'])],
  )
}

function listType(schema: Schema, path: string): FieldError[] {
  const field = 'x-kubernetes-list-type'
  const given = schema[field]
  if (given === undefined) return []
  return joinErrors(
    schema.type === 'array'
      ? given === 'set'
        ? setItems(itemsOf(schema), path)
        : []
      : mustHaveType(schema, 'array', field, path),
    ['atomic', 'map', 'set'].includes(given) ? [] : [notSupported(`${path}.${field}`, given, ['atomic', 'set', 'map'])],
  )
}

/** Items of a set are compared as wholes. */
function setItems(items: Schema | undefined, path: string): FieldError[] {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const list = items?.['x-kubernetes-list-type']
  const map = items?.['x-kubernetes-map-type']
  if (items?.type === 'array' && list !== undefined && list !== 'atomic')
    return [invalidValue(`${path}.items.x-kubernetes-list-type`, list, detail)]
  return items?.type === 'object' && map !== 'atomic'
    ? [invalidValue(`${path}.items.x-kubernetes-map-type`, list, detail)]
    : []
}

function listMapKeys(schema: Schema, path: string): FieldError[] {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const type = schema['x-kubernetes-list-type']
  const field = `${path}.x-kubernetes-list-map-keys`
  const found: FieldError[] = []
  if (keys.length > 0 && type !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    found.push(
      type === undefined
        ? required(`${path}.x-kubernetes-list-type`, detail)
        : invalidValue(`${path}.x-kubernetes-list-type`, type, detail),
    )
  }
  if (type === 'map') {
    if (keys.length === 0) found.push(required(field, 'must not be empty if x-kubernetes-list-type is map'))
    if (schema.items === undefined)
      found.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'))
    else if (!isObject(schema.items))
      found.push(
        invalidValue(`${path}.items`, schema.items, 'must only have a single schema if x-kubernetes-list-type is map'),
      )
    else if (schema.items.type !== 'object')
      found.push(
        invalidValue(
          `${path}.items.type`,
          schema.items.type ?? '',
          "must be object if parent array's x-kubernetes-list-type is map",
        ),
      )
    else found.push(...keysOfItems(schema.items, keys, path))
  }
  if (type === 'map' || type === 'set') found.push(...itemsNotNullable(itemsOf(schema), type, keys, path))
  return found
}

function keysOfItems(items: Schema, keys: readonly string[], path: string): FieldError[] {
  const field = `${path}.x-kubernetes-list-map-keys`
  return keys.flatMap((key, index) => {
    const property = propertyOf(items, key)
    const isCompound = property?.type === 'array' || property?.type === 'object'
    return joinErrors(
      property === undefined ? [invalidValue(field, keys, 'entries must all be names of item properties')] : [],
      isCompound
        ? [
            invalidValue(
              `${path}.items.properties[${key}].type`,
              items.type,
              "must be a scalar type if parent array's x-kubernetes-list-type is map",
            ),
          ]
        : [],
      keys.indexOf(key) === index ? [] : [invalidValue(field, keys, 'must not contain duplicate entries')],
    )
  })
}

function itemsNotNullable(
  items: Schema | undefined,
  type: 'map' | 'set',
  keys: readonly string[],
  path: string,
): FieldError[] {
  if (items === undefined) return []
  const found =
    items.nullable === true
      ? [forbiddenField(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`)]
      : []
  if (type === 'set') return found
  return joinErrors(
    found,
    keys.flatMap(key => {
      const property = propertyOf(items, key)
      const field = `${path}.items.properties[${key}]`
      if (property === undefined) return []
      return joinErrors(
        property.default === undefined && !items.required?.includes(key)
          ? [
              required(
                `${field}.default`,
                'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
              ),
            ]
          : [],
        property.nullable === true
          ? [
              forbiddenField(
                `${field}.nullable`,
                'this property is in x-kubernetes-list-map-keys, so it cannot be nullable',
              ),
            ]
          : [],
      )
    }),
  )
}
