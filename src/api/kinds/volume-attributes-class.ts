// VolumeAttributesClass: properties of volumes that can change while they are in use.
import { joinErrors, required } from '../field-error.ts'
import { defineKind } from '../kind.ts'
import { volumeAttributesClasses } from '../resources.ts'
import { checkQualifiedName } from '../validation/formats.ts'
import { requireText, validateImmutable } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

export const volumeAttributesClassKind = defineKind({
  resource: volumeAttributesClasses,
  model: 'V1VolumeAttributesClass',
  singular: 'volumeattributesclass',
  shortNames: ['vac'],
  validate: one =>
    joinErrors(
      requireText(one.driverName, 'driverName', name => checkQualifiedName(name.toLowerCase())),
      Object.keys(one.parameters ?? {}).length === 0
        ? [required('parameters', 'must contain at least one key/value pair')]
        : [],
    ),
  validateUpdate: (one, old) =>
    joinErrors(
      validateImmutable(one.driverName, old.driverName, 'driverName'),
      validateImmutable(one.parameters, old.parameters, 'parameters'),
    ),
  columns: columns('Name', 'DriverName', 'Age'),
  row: (one, nowMs) => [one.metadata.name, one.driverName, age(one, nowMs)],
})
