// PriorityLevelConfiguration: how many requests of a level run at once, and what happens to the others.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { LimitedPriorityLevelConfiguration as Limited, PriorityLevelConfiguration } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { priorityLevelConfigurations } from '../resources.ts'
import { partOf, validateNonNegative } from '../validation/scalars.ts'
import { age, columns, none } from './cells.ts'
import { clientMetadata, keepStatus, statusOnly } from './strategy.ts'

export const priorityLevelConfigurationKind = defineKind({
  resource: priorityLevelConfigurations,
  model: 'V1PriorityLevelConfiguration',
  singular: 'prioritylevelconfiguration',
  generation: true,
  defaults(draft) {
    draft.spec ??= {} as PriorityLevelConfiguration['spec']
    const { limited, exempt } = draft.spec
    if (exempt !== undefined) {
      exempt.nominalConcurrencyShares ??= 0
      exempt.lendablePercent ??= 0
    }
    if (limited !== undefined) defaultLimited(limited)
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(undefined, clientMetadata),
  validate,
  columns: columns('Name', 'Type', 'NominalConcurrencyShares', 'Queues', 'HandSize', 'QueueLengthLimit', 'Age'),
  row(level, nowMs) {
    const { type = '', limited } = partOf(level.spec)
    const queuing = limited?.limitResponse?.queuing
    const cells = [
      limited?.nominalConcurrencyShares,
      queuing?.queues,
      queuing?.handSize,
      queuing?.queueLengthLimit,
    ].map(value => (value === undefined ? none : `${value}`))
    return [level.metadata.name, type, ...cells, age(level, nowMs)]
  },
})

function defaultLimited(limited: Limited): void {
  limited.nominalConcurrencyShares ??= 30
  limited.lendablePercent ??= 0
  limited.limitResponse ??= { type: '' }
  const { queuing } = limited.limitResponse
  if (queuing === undefined) return
  queuing.handSize ??= 8
  queuing.queues ??= 64
  queuing.queueLengthLimit ??= 50
}

function validate({ spec }: PriorityLevelConfiguration): FieldError[] {
  const { type = '', limited, exempt } = partOf(spec)
  if (type === 'Exempt')
    return limited === undefined ? [] : [forbiddenField('spec.limited', 'must be nil if the type is not Limited')]
  if (type !== 'Limited') return [notSupported('spec.type', type, ['Exempt', 'Limited'])]
  return joinErrors(
    exempt === undefined ? [] : [forbiddenField('spec.exempt', 'must be nil if the type is Limited')],
    limited === undefined
      ? [required('spec.limited', 'must not be empty when type is Limited')]
      : validateLimited(limited, 'spec.limited'),
  )
}

function validateLimited(limited: Limited, field: string): FieldError[] {
  const { lendablePercent = 0, borrowingLimitPercent, limitResponse } = limited
  const { type = '', queuing } = limitResponse ?? {}
  return joinErrors(
    validateNonNegative(limited.nominalConcurrencyShares, `${field}.nominalConcurrencyShares`),
    lendablePercent < 0 || lendablePercent > 100
      ? [invalidValue(`${field}.lendablePercent`, lendablePercent, 'must be between 0 and 100, inclusive')]
      : [],
    validateNonNegative(borrowingLimitPercent, `${field}.borrowingLimitPercent`),
    ['Queue', 'Reject'].includes(type) ? [] : [notSupported(`${field}.limitResponse.type`, type, ['Queue', 'Reject'])],
    type === 'Queue' && queuing === undefined
      ? [required(`${field}.limitResponse.queuing`, 'must not be empty if limit type is Queue')]
      : [],
    type === 'Reject' && queuing !== undefined
      ? [forbiddenField(`${field}.limitResponse.queuing`, 'must be nil if limit type is not Queue')]
      : [],
  )
}
