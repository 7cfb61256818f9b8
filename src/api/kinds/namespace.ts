// Namespace: lives until the namespace controller has emptied it and taken its finalizer `kubernetes`
// away through the `finalize` subresource.
import type { Namespace } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { namespaces } from '../resources.ts'
import { validateImmutable } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

export const namespaceKind = defineKind({
  resource: namespaces,
  model: 'V1Namespace',
  singular: 'namespace',
  shortNames: ['ns'],
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  nameRule: 'label',
  connects: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  defaults(draft) {
    draft.spec ??= {}
    labelWithName(draft)
    draft.status ??= {}
    draft.status.phase ||= 'Active'
  },
  prepareForCreate(draft) {
    labelWithName(draft)
    draft.status = { phase: 'Active' }
    if (!draft.spec.finalizers?.includes('kubernetes'))
      draft.spec.finalizers = [...(draft.spec.finalizers ?? []), 'kubernetes']
  },
  prepareForUpdate(draft, old) {
    draft.spec.finalizers = old.spec.finalizers
    keepStatus(draft, old)
  },
  subresources: {
    ...statusOnly(),
    finalize: {
      prepare(draft, old) {
        keepStatus(draft, old)
        draft.metadata = { ...old.metadata, resourceVersion: draft.metadata.resourceVersion }
      },
    },
  },
  validateUpdate: (namespace, old) => validateImmutable(namespace.metadata.name, old.metadata.name, 'metadata.name'),
  columns: columns('Name', 'Status', 'Age'),
  row: (namespace, nowMs) => [namespace.metadata.name, namespace.status?.phase ?? '', age(namespace, nowMs)],
  selectableFields: {
    'status.phase': namespace => namespace.status?.phase ?? '',
  },
})

function labelWithName({ metadata }: Namespace): void {
  if (metadata.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
}
