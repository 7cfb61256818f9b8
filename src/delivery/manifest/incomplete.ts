// What is missing in a value that was put together from several places: each of them may be fine by itself.
import { alternatives } from './checked-nodes.ts'
import { isRecord, type FieldType, type Mistake, type Path } from './field.ts'
import { isShortForm } from './overlay.ts'

export function missingIn(value: unknown, type: FieldType, path: Path = []): Mistake[] {
  if (!isRecord(value)) return []
  if (type.type === 'map')
    return Object.entries(value).flatMap(([name, inside]) => missingIn(inside, type.values, [...path, name]))
  if (type.type !== 'object' || isShortForm(value, type)) return []
  const mistake = alternatives(type.oneOf, name => Object.hasOwn(value, name), false)
  return [
    ...(mistake === undefined ? [] : [{ path, message: mistake }]),
    ...Object.entries(type.fields).flatMap(([name, field]): Mistake[] => {
      if (Object.hasOwn(value, name)) return missingIn(value[name], field.is, [...path, name])
      return field.required ? [{ path, message: `the field "${name}" is missing: ${field.about}` }] : []
    }),
  ]
}
