// PersistentVolumeClaim: storage that is asked for and, once bound, lasts.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../generated/models.ts'
import { defineKind, type Cell } from '../kind.ts'
import { canonicalizeResourceList, compareQuantities } from '../quantity.ts'
import { persistentVolumeClaims } from '../resources.ts'
import { checkSubdomain } from '../validation/formats.ts'
import { validateLabelSelector } from '../validation/label-selector.ts'
import { formatAccessModes, validateAccessModes, validateVolumeMode } from '../validation/persistent-volumes.ts'
import { collect, sameJson } from '../validation/scalars.ts'
import { age, columns, unknown } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

const finalizer = 'kubernetes.io/pvc-protection'

export const persistentVolumeClaimKind = defineKind({
  resource: persistentVolumeClaims,
  model: 'V1PersistentVolumeClaim',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  defaults: defaultClaim,
  prepareForCreate(draft) {
    draft.status = { phase: 'Pending' }
    if (!draft.metadata.finalizers?.includes(finalizer))
      draft.metadata.finalizers = [...(draft.metadata.finalizers ?? []), finalizer]
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate: ({ spec }) => validateClaimSpec(spec, 'spec'),
  validateUpdate,
  columns: columns(
    'Name',
    'Status',
    'Volume',
    'Capacity',
    'Access Modes',
    'StorageClass',
    'VolumeAttributesClass',
    'Age',
    'VolumeMode*',
  ),
  row,
})

/** Also for the templates in StatefulSets. */
export function defaultClaim(claim: PersistentVolumeClaim): void {
  claim.metadata ??= {} as PersistentVolumeClaim['metadata']
  claim.spec ??= {}
  claim.spec.resources ??= {}
  claim.spec.volumeMode ||= 'Filesystem'
  canonicalizeResourceList(claim.spec.resources.requests)
  canonicalizeResourceList(claim.spec.resources.limits)
  if (claim.spec.dataSource !== undefined) claim.spec.dataSourceRef ??= { ...claim.spec.dataSource }
  claim.status ??= {}
  claim.status.phase ||= 'Pending'
}

export function validateClaimSpec(spec: PersistentVolumeClaimSpec, field: string): FieldError[] {
  const storage = spec.resources?.requests?.storage
  return joinErrors(
    validateAccessModes(spec.accessModes, `${field}.accessModes`),
    validateLabelSelector(spec.selector, `${field}.selector`),
    storage === undefined
      ? [required(`${field}.resources[storage]`)]
      : compareQuantities(storage, '0') <= 0
        ? [invalidValue(`${field}.resources[storage]`, storage, 'must be greater than zero')]
        : [],
    spec.storageClassName ? collect(checkSubdomain, `${field}.storageClassName`, spec.storageClassName) : [],
    validateVolumeMode(spec.volumeMode, `${field}.volumeMode`),
  )
}

/** Only the size of a bound claim grows, and only once a class or a volume is set. */
function validateUpdate({ spec }: PersistentVolumeClaim, { spec: old, status }: PersistentVolumeClaim): FieldError[] {
  const bound = status?.phase === 'Bound'
  const [size, oldSize] = [spec.resources?.requests?.storage, old.resources?.requests?.storage]
  const allowed: PersistentVolumeClaimSpec = {
    ...old,
    volumeName: old.volumeName ?? spec.volumeName,
    storageClassName: old.storageClassName ?? spec.storageClassName,
    volumeAttributesClassName: spec.volumeAttributesClassName,
    ...(bound && { resources: { ...old.resources, requests: { ...old.resources?.requests, storage: size ?? '' } } }),
  }
  const shrunk = bound && compareQuantities(size, oldSize) < 0
  return joinErrors(
    sameJson(spec, allowed)
      ? []
      : [
          forbiddenField(
            'spec',
            'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
          ),
        ],
    shrunk && compareQuantities(size, status?.capacity?.storage) <= 0
      ? [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')]
      : [],
  )
}

function row(claim: PersistentVolumeClaim, nowMs: number): Cell[] {
  const { spec, status, metadata } = claim
  const bound = (spec.volumeName ?? '') !== ''
  const phase = metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating'
  return [
    metadata.name,
    phase,
    spec.volumeName ?? '',
    bound ? (status?.capacity?.storage ?? '') : '',
    bound ? formatAccessModes(status?.accessModes) : '',
    spec.storageClassName ?? metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? '',
    spec.volumeAttributesClassName ?? '<unset>',
    age(claim, nowMs),
    spec.volumeMode ?? unknown,
  ]
}
