// Kinds whose deletion answers with the object that was there, not with a Status.
// Source: `ReturnDeletedObject` of the registries; the answers of the delete operations in the OpenAPI document.
import type { Resource } from './resource.ts'

const core = new Set([
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'podtemplates',
  'resourcequotas',
  'serviceaccounts',
  'services',
])

export function returnsDeletedObject({ group, plural }: Resource): boolean {
  switch (group) {
    case '':
      return core.has(plural)
    case 'resource.k8s.io':
      return true
    case 'storage.k8s.io':
      return plural !== 'csistoragecapacities'
    default:
      return false
  }
}
