// PodDisruptionBudget: how many pods of an application may be away on purpose.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported } from '../field-error.ts'
import type { PodDisruptionBudget } from '../generated/models.ts'
import { isPercent } from '../int-or-percent.ts'
import { defineKind } from '../kind.ts'
import { podDisruptionBudgets } from '../resources.ts'
import { validateLabelSelector } from '../validation/label-selector.ts'
import { validateNonNegative } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

const emptyStatus = (): PodDisruptionBudget['status'] => ({
  disruptionsAllowed: 0,
  currentHealthy: 0,
  desiredHealthy: 0,
  expectedPods: 0,
})

export const podDisruptionBudgetKind = defineKind({
  resource: podDisruptionBudgets,
  model: 'V1PodDisruptionBudget',
  singular: 'poddisruptionbudget',
  shortNames: ['pdb'],
  generation: true,
  defaults(draft) {
    draft.spec ??= {}
    draft.status = { ...emptyStatus(), ...draft.status }
  },
  prepareForCreate(draft) {
    draft.status = emptyStatus()
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly<PodDisruptionBudget>(({ status }) =>
    (['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const).flatMap(name =>
      validateNonNegative(status?.[name], `status.${name}`),
    ),
  ),
  validate,
  columns: columns('Name', 'Min Available', 'Max Unavailable', 'Allowed Disruptions:integer', 'Age'),
  row: (budget, nowMs) => [
    budget.metadata.name,
    `${budget.spec?.minAvailable ?? 'N/A'}`,
    `${budget.spec?.maxUnavailable ?? 'N/A'}`,
    budget.status?.disruptionsAllowed ?? 0,
    age(budget, nowMs),
  ],
})

function validate({ spec }: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec
  return joinErrors(
    minAvailable !== undefined && maxUnavailable !== undefined
      ? [invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set')]
      : [],
    validateShare(minAvailable, 'spec.minAvailable'),
    validateShare(maxUnavailable, 'spec.maxUnavailable'),
    validateLabelSelector(spec.selector, 'spec.selector'),
    policy === undefined || policy === 'IfHealthyBudget' || policy === 'AlwaysAllow'
      ? []
      : [notSupported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget'])],
  )
}

function validateShare(value: number | string | undefined, field: string): FieldError[] {
  if (typeof value !== 'string') return validateNonNegative(value, field)
  if (!isPercent(value))
    return [
      invalidValue(
        field,
        value,
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ),
    ]
  return Number.parseInt(value, 10) > 100 ? [invalidValue(field, value, 'must not be greater than 100%')] : []
}
