// ReplicaSet: a number of equal pods.
import type { FieldError } from '../field-error.ts'
import { joinErrors } from '../field-error.ts'
import type { ReplicaSet } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { formatSelector } from '../label-selector.ts'
import { replicaSets } from '../resources.ts'
import { validateImmutable } from '../validation/scalars.ts'
import { validateReplicaStatus, validateWorkload } from '../validation/workload.ts'
import { age, columns, templateCells } from './cells.ts'
import { defaultPodTemplate } from './pod-defaults.ts'
import { keepStatus, statusOnly } from './strategy.ts'

export const replicaSetKind = defineKind({
  resource: replicaSets,
  model: 'V1ReplicaSet',
  singular: 'replicaset',
  shortNames: ['rs'],
  categories: ['all'],
  generation: true,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  defaults(draft) {
    draft.spec ??= {} as ReplicaSet['spec']
    draft.spec.replicas ??= 1
    draft.spec.template = defaultPodTemplate(draft.spec.template)
    draft.status ??= { replicas: 0 }
  },
  prepareForCreate(draft) {
    draft.status = { replicas: 0 }
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly<ReplicaSet>(set => validateReplicaStatus({ ...set.status })),
  validate,
  validateUpdate: (set, old) =>
    joinErrors(validate(set), validateImmutable(set.spec.selector, old.spec.selector, 'spec.selector')),
  columns: columns(
    'Name',
    'Desired:integer',
    'Current:integer',
    'Ready:integer',
    'Age',
    'Containers*',
    'Images*',
    'Selector*',
  ),
  row: (set, nowMs) => [
    set.metadata.name,
    set.spec.replicas ?? 0,
    set.status?.replicas ?? 0,
    set.status?.readyReplicas ?? 0,
    age(set, nowMs),
    ...templateCells(set.spec.template),
    formatSelector(set.spec.selector),
  ],
  selectableFields: {
    'status.replicas': set => `${set.status?.replicas ?? 0}`,
  },
})

function validate({ spec }: ReplicaSet): FieldError[] {
  return validateWorkload(spec, 'replicaset')
}
