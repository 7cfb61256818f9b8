// Lists that are sets or maps hold each item once. A schema without such lists costs nothing.
import { sortedKeys } from '../../lib/sorted-keys.ts'
import type { FieldError } from '../field-error.ts'
import { duplicate, joinErrors } from '../field-error.ts'
import { isObject } from '../patch/json-value.ts'
import { additionalOf, itemsOf, propertiesOf, type Schema } from './schema.ts'

export type ListCheck = (value: unknown, path: string) => FieldError[]

/** undefined: there is nothing to check. */
export function compileListTypes(schema: Schema): ListCheck | undefined {
  const own = ownCheck(schema)
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const item = items && compileListTypes(items)
  const other = additional && compileListTypes(additional)
  const properties = new Map(
    propertiesOf(schema).flatMap(([name, property]) => {
      const check = compileListTypes(property)
      return check === undefined ? [] : [[name, check] as const]
    }),
  )
  if (own === undefined && item === undefined && other === undefined && properties.size === 0) return undefined
  return (value, path) => {
    if (Array.isArray(value))
      return joinErrors(
        own?.(value, path) ?? [],
        item === undefined ? [] : value.flatMap((one, index) => item(one, `${path}[${index}]`)),
      )
    if (!isObject(value)) return []
    return Object.keys(value).flatMap(
      name => (properties.get(name) ?? other)?.(value[name], path === '' ? name : `${path}.${name}`) ?? [],
    )
  }
}

function ownCheck(schema: Schema): ((list: readonly unknown[], path: string) => FieldError[]) | undefined {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  switch (schema['x-kubernetes-list-type']) {
    case 'set':
      return (list, path) => duplicatesOf(list, path)
    case 'map':
      return (list, path) =>
        duplicatesOf(
          list.map(item =>
            isObject(item)
              ? Object.fromEntries(keys.filter(key => item[key] !== undefined).map(key => [key, item[key]]))
              : item,
          ),
          path,
        )
    default:
      return undefined
  }
}

/** Each value that occurs again is reported once. */
function duplicatesOf(list: readonly unknown[], path: string): FieldError[] {
  const seen = new Map<string, number>()
  return list.flatMap((item, index) => {
    const text = JSON.stringify(sortedKeys(item))
    const times = (seen.get(text) ?? 0) + 1
    seen.set(text, times)
    return times === 2 ? [duplicate(`${path}[${index}]`, item)] : []
  })
}
