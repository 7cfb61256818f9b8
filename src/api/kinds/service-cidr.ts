// ServiceCIDR: ranges from which services get their addresses.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, required } from '../field-error.ts'
import type { ServiceCIDR } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { serviceCidrs } from '../resources.ts'
import { each, sameJson } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'
import { validateCidr } from './network-policy.ts'
import { keepStatus, statusOnly } from './strategy.ts'

export const serviceCidrKind = defineKind({
  resource: serviceCidrs,
  model: 'V1ServiceCIDR',
  singular: 'servicecidr',
  generation: true,
  defaults(draft) {
    draft.spec ??= {}
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate,
  validateUpdate: ({ spec }, { spec: old }) =>
    sameJson(spec?.cidrs, old?.cidrs) ? [] : [invalidValue('spec.cidrs', spec?.cidrs, 'field is immutable')],
  columns: columns('Name', 'CIDRs', 'Age'),
  row: (range, nowMs) => [range.metadata.name, (range.spec?.cidrs ?? []).join(','), age(range, nowMs)],
})

function validate({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? []
  if (cidrs.length === 0) return [required('spec.cidrs', 'at least one CIDR required')]
  if (cidrs.length > 2) return [invalidValue('spec', spec, 'may only hold up to 2 values')]
  const families = cidrs.map(cidr => cidr.includes(':'))
  return joinErrors(
    cidrs.length === 2 && families[0] === families[1]
      ? [
          invalidValue(
            'spec',
            spec,
            'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
          ),
        ]
      : [],
    each(cidrs, 'spec.cidrs', validateCidr),
  )
}
