// Objects inside objects (`x-kubernetes-embedded-resource`): they must say their apiVersion and kind and
// carry valid metadata. Source: apiextensions-apiserver pkg/apiserver/schema/objectmeta.
import { ApiError } from '../api-error.ts'
import { decodeObject } from '../decode.ts'
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, required } from '../field-error.ts'
import type { ObjectMeta } from '../generated/models.ts'
import { isObject, type JsonObject } from '../patch/json-value.ts'
import { checkLabel1035 } from '../validation/formats.ts'
import { validateObjectMeta } from '../validation/object-meta.ts'
import type { ListCheck } from './list-types.ts'
import { additionalOf, isEmbedded, itemsOf, propertiesOf, type Schema } from './schema.ts'

/** What is wrong with the embedded objects. undefined: the schema embeds nothing. */
export const compileEmbeddedObjects = (schema: Schema): ListCheck | undefined => compile(schema, validateEmbedded)

/** Where apiVersion, kind and metadata are not even of the right types: requests with such objects are not decoded. */
export const compileEmbeddedTypes = (schema: Schema): ListCheck | undefined => compile(schema, validateTypes)

type ObjectCheck = (object: JsonObject, under: (field: string) => string) => FieldError[]

function compile(schema: Schema, check: ObjectCheck): ListCheck | undefined {
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const item = items && compile(items, check)
  const other = additional && compile(additional, check)
  const properties = new Map(propertiesOf(schema).map(([name, property]) => [name, compile(property, check)] as const))
  const own = isEmbedded(schema)
  if (!own && item === undefined && other === undefined && ![...properties.values()].some(Boolean)) return undefined
  return (value, path) => {
    if (Array.isArray(value))
      return item === undefined ? [] : value.flatMap((one, index) => item(one, `${path}[${index}]`))
    if (!isObject(value)) return []
    const under = (field: string): string => (path === '' ? field : `${path}.${field}`)
    const inner = Object.keys(value).flatMap(
      name =>
        (properties.has(name)
          ? properties.get(name)?.(value[name], under(name))
          : other?.(value[name], `${path}[${name}]`)) ?? [],
    )
    return own ? joinErrors(check(value, under), inner) : inner
  }
}

const validateEmbedded: ObjectCheck = ({ apiVersion, kind, metadata }, under) =>
  joinErrors(
    apiVersion === undefined ? [required(under('apiVersion'))] : [],
    kind === undefined ? [required(under('kind'))] : [],
    validateText(apiVersion, under('apiVersion'), text =>
      text.split('/').length > 2 ? [`unexpected GroupVersion string: ${text}`] : [],
    ),
    validateText(kind, under('kind'), text => {
      const problems = checkLabel1035(text.toLowerCase())
      return problems.length === 0 ? [] : [`may have mixed case, but should otherwise match: ${problems.join(',')}`]
    }),
    metadata === undefined ? [] : validateMetadata(metadata, under('metadata')),
  )

const validateTypes: ObjectCheck = ({ apiVersion, kind, metadata }, under) =>
  joinErrors(
    validateText(apiVersion, under('apiVersion')),
    validateText(kind, under('kind')),
    metadata === undefined ? [] : withMetadata(metadata, under('metadata'), () => []),
  )

function validateText(value: unknown, field: string, check?: (text: string) => string[]): FieldError[] {
  if (value === undefined) return []
  if (typeof value !== 'string') return [invalidValue(field, value, 'must be a string')]
  if (check === undefined) return []
  return value === '' ? [required(field)] : check(value).map(problem => invalidValue(field, value, problem))
}

const validateMetadata = (value: unknown, field: string): FieldError[] =>
  withMetadata(value, field, metadata =>
    validateObjectMeta(
      { ...metadata, name: metadata.name || 'fakename' },
      { namespaced: Boolean(metadata.namespace), nameRule: 'path-segment' },
    ).map(error => ({ ...error, field: error.field.replace(/^metadata/, field) })),
  )

function withMetadata(
  value: unknown,
  field: string,
  check: (metadata: Partial<ObjectMeta>) => FieldError[],
): FieldError[] {
  let metadata: Partial<ObjectMeta>
  try {
    metadata = decodeObject('V1ObjectMeta', value, '').object
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return [invalidValue(field, value, error.message)]
  }
  return check(metadata)
}
