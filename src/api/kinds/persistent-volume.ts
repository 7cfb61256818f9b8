// PersistentVolume: storage that exists, for one claim at a time.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { PersistentVolume, PersistentVolumeSpec } from '../generated/models.ts'
import { defineKind, type Cell } from '../kind.ts'
import { canonicalizeResourceList, compareQuantities } from '../quantity.ts'
import { persistentVolumes } from '../resources.ts'
import { checkSubdomain } from '../validation/formats.ts'
import { formatAccessModes, validateAccessModes, validateVolumeMode } from '../validation/persistent-volumes.ts'
import { collect, requireText, sameJson } from '../validation/scalars.ts'
import { age, columns, unknown } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

const finalizer = 'kubernetes.io/pv-protection'
const policies = ['Delete', 'Recycle', 'Retain']
const sources = [
  'hostPath',
  'local',
  'nfs',
  'csi',
  'iscsi',
  'fc',
  'cephfs',
  'rbd',
  'glusterfs',
  'cinder',
  'awsElasticBlockStore',
  'gcePersistentDisk',
  'azureDisk',
  'azureFile',
  'flexVolume',
  'flocker',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'scaleIO',
  'storageos',
  'vsphereVolume',
] as const satisfies readonly (keyof PersistentVolumeSpec)[]

export const persistentVolumeKind = defineKind({
  resource: persistentVolumes,
  model: 'V1PersistentVolume',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  defaults(draft) {
    draft.spec ??= {}
    draft.spec.persistentVolumeReclaimPolicy ||= 'Retain'
    draft.spec.volumeMode ||= 'Filesystem'
    canonicalizeResourceList(draft.spec.capacity)
    if (draft.spec.hostPath) draft.spec.hostPath.type ??= ''
    draft.status ??= {}
    draft.status.phase ||= 'Pending'
  },
  prepareForCreate(draft) {
    draft.status = { phase: 'Pending' }
    if (!draft.metadata.finalizers?.includes(finalizer))
      draft.metadata.finalizers = [...(draft.metadata.finalizers ?? []), finalizer]
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate,
  validateUpdate: ({ spec }, { spec: old }) =>
    sources.every(source => sameJson(spec![source], old![source]))
      ? []
      : [forbiddenField('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation')],
  columns: columns(
    'Name',
    'Capacity',
    'Access Modes',
    'Reclaim Policy',
    'Status',
    'Claim',
    'StorageClass',
    'VolumeAttributesClass',
    'Reason',
    'Age',
    'VolumeMode*',
  ),
  row,
})

function validate({ spec }: PersistentVolume): FieldError[] {
  const present = sources.filter(source => spec[source] !== undefined)
  const field = 'spec'
  return joinErrors(
    validateAccessModes(spec.accessModes, `${field}.accessModes`),
    validateCapacity(spec.capacity),
    policies.includes(spec.persistentVolumeReclaimPolicy ?? '')
      ? []
      : [notSupported(`${field}.persistentVolumeReclaimPolicy`, spec.persistentVolumeReclaimPolicy ?? '', policies)],
    present.length === 0
      ? [required(field, 'must specify a volume type')]
      : present.slice(1).map(source => forbiddenField(`${field}.${source}`, 'may not specify more than 1 volume type')),
    spec.local !== undefined && spec.nodeAffinity?.required === undefined
      ? [required(`${field}.nodeAffinity`, 'Local volume requires node affinity')]
      : [],
    spec.hostPath === undefined ? [] : requireText(spec.hostPath.path, `${field}.hostPath.path`),
    spec.hostPath?.path === '/' && spec.persistentVolumeReclaimPolicy === 'Recycle'
      ? [forbiddenField(`${field}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'")]
      : [],
    spec.storageClassName ? collect(checkSubdomain, `${field}.storageClassName`, spec.storageClassName) : [],
    validateVolumeMode(spec.volumeMode, `${field}.volumeMode`),
  )
}

function validateCapacity(capacity: Record<string, string> | undefined): FieldError[] {
  if (capacity === undefined || Object.keys(capacity).length === 0) return [required('spec.capacity')]
  if (capacity.storage === undefined || Object.keys(capacity).length > 1)
    return [notSupported('spec.capacity', capacity, ['storage'])]
  return compareQuantities(capacity.storage, '0') > 0
    ? []
    : [invalidValue('spec.capacity[storage]', capacity.storage, 'must be greater than zero')]
}

function row(volume: PersistentVolume, nowMs: number): Cell[] {
  const { spec, status, metadata } = volume
  const claim = spec.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`
  const phase = metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating'
  return [
    metadata.name,
    spec.capacity?.storage ?? '',
    formatAccessModes(spec.accessModes),
    spec.persistentVolumeReclaimPolicy ?? '',
    phase,
    claim,
    spec.storageClassName ?? '',
    spec.volumeAttributesClassName ?? '<unset>',
    status?.reason ?? '',
    age(volume, nowMs),
    spec.volumeMode ?? unknown,
  ]
}
