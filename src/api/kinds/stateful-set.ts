// StatefulSet: pods with lasting names and volumes of their own.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type { PodTemplateSpec, StatefulSet, StatefulSetSpec } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { statefulSets } from '../resources.ts'
import { sameJson, validateNonNegative } from '../validation/scalars.ts'
import { validateReplicaStatus, validateWorkload } from '../validation/workload.ts'
import { age, columns, templateCells } from './cells.ts'
import { defaultClaim } from './persistent-volume-claim.ts'
import { defaultPodTemplate } from './pod-defaults.ts'
import { keepStatus, statusOnly } from './strategy.ts'

export const statefulSetKind = defineKind({
  resource: statefulSets,
  model: 'V1StatefulSet',
  singular: 'statefulset',
  shortNames: ['sts'],
  categories: ['all'],
  generation: true,
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  defaults(draft) {
    draft.spec ??= {} as StatefulSetSpec
    defaultSpec(draft.spec)
    draft.status ??= { replicas: 0 }
    draft.status.replicas ??= 0
    draft.status.availableReplicas ??= 0
  },
  prepareForCreate(draft) {
    draft.status = { replicas: 0, availableReplicas: 0 }
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly<StatefulSet>(set => validateReplicaStatus({ ...set.status })),
  validate,
  validateUpdate: (set, old) => joinErrors(validate(set), validateKept(set.spec, old.spec)),
  columns: columns('Name', 'Ready', 'Age', 'Containers*', 'Images*'),
  row: (set, nowMs) => [
    set.metadata.name,
    `${set.status?.readyReplicas ?? 0}/${set.spec.replicas ?? 0}`,
    age(set, nowMs),
    ...templateCells(set.spec.template),
  ],
})

function defaultSpec(spec: StatefulSetSpec): void {
  spec.replicas ??= 1
  spec.podManagementPolicy ||= 'OrderedReady'
  spec.updateStrategy ??= {}
  spec.updateStrategy.type ||= 'RollingUpdate'
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {}
    spec.updateStrategy.rollingUpdate.partition ??= 0
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {}
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
  spec.revisionHistoryLimit ??= 10
  spec.template = defaultPodTemplate(spec.template)
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.kind = 'PersistentVolumeClaim'
    claim.apiVersion = 'v1'
    defaultClaim(claim)
  }
}

function validate({ spec }: StatefulSet): FieldError[] {
  return joinErrors(
    validatePodManagement(spec.podManagementPolicy),
    validateStrategy(spec),
    validateRetention(spec),
    validateNonNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    validateNonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    validateWorkload({ ...spec, template: withClaims(spec) }, 'statefulset'),
  )
}

/** As its pods have it: what claims are made for can be mounted like other volumes. */
function withClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  const volumes = template?.spec?.volumes ?? []
  const names = new Set(volumes.map(({ name }) => name))
  const claims = volumeClaimTemplates.flatMap(({ metadata }) =>
    metadata.name === undefined || names.has(metadata.name)
      ? []
      : [{ name: metadata.name, persistentVolumeClaim: { claimName: metadata.name } }],
  )
  return claims.length === 0 || template.spec === undefined
    ? template
    : { ...template, spec: { ...template.spec, volumes: [...volumes, ...claims] } }
}

function validatePodManagement(policy: string | undefined): FieldError[] {
  const field = 'spec.podManagementPolicy'
  if (policy === undefined || policy === '') return [required(field)]
  return policy === 'OrderedReady' || policy === 'Parallel'
    ? []
    : [invalidValue(field, policy, "must be 'OrderedReady' or 'Parallel'")]
}

function validateStrategy({ updateStrategy = {} }: StatefulSetSpec): FieldError[] {
  const field = 'spec.updateStrategy'
  const { type, rollingUpdate } = updateStrategy
  if (type === undefined || type === '') return [required(field)]
  if (type === 'OnDelete')
    return rollingUpdate === undefined
      ? []
      : [invalidValue(`${field}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")]
  if (type !== 'RollingUpdate') return [invalidValue(field, updateStrategy, "must be 'RollingUpdate' or 'OnDelete'")]
  return validateNonNegative(rollingUpdate?.partition, `${field}.rollingUpdate.partition`)
}

function validateRetention({ persistentVolumeClaimRetentionPolicy: policy = {} }: StatefulSetSpec): FieldError[] {
  return (['whenDeleted', 'whenScaled'] as const).flatMap(when => {
    const value = policy[when]
    return value === 'Retain' || value === 'Delete'
      ? []
      : [invalidValue(`spec.persistentVolumeClaimRetentionPolicy.${when}`, value ?? '', 'must be Retain or Delete')]
  })
}

function validateKept(spec: StatefulSetSpec, old: StatefulSetSpec): FieldError[] {
  const {
    replicas,
    ordinals,
    template,
    updateStrategy,
    revisionHistoryLimit,
    persistentVolumeClaimRetentionPolicy,
    minReadySeconds,
  } = spec
  const allowed = {
    ...old,
    replicas,
    ordinals,
    template,
    updateStrategy,
    revisionHistoryLimit,
    persistentVolumeClaimRetentionPolicy,
    minReadySeconds,
  }
  if (sameJson(spec, allowed)) return []
  return [
    forbiddenField(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ),
  ]
}
