// Lease: who leads, and until when.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors } from '../field-error.ts'
import type { Lease } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { leases } from '../resources.ts'
import { validatePositive } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

export const leaseKind = defineKind({
  resource: leases,
  model: 'V1Lease',
  singular: 'lease',
  defaults(draft) {
    draft.spec ??= {}
  },
  validate,
  validateUpdate: validate,
  columns: columns('Name', 'Holder', 'Age'),
  row: (lease, nowMs) => [lease.metadata.name, lease.spec.holderIdentity ?? '', age(lease, nowMs)],
})

function validate({ spec }: Lease): FieldError[] {
  const transitions = spec.leaseTransitions
  return joinErrors(
    validatePositive(spec.leaseDurationSeconds, 'spec.leaseDurationSeconds'),
    transitions !== undefined && transitions < 0
      ? [invalidValue('spec.leaseTransitions', transitions, 'must be greater than or equal to 0')]
      : [],
  )
}
