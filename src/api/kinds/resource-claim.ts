// ResourceClaim: devices that a pod needs.
import { defineKind } from '../kind.ts'
import type { ResourceResourceClaim } from '../generated/models.ts'
import { resourceClaims } from '../resources.ts'
import { defaultClaimSpec, validateClaim } from '../validation/device-claims.ts'
import { validateImmutable } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'
import { clientMetadata, keepStatus, statusOnly } from './strategy.ts'

export const resourceClaimKind = defineKind({
  resource: resourceClaims,
  model: 'ResourceV1ResourceClaim',
  singular: 'resourceclaim',
  defaults(draft) {
    draft.spec ??= {}
    draft.spec.devices ??= {}
    defaultClaimSpec(draft.spec)
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(undefined, clientMetadata),
  validate: ({ spec }) => validateClaim(spec.devices, 'spec.devices'),
  validateUpdate: (claim, old) => validateImmutable(claim.spec, old.spec, 'spec'),
  columns: columns('Name', 'State', 'Age'),
  row: (claim, nowMs) => [claim.metadata.name, stateOf(claim), age(claim, nowMs)],
})

function stateOf({ metadata, status }: ResourceResourceClaim): string {
  const states = [
    metadata.deletionTimestamp === undefined ? '' : 'deleted',
    status?.allocation === undefined ? (metadata.deletionTimestamp === undefined ? 'pending' : '') : 'allocated',
    (status?.reservedFor ?? []).length > 0 ? 'reserved' : '',
  ]
  return states.filter(state => state !== '').join(',')
}
