// What stands in an environment, laid over what it is based on: maps merge key by key at every depth, everything else
// is replaced, null takes away. Pure; neither side is changed.
import { isRecord, type Fields, type FieldType, type Path } from './field.ts'

/**
 * @param type of both
 * @param notThere is told of each null that has nothing to take away, with what there is in its place
 */
export function overlay(
  below: unknown,
  above: unknown,
  type: FieldType | undefined,
  notThere: (path: Path, known: readonly string[]) => void,
  path: Path = [],
): unknown {
  if (!isRecord(above)) return above
  const kept = isRecord(below) ? remaining(below, above, type) : {}
  const result = new Map(Object.entries(kept))
  for (const [name, value] of Object.entries(above)) {
    const here = [...path, name]
    if (value !== null) result.set(name, overlay(result.get(name), value, typeOf(type, name), notThere, here))
    else if (!result.delete(name) && !Object.hasOwn(isRecord(below) ? below : {}, name))
      notThere(here, isRecord(below) ? Object.keys(below) : [])
  }
  return Object.fromEntries(result)
}

/** What of the lower one makes sense beside the upper one. */
function remaining(
  below: Readonly<Record<string, unknown>>,
  above: Readonly<Record<string, unknown>>,
  type: FieldType | undefined,
): Readonly<Record<string, unknown>> {
  if (type?.type !== 'object') return below
  const { distinguishedBy, oneOf } = type
  if (isShortForm(below, type) !== isShortForm(above, type)) return {}
  const chosen = distinguishedBy === undefined ? undefined : above[distinguishedBy]
  if (chosen !== undefined && chosen !== below[distinguishedBy!]) return {}
  const others = oneOf?.names ?? []
  if (!others.some(name => Object.hasOwn(above, name) && above[name] !== null)) return below
  return Object.fromEntries(Object.entries(below).filter(([name]) => !others.includes(name)))
}

/** Whether it is a value in place of fields, as a variable may be. */
export const isShortForm = (value: Readonly<Record<string, unknown>>, { short, fields }: Fields): boolean =>
  short !== undefined && !Object.hasOwn(fields, short.as) && Object.hasOwn(value, short.as)

function typeOf(type: FieldType | undefined, name: string): FieldType | undefined {
  if (type?.type === 'map') return type.values
  return type?.type === 'object' ? type.fields[name]?.is : undefined
}
