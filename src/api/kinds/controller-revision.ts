// ControllerRevision: an earlier state of a StatefulSet or DaemonSet, to which it can return.
import type { FieldError } from '../field-error.ts'
import { joinErrors, required } from '../field-error.ts'
import type { ControllerRevision } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { controllerRevisions } from '../resources.ts'
import { validateImmutable, validateNonNegative } from '../validation/scalars.ts'
import { age, columns, none } from './cells.ts'

export const controllerRevisionKind = defineKind({
  resource: controllerRevisions,
  model: 'V1ControllerRevision',
  singular: 'controllerrevision',
  defaults(draft) {
    draft.revision ??= 0
  },
  validate,
  validateUpdate: (revision, old) => joinErrors(validate(revision), validateImmutable(revision.data, old.data, 'data')),
  columns: columns('Name', 'Controller', 'Revision', 'Age'),
  row: (revision, nowMs) => [revision.metadata.name, controllerOf(revision), revision.revision, age(revision, nowMs)],
})

function validate({ data, revision }: ControllerRevision): FieldError[] {
  return joinErrors(
    data === undefined || data === null ? [required('data', 'data is mandatory')] : [],
    validateNonNegative(revision, 'revision'),
  )
}

function controllerOf({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find(reference => reference.controller === true)
  if (owner === undefined) return none
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`
}
