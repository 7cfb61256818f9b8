// StorageClass: who makes volumes for claims, and how.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, joinErrors, notSupported } from '../field-error.ts'
import type { StorageClass } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { storageClasses } from '../resources.ts'
import { checkQualifiedName } from '../validation/formats.ts'
import { requireText, sameJson, validateImmutable } from '../validation/scalars.ts'
import { age, columns, unknown } from './cells.ts'

const defaultMarks = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

export const isDefaultStorageClass = ({ metadata }: StorageClass): boolean =>
  defaultMarks.some(mark => metadata.annotations?.[mark] === 'true')

export const storageClassKind = defineKind({
  resource: storageClasses,
  model: 'V1StorageClass',
  singular: 'storageclass',
  shortNames: ['sc'],
  defaults(draft) {
    draft.reclaimPolicy ??= 'Delete'
    draft.volumeBindingMode ??= 'Immediate'
  },
  validate,
  validateUpdate: (one, old) =>
    joinErrors(
      sameJson(one.parameters ?? {}, old.parameters ?? {})
        ? []
        : [forbiddenField('parameters', 'updates to parameters are forbidden.')],
      one.provisioner === old.provisioner
        ? []
        : [forbiddenField('provisioner', 'updates to provisioner are forbidden.')],
      one.reclaimPolicy === old.reclaimPolicy
        ? []
        : [forbiddenField('reclaimPolicy', 'updates to reclaimPolicy are forbidden.')],
      validateImmutable(one.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode'),
    ),
  columns: columns('Name', 'Provisioner', 'ReclaimPolicy', 'VolumeBindingMode', 'AllowVolumeExpansion', 'Age'),
  row: (one, nowMs) => [
    `${one.metadata.name}${isDefaultStorageClass(one) ? ' (default)' : ''}`,
    one.provisioner,
    one.reclaimPolicy ?? 'Delete',
    one.volumeBindingMode ?? unknown,
    one.allowVolumeExpansion ?? false,
    age(one, nowMs),
  ],
})

function validate({ provisioner, reclaimPolicy = '', volumeBindingMode = '' }: StorageClass): FieldError[] {
  return joinErrors(
    requireText(provisioner, 'provisioner', name => checkQualifiedName(name.toLowerCase())),
    ['Delete', 'Retain'].includes(reclaimPolicy)
      ? []
      : [notSupported('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain'])],
    ['Immediate', 'WaitForFirstConsumer'].includes(volumeBindingMode)
      ? []
      : [notSupported('volumeBindingMode', volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'])],
  )
}
