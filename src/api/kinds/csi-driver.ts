// CSIDriver: what a storage driver can do and wants to know.
import type { FieldError } from '../field-error.ts'
import { joinErrors, notSupported } from '../field-error.ts'
import type { CSIDriver } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { csiDrivers } from '../resources.ts'
import { each } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

export const csiDriverKind = defineKind({
  resource: csiDrivers,
  model: 'V1CSIDriver',
  singular: 'csidriver',
  generation: true,
  defaults(draft) {
    draft.spec ??= {}
    draft.spec.attachRequired ??= true
    draft.spec.podInfoOnMount ??= false
    draft.spec.storageCapacity ??= false
    draft.spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    draft.spec.requiresRepublish ??= false
    draft.spec.seLinuxMount ??= false
    if ((draft.spec.volumeLifecycleModes ?? []).length === 0) draft.spec.volumeLifecycleModes = ['Persistent']
  },
  validate,
  columns: columns(
    'Name',
    'AttachRequired:boolean',
    'PodInfoOnMount:boolean',
    'StorageCapacity:boolean',
    'TokenRequests',
    'RequiresRepublish:boolean',
    'Modes',
    'Age',
  ),
  row: (driver, nowMs) => [
    driver.metadata.name,
    driver.spec.attachRequired ?? true,
    driver.spec.podInfoOnMount ?? false,
    driver.spec.storageCapacity ?? false,
    (driver.spec.tokenRequests ?? []).map(request => request.audience).join(',') || '<unset>',
    driver.spec.requiresRepublish ?? false,
    (driver.spec.volumeLifecycleModes ?? []).join(',') || '<none>',
    age(driver, nowMs),
  ],
})

function validate({ spec }: CSIDriver): FieldError[] {
  const policies = ['File', 'None', 'ReadWriteOnceWithFSType']
  return joinErrors(
    policies.includes(spec.fsGroupPolicy ?? '')
      ? []
      : [notSupported('spec.fsGroupPolicy', spec.fsGroupPolicy ?? '', policies)],
    each(spec.volumeLifecycleModes, 'spec.volumeLifecycleModes', (mode, path) =>
      ['Ephemeral', 'Persistent'].includes(mode) ? [] : [notSupported(path, mode, ['Ephemeral', 'Persistent'])],
    ),
  )
}
