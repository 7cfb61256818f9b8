// DaemonSet: one pod on every node that fits.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { DaemonSet, DaemonSetSpec } from '../generated/models.ts'
import { resolveIntOrPercent } from '../int-or-percent.ts'
import { parseInt64 } from '../../lib/int64.ts'
import { defineKind } from '../kind.ts'
import { formatLabels, formatSelector } from '../label-selector.ts'
import { daemonSets } from '../resources.ts'
import { sameJson, validateImmutable, validateNonNegative } from '../validation/scalars.ts'
import { validateWorkload } from '../validation/workload.ts'
import { age, columns, templateCells } from './cells.ts'
import { defaultPodTemplate } from './pod-defaults.ts'
import { keepStatus, statusOnly } from './strategy.ts'

/** Counts the changes of the template, under the name it had as a field. */
const generationAnnotation = 'deprecated.daemonset.template.generation'
const emptyStatus = (): DaemonSet['status'] => ({
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
})

export const daemonSetKind = defineKind({
  resource: daemonSets,
  model: 'V1DaemonSet',
  singular: 'daemonset',
  shortNames: ['ds'],
  categories: ['all'],
  generation: true,
  defaults(draft) {
    draft.spec ??= {} as DaemonSetSpec
    defaultSpec(draft.spec)
    draft.status = { ...emptyStatus(), ...draft.status }
  },
  prepareForCreate(draft) {
    draft.status = emptyStatus()
    draft.metadata.annotations = { ...draft.metadata.annotations, [generationAnnotation]: '1' }
  },
  prepareForUpdate(draft, old) {
    keepStatus(draft, old)
    const before = parseInt64(old.metadata.annotations?.[generationAnnotation]) ?? 0n
    const changed = !sameJson(draft.spec.template, old.spec.template)
    draft.metadata.annotations = {
      ...draft.metadata.annotations,
      [generationAnnotation]: `${changed ? before + 1n : before}`,
    }
  },
  subresources: statusOnly<DaemonSet>(validateStatus),
  validate,
  validateUpdate: (set, old) =>
    joinErrors(validate(set), validateImmutable(set.spec.selector, old.spec.selector, 'spec.selector')),
  columns: columns(
    'Name',
    'Desired:integer',
    'Current:integer',
    'Ready:integer',
    'Up-to-date:integer',
    'Available:integer',
    'Node Selector',
    'Age',
    'Containers*',
    'Images*',
    'Selector*',
  ),
  row: (set, nowMs) => [
    set.metadata.name,
    set.status.desiredNumberScheduled,
    set.status.currentNumberScheduled,
    set.status.numberReady,
    set.status.updatedNumberScheduled ?? 0,
    set.status.numberAvailable ?? 0,
    formatLabels(set.spec.template.spec?.nodeSelector),
    age(set, nowMs),
    ...templateCells(set.spec.template),
    formatSelector(set.spec.selector),
  ],
})

function defaultSpec(spec: DaemonSetSpec): void {
  spec.updateStrategy ??= {}
  spec.updateStrategy.type ||= 'RollingUpdate'
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {}
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0
  }
  spec.revisionHistoryLimit ??= 10
  spec.template = defaultPodTemplate(spec.template)
}

function validate({ spec }: DaemonSet): FieldError[] {
  return joinErrors(
    validateWorkload(spec, 'daemonset'),
    validateNonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    validateStrategy(spec),
  )
}

function validateStrategy({ updateStrategy = {} }: DaemonSetSpec): FieldError[] {
  const field = 'spec.updateStrategy'
  const { type = '', rollingUpdate } = updateStrategy
  if (type === 'OnDelete') return []
  if (type !== 'RollingUpdate') return [notSupported(`${field}.type`, type, ['RollingUpdate', 'OnDelete'])]
  if (rollingUpdate === undefined) return [required(`${field}.rollingUpdate`)]
  const surge = resolveIntOrPercent(rollingUpdate.maxSurge, 100, 'up')
  const unavailable = resolveIntOrPercent(rollingUpdate.maxUnavailable, 100, 'up')
  if (surge === 0 && unavailable === 0)
    return [
      invalidValue(
        `${field}.rollingUpdate.maxUnavailable`,
        rollingUpdate.maxUnavailable,
        'cannot be 0 when maxSurge is 0',
      ),
    ]
  return surge > 0 && unavailable > 0
    ? [
        invalidValue(
          `${field}.rollingUpdate.maxSurge`,
          rollingUpdate.maxSurge,
          'may not be set when maxUnavailable is non-zero',
        ),
      ]
    : []
}

function validateStatus({ status }: DaemonSet): FieldError[] {
  const counts = [
    'currentNumberScheduled',
    'numberMisscheduled',
    'desiredNumberScheduled',
    'numberReady',
    'observedGeneration',
    'updatedNumberScheduled',
    'numberAvailable',
    'numberUnavailable',
    'collisionCount',
  ] as const
  return counts.flatMap(name => validateNonNegative(status[name], `status.${name}`))
}
