// ReplicationController: the old form of ReplicaSet, with a plain map as its selector.
import type { FieldError } from '../field-error.ts'
import { required } from '../field-error.ts'
import type { ReplicationController } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { formatLabels } from '../label-selector.ts'
import { replicationControllers } from '../resources.ts'
import { validateReplicaStatus, validateWorkload } from '../validation/workload.ts'
import { age, columns, templateCells } from './cells.ts'
import { defaultPodTemplate } from './pod-defaults.ts'
import { keepStatus, statusOnly } from './strategy.ts'

export const replicationControllerKind = defineKind({
  resource: replicationControllers,
  model: 'V1ReplicationController',
  singular: 'replicationcontroller',
  shortNames: ['rc'],
  categories: ['all'],
  generation: true,
  defaultPropagation: 'Orphan',
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  defaults(draft) {
    draft.spec ??= {}
    draft.spec.replicas ??= 1
    draft.spec.template = draft.spec.template && defaultPodTemplate(draft.spec.template)
    const labels = draft.spec.template?.metadata?.labels ?? {}
    if (Object.keys(draft.spec.selector ?? {}).length === 0) draft.spec.selector = { ...labels }
    if (Object.keys(draft.metadata.labels ?? {}).length === 0 && Object.keys(labels).length > 0)
      draft.metadata.labels = { ...labels }
    draft.status ??= { replicas: 0 }
  },
  prepareForCreate(draft) {
    draft.status = { replicas: 0 }
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly<ReplicationController>(controller => validateReplicaStatus({ ...controller.status })),
  validate,
  validateUpdate: validate,
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
  row: (controller, nowMs) => [
    controller.metadata.name,
    controller.spec.replicas ?? 0,
    controller.status?.replicas ?? 0,
    controller.status?.readyReplicas ?? 0,
    age(controller, nowMs),
    ...templateCells(controller.spec.template),
    formatLabels(controller.spec.selector),
  ],
  selectableFields: {
    'status.replicas': controller => `${controller.status?.replicas ?? 0}`,
  },
})

function validate({ spec }: ReplicationController): FieldError[] {
  if (spec.template === undefined) return [required('spec.template')]
  if (Object.keys(spec.selector ?? {}).length === 0) return [required('spec.selector')]
  return validateWorkload({ ...spec, selector: { matchLabels: spec.selector } }, 'replication controller')
}
