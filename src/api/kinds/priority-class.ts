// PriorityClass: how important a pod is, as a name.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, joinErrors, notSupported } from '../field-error.ts'
import type { PriorityClass } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { priorityClasses } from '../resources.ts'
import { age, columns } from './cells.ts'

const highestUserPriority = 1_000_000_000
/** The classes every cluster has, with their values. */
export const systemPriorities: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

export const priorityClassKind = defineKind({
  resource: priorityClasses,
  model: 'V1PriorityClass',
  singular: 'priorityclass',
  shortNames: ['pc'],
  generation: true,
  defaults(draft) {
    draft.value ??= 0
    draft.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate,
  validateUpdate: (one, old) =>
    joinErrors(
      one.value === old.value ? [] : [forbiddenField('value', 'may not be changed in an update.')],
      one.preemptionPolicy === old.preemptionPolicy
        ? []
        : [forbiddenField('preemptionPolicy', 'may not be changed in an update.')],
    ),
  columns: columns('Name', 'Value:integer', 'Global-Default:boolean', 'Age', 'PreemptionPolicy'),
  row: (one, nowMs) => [
    one.metadata.name,
    one.value ?? 0,
    one.globalDefault ?? false,
    age(one, nowMs),
    one.preemptionPolicy ?? '',
  ],
})

function validate({ metadata, value = 0, preemptionPolicy }: PriorityClass): FieldError[] {
  const name = metadata.name ?? ''
  const known = systemPriorities[name]
  return joinErrors(
    name.startsWith('system-') && known !== value
      ? [
          forbiddenField(
            'metadata.name',
            `priority class names with 'system-' prefix are reserved for system use only. error: ${known === undefined ? `${name} is not a known system priority class` : `value of ${name} PriorityClass must be ${known}`}`,
          ),
        ]
      : known === undefined && value > highestUserPriority
        ? [forbiddenField('value', `maximum allowed value of a user defined priority is ${highestUserPriority}`)]
        : [],
    preemptionPolicy === undefined || ['Never', 'PreemptLowerPriority'].includes(preemptionPolicy)
      ? []
      : [notSupported('preemptionPolicy', preemptionPolicy, ['Never', 'PreemptLowerPriority'])],
  )
}
