// Job: pods that run to completion. The labels that tie pods to their job are generated from its uid.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { Job, JobSpec } from '../generated/models.ts'
import type { Cell } from '../kind.ts'
import { defineKind } from '../kind.ts'
import { formatSelector } from '../label-selector.ts'
import { jobs } from '../resources.ts'
import { validatePodTemplate } from '../validation/pod-spec.ts'
import { sameJson, validateImmutable, validateNonNegative, validateOneOf } from '../validation/scalars.ts'
import { age, columns, humanDuration, templateCells } from './cells.ts'
import { defaultPodTemplate } from './pod-defaults.ts'
import { keepStatus, statusOnly } from './strategy.ts'

const uidLabel = 'batch.kubernetes.io/controller-uid'
const nameLabel = 'batch.kubernetes.io/job-name'

export const jobKind = defineKind({
  resource: jobs,
  model: 'V1Job',
  singular: 'job',
  categories: ['all'],
  generation: true,
  defaultPropagation: 'Orphan',
  defaults(draft) {
    draft.spec ??= {} as JobSpec
    defaultSpec(draft.spec)
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {}
    if (draft.spec.manualSelector !== true) generateSelector(draft)
    const labels = draft.spec.template.metadata?.labels
    if (labels !== undefined && Object.keys(draft.metadata.labels ?? {}).length === 0)
      draft.metadata.labels = { ...labels }
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate,
  validateUpdate: (job, old) => joinErrors(validate(job), validateKept(job, old)),
  columns: columns('Name', 'Status', 'Completions', 'Duration', 'Age', 'Containers*', 'Images*', 'Selector*'),
  row,
  selectableFields: {
    'status.successful': job => `${job.status?.succeeded ?? 0}`,
  },
})

export function defaultSpec(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.manualSelector ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'
  spec.template = defaultPodTemplate(spec.template)
  if (!spec.manualSelector) delete spec.manualSelector
}

function generateSelector({ spec, metadata }: Job): void {
  const template = (spec.template.metadata ??= {})
  // Without a name the job is refused; until then its labels are texts.
  const { uid, name = '' } = metadata as Partial<typeof metadata> & { uid: string }
  template.labels = { ...template.labels, [uidLabel]: uid, 'controller-uid': uid, [nameLabel]: name, 'job-name': name }
  spec.selector ??= {}
  spec.selector.matchLabels = { ...spec.selector.matchLabels, [uidLabel]: metadata.uid }
}

function validate({ spec, metadata }: Job): FieldError[] {
  const counts = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const
  return joinErrors(
    counts.flatMap(name => validateNonNegative(spec[name], `spec.${name}`)),
    spec.selector === undefined ? [required('spec.selector')] : [],
    validateSelector(spec, metadata),
    validateMode(spec),
    validateOneOf(spec.podReplacementPolicy, ['Failed', 'TerminatingOrFailed'], 'spec.podReplacementPolicy'),
    validatePodTemplate(spec.template, 'spec.template'),
    validateRestart(spec, 'spec'),
  )
}

/** The job in a CronJob: what has no selector and no uid yet. */
export function validateJobTemplate(spec: JobSpec, field: string): FieldError[] {
  const counts = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
  ] as const
  return joinErrors(
    spec.manualSelector === true ? [notSupported(`${field}.manualSelector`, 'true', ['nil', 'false'])] : [],
    counts.flatMap(name => validateNonNegative(spec[name], `${field}.${name}`)),
    validatePodTemplate(spec.template, `${field}.template`),
    validateRestart(spec, field),
  )
}

function validateSelector({ selector, manualSelector, template }: JobSpec, { uid }: Job['metadata']): FieldError[] {
  const labels = template.metadata?.labels ?? {}
  const wrong = manualSelector !== true && labels[uidLabel] !== uid && labels['controller-uid'] !== uid
  const missing = Object.entries(selector?.matchLabels ?? {}).some(([key, value]) => labels[key] !== value)
  return wrong || missing
    ? [invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]
    : []
}

function validateMode({ completionMode, completions, backoffLimitPerIndex }: JobSpec): FieldError[] {
  const indexed = completionMode === 'Indexed'
  return joinErrors(
    validateOneOf(completionMode, ['Indexed', 'NonIndexed'], 'spec.completionMode'),
    indexed && completions === undefined ? [required('spec.completions', 'when completion mode is Indexed')] : [],
    !indexed && backoffLimitPerIndex !== undefined
      ? [invalidValue('spec.backoffLimitPerIndex', backoffLimitPerIndex, 'requires indexed completion mode')]
      : [],
  )
}

function validateRestart({ template, podFailurePolicy }: JobSpec, parent: string): FieldError[] {
  const field = `${parent}.template.spec.restartPolicy`
  const policy = template.spec?.restartPolicy
  if (policy === 'Always' || policy === undefined || policy === '')
    return [required(field, 'valid values: "OnFailure", "Never"')]
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(field, policy, ['OnFailure', 'Never'])]
  return podFailurePolicy !== undefined && policy !== 'Never'
    ? [invalidValue(field, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    : []
}

/** The template may change only while the job is suspended and has not started. */
function validateKept({ spec }: Job, { spec: old, status }: Job): FieldError[] {
  const open = old.suspend === true && status.startTime === undefined
  const template =
    open && spec.template.spec && old.template.spec
      ? {
          ...spec.template,
          metadata: old.template.metadata,
          spec: {
            ...spec.template.spec,
            nodeSelector: old.template.spec.nodeSelector,
            affinity: old.template.spec.affinity,
            tolerations: old.template.spec.tolerations,
            schedulingGates: old.template.spec.schedulingGates,
          },
        }
      : spec.template
  const elastic = old.completionMode === 'Indexed' && spec.completions === spec.parallelism
  return joinErrors(
    elastic || sameJson(spec.completions, old.completions)
      ? []
      : [invalidValue('spec.completions', spec.completions, 'field is immutable')],
    validateImmutable(spec.selector, old.selector, 'spec.selector'),
    validateImmutable(template, old.template, 'spec.template'),
    validateImmutable(spec.completionMode, old.completionMode, 'spec.completionMode'),
    validateImmutable(spec.podFailurePolicy, old.podFailurePolicy, 'spec.podFailurePolicy'),
    validateImmutable(spec.backoffLimitPerIndex, old.backoffLimitPerIndex, 'spec.backoffLimitPerIndex'),
  )
}

function row(job: Job, nowMs: number): Cell[] {
  const { spec, status } = job
  const succeeded = status?.succeeded ?? 0
  const parallelism = spec.parallelism ?? 0
  const completions =
    spec.completions !== undefined
      ? `${succeeded}/${spec.completions}`
      : parallelism > 1
        ? `${succeeded}/1 of ${parallelism}`
        : `${succeeded}/1`
  const end = status?.completionTime ? Date.parse(status.completionTime) : nowMs
  const duration = status?.startTime ? humanDuration(end - Date.parse(status.startTime)) : ''
  return [
    job.metadata.name,
    statusOf(job),
    completions,
    duration,
    age(job, nowMs),
    ...templateCells(spec.template),
    formatSelector(spec.selector),
  ]
}

function statusOf({ metadata, status }: Job): string {
  const has = (type: string): boolean =>
    status?.conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running'
}
