// ResourceClaimTemplate: the claim that every pod of a workload gets for itself.
import { defineKind } from '../kind.ts'
import { resourceClaimTemplates } from '../resources.ts'
import { defaultClaimSpec, validateClaim } from '../validation/device-claims.ts'
import { validateImmutable } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

export const resourceClaimTemplateKind = defineKind({
  resource: resourceClaimTemplates,
  model: 'V1ResourceClaimTemplate',
  singular: 'resourceclaimtemplate',
  defaults(draft) {
    draft.spec ??= { spec: {} }
    draft.spec.metadata ??= {}
    draft.spec.spec ??= {}
    draft.spec.spec.devices ??= {}
    defaultClaimSpec(draft.spec.spec)
  },
  validate: ({ spec }) => validateClaim(spec.spec.devices, 'spec.spec.devices'),
  validateUpdate: (template, old) => validateImmutable(template.spec, old.spec, 'spec'),
  columns: columns('Name', 'Age'),
  row: (template, nowMs) => [template.metadata.name, age(template, nowMs)],
})
