// Label and field selectors of a request, compiled once.
import { badRequest } from '../../api/api-error.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { parseFieldSelector, parseLabelSelector } from '../../api/selectors.ts'

export interface ObjectFilter {
  readonly matchesAll: boolean
  matches(object: KubeObject): boolean
}

export const everything: ObjectFilter = { matchesAll: true, matches: () => true }

/** @throws ApiError BadRequest for a selector that does not parse or names a field that cannot be selected */
export function compileFilter(kind: KindDefinition, labelSelector: string | null | undefined, fieldSelector: string | null | undefined): ObjectFilter {
  if (!labelSelector && !fieldSelector) return everything
  const labels = labelSelector ? parseLabelSelector(labelSelector) : undefined
  const fields = fieldSelector ? compileFields(kind, fieldSelector) : undefined
  return {
    matchesAll: false,
    matches: object => (labels === undefined || labels.matches(object.metadata.labels ?? {})) && (fields === undefined || fields(object)),
  }
}

function compileFields(kind: KindDefinition, text: string): (object: KubeObject) => boolean {
  const requirements = parseFieldSelector(text)
  const namespaced = kind.resource.scope === 'Namespaced'
  const known = new Set(['metadata.name', ...(namespaced ? ['metadata.namespace'] : []), ...Object.keys(kind.selectableFields?.(emptyObject(kind)) ?? {})])
  for (const { field } of requirements) {
    if (!known.has(field)) throw badRequest(`Unable to find "${apiVersionOf(kind.resource)}, Resource=${kind.resource.plural}" that match label selector "", field selector "${text}": field label not supported: ${field}`)
  }
  const custom = requirements.some(({ field }) => field !== 'metadata.name' && field !== 'metadata.namespace')
  return object => {
    const values: Record<string, string> = { ...(custom && kind.selectableFields?.(object)), 'metadata.name': object.metadata.name, 'metadata.namespace': object.metadata.namespace ?? '' }
    return requirements.every(({ field, operator, value }) => ((values[field] ?? '') === value) === (operator === '='))
  }
}

/** Selectable fields are found by asking the kind about an object that has none of them. */
function emptyObject(kind: KindDefinition): KubeObject {
  return { apiVersion: apiVersionOf(kind.resource), kind: kind.resource.kind, metadata: { name: '', uid: '', resourceVersion: '', creationTimestamp: '' }, spec: {}, status: {} } as KubeObject
}
