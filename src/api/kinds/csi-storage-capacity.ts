// CSIStorageCapacity: how much a driver has left in a part of the cluster.
import { defineKind } from '../kind.ts'
import { joinErrors } from '../field-error.ts'
import { canonicalQuantity } from '../quantity.ts'
import { csiStorageCapacities } from '../resources.ts'
import { checkSubdomain } from '../validation/formats.ts'
import { validateLabelSelector } from '../validation/label-selector.ts'
import { validateNonNegativeQuantity } from '../validation/resources.ts'
import { requireText, validateImmutable } from '../validation/scalars.ts'
import { columns } from './cells.ts'

export const csiStorageCapacityKind = defineKind({
  resource: csiStorageCapacities,
  model: 'V1CSIStorageCapacity',
  singular: 'csistoragecapacity',
  defaults(draft) {
    if (draft.capacity !== undefined) draft.capacity = canonicalQuantity(draft.capacity)
    if (draft.maximumVolumeSize !== undefined) draft.maximumVolumeSize = canonicalQuantity(draft.maximumVolumeSize)
  },
  validate: one =>
    joinErrors(
      validateLabelSelector(one.nodeTopology, 'nodeTopology'),
      requireText(one.storageClassName, 'storageClassName', checkSubdomain),
      validateNonNegativeQuantity(one.capacity ?? '0', 'capacity'),
      validateNonNegativeQuantity(one.maximumVolumeSize ?? '0', 'maximumVolumeSize'),
    ),
  validateUpdate: (one, old) =>
    joinErrors(
      validateImmutable(one.nodeTopology, old.nodeTopology, 'nodeTopology'),
      validateImmutable(one.storageClassName, old.storageClassName, 'storageClassName'),
    ),
  columns: columns('Name', 'Created At:date'),
  row: one => [one.metadata.name, one.metadata.creationTimestamp],
})
