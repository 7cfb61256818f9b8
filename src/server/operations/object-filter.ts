// Label and field selectors of a request, compiled once.
import { badRequest } from '../../api/api-error.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { parseFieldSelector, parseLabelSelector } from '../../api/selectors.ts'
import type { CachedObject } from '../storage/cached-object.ts'

export interface ObjectFilter {
  readonly matchesAll: boolean
  matches(object: CachedObject): boolean
}

export const everything: ObjectFilter = { matchesAll: true, matches: () => true }

/** @throws ApiError BadRequest for a selector that does not parse or names a field that cannot be selected */
export function compileFilter(
  kind: KindDefinition,
  labelSelector: string | null | undefined,
  fieldSelector: string | null | undefined,
): ObjectFilter {
  if (!labelSelector && !fieldSelector) return everything
  const labels = labelSelector ? parseLabelSelector(labelSelector) : undefined
  const fields = fieldSelector ? compileFields(kind, fieldSelector) : undefined
  return {
    matchesAll: false,
    matches: object =>
      (labels === undefined || labels.matches(object.labels)) && (fields === undefined || fields(object)),
  }
}

function compileFields(kind: KindDefinition, text: string): (object: CachedObject) => boolean {
  const tests = parseFieldSelector(text).map(({ field, operator, value }) => {
    const read = fieldReader(kind, field)
    if (read === undefined) throw badRequest(`field label not supported: ${field}`)
    return (object: CachedObject): boolean => (object.field(field, read) === value) === (operator === '=')
  })
  return object => tests.every(test => test(object))
}

function fieldReader(kind: KindDefinition, field: string): ((object: KubeObject) => string) | undefined {
  if (field === 'metadata.name') return object => object.metadata.name
  if (field === 'metadata.namespace' && kind.resource.scope === 'Namespaced')
    return object => object.metadata.namespace ?? ''
  return kind.selectableFields?.[field]
}
