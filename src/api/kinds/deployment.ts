// Deployment: replicas that are replaced step by step when the template changes.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type { Deployment, DeploymentStrategy, RollingUpdateDeployment } from '../generated/models.ts'
import { isPercent } from '../int-or-percent.ts'
import { defineKind } from '../kind.ts'
import { formatSelector } from '../label-selector.ts'
import { deployments } from '../resources.ts'
import { validateImmutable, validateNonNegative, validateOneOf } from '../validation/scalars.ts'
import { validateReplicaStatus, validateWorkload } from '../validation/workload.ts'
import { age, columns, templateCells } from './cells.ts'
import { defaultPodTemplate } from './pod-defaults.ts'
import { keepStatus, statusOnly } from './strategy.ts'

export const deploymentKind = defineKind({
  resource: deployments,
  model: 'V1Deployment',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  generation: 'annotations-too',
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  defaults(draft) {
    draft.spec ??= {} as Deployment['spec']
    draft.spec.replicas ??= 1
    draft.spec.revisionHistoryLimit ??= 10
    draft.spec.progressDeadlineSeconds ??= 600
    draft.spec.strategy = defaultStrategy(draft.spec.strategy)
    draft.spec.template = defaultPodTemplate(draft.spec.template)
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly<Deployment>(deployment => validateReplicaStatus({ ...deployment.status }), ['labels']),
  validate,
  validateUpdate: (deployment, old) =>
    joinErrors(validate(deployment), validateImmutable(deployment.spec.selector, old.spec.selector, 'spec.selector')),
  columns: columns('Name', 'Ready', 'Up-to-date', 'Available', 'Age', 'Containers*', 'Images*', 'Selector*'),
  row: (deployment, nowMs) => [
    deployment.metadata.name,
    `${deployment.status?.readyReplicas ?? 0}/${deployment.spec.replicas ?? 0}`,
    deployment.status?.updatedReplicas ?? 0,
    deployment.status?.availableReplicas ?? 0,
    age(deployment, nowMs),
    ...templateCells(deployment.spec.template),
    formatSelector(deployment.spec.selector),
  ],
})

function defaultStrategy(strategy: DeploymentStrategy = {}): DeploymentStrategy {
  strategy.type ||= 'RollingUpdate'
  if (strategy.type !== 'RollingUpdate') return strategy
  strategy.rollingUpdate ??= {}
  strategy.rollingUpdate.maxSurge ??= '25%'
  strategy.rollingUpdate.maxUnavailable ??= '25%'
  return strategy
}

function validate({ spec }: Deployment): FieldError[] {
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec
  return joinErrors(
    validateWorkload(spec, 'deployment'),
    validateStrategy(spec.strategy, 'spec.strategy'),
    validateNonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    validateNonNegative(deadline, 'spec.progressDeadlineSeconds'),
    deadline !== undefined && deadline <= minReadySeconds
      ? [invalidValue('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')]
      : [],
  )
}

function validateStrategy(strategy: DeploymentStrategy | undefined, field: string): FieldError[] {
  const { type, rollingUpdate } = strategy ?? {}
  if (type === 'Recreate')
    return rollingUpdate === undefined
      ? []
      : [forbiddenField(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")]
  if (type !== 'RollingUpdate') return validateOneOf(type, ['Recreate', 'RollingUpdate'], `${field}.type`)
  return rollingUpdate === undefined
    ? [required(`${field}.rollingUpdate`, 'this should be defaulted and never be nil')]
    : validateRollingUpdate(rollingUpdate, `${field}.rollingUpdate`)
}

function validateRollingUpdate({ maxSurge, maxUnavailable }: RollingUpdateDeployment, field: string): FieldError[] {
  const shares = joinErrors(
    validateShare(maxUnavailable, `${field}.maxUnavailable`),
    validateShare(maxSurge, `${field}.maxSurge`),
  )
  const isZero = (value: number | string | undefined): boolean =>
    (typeof value === 'string' ? Number.parseInt(value, 10) : (value ?? 0)) === 0
  const over = isPercent(maxUnavailable) && Number.parseInt(maxUnavailable, 10) > 100
  return joinErrors(
    shares,
    shares.length === 0 && isZero(maxSurge) && isZero(maxUnavailable)
      ? [invalidValue(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : [],
    over ? [invalidValue(`${field}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%')] : [],
  )
}

function validateShare(value: number | string | undefined, field: string): FieldError[] {
  if (typeof value !== 'string') return validateNonNegative(value, field)
  if (isPercent(value)) return []
  return [
    invalidValue(
      field,
      value,
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ),
  ]
}
