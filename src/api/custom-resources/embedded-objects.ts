// Objects inside objects (`x-kubernetes-embedded-resource`): they must say their apiVersion and kind and
// carry valid metadata.
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

/** undefined: the schema embeds nothing. */
export function compileEmbeddedObjects(schema: Schema): ListCheck | undefined {
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const item = items && compileEmbeddedObjects(items)
  const other = additional && compileEmbeddedObjects(additional)
  const properties = new Map(propertiesOf(schema).flatMap(([name, property]) => {
    const check = compileEmbeddedObjects(property)
    return check === undefined ? [] : [[name, check] as const]
  }))
  const own = isEmbedded(schema)
  if (!own && item === undefined && other === undefined && properties.size === 0) return undefined
  return (value, path) => {
    if (Array.isArray(value)) return item === undefined ? [] : value.flatMap((one, index) => item(one, `${path}[${index}]`))
    if (!isObject(value)) return []
    const inner = Object.keys(value).flatMap(name => (properties.get(name) ?? other)?.(value[name], path === '' ? name : `${path}.${name}`) ?? [])
    return own ? joinErrors(validateEmbedded(value, path), inner) : inner
  }
}

function validateEmbedded(object: JsonObject, path: string): FieldError[] {
  const under = (field: string): string => (path === '' ? field : `${path}.${field}`)
  return joinErrors(
    requireText(object.apiVersion, under('apiVersion'), text => (text.split('/').length > 2 ? [`unexpected GroupVersion string: ${text}`] : [])),
    requireText(object.kind, under('kind'), text => {
      const problems = checkLabel1035(text.toLowerCase())
      return problems.length === 0 ? [] : [`may have mixed case, but should otherwise match: ${problems.join(',')}`]
    }),
    object.metadata === undefined ? [] : validateMetadata(object.metadata, under('metadata')),
  )
}

function requireText(value: unknown, field: string, check: (text: string) => string[]): FieldError[] {
  if (value === undefined) return [required(field, 'must not be empty')]
  if (typeof value !== 'string') return [invalidValue(field, value, 'must be a string')]
  return value === '' ? [invalidValue(field, value, 'must not be empty')] : check(value).map(problem => invalidValue(field, value, problem))
}

function validateMetadata(value: unknown, field: string): FieldError[] {
  try {
    const metadata = decodeObject('V1ObjectMeta', value).object as Partial<ObjectMeta>
    const found = validateObjectMeta({ ...metadata, name: metadata.name || 'unnamed' }, { namespaced: Boolean(metadata.namespace), nameRule: 'path-segment' })
    return found.map(error => ({ ...error, field: error.field.replace(/^metadata/, field) }))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return [invalidValue(field, value, error.message)]
  }
}
