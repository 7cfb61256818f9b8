// CronJob: jobs by the clock.
import { parseCronSchedule } from '../../lib/cron-schedule.ts'
import { isTimeZone } from '../../lib/zone-time.ts'
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { CronJob, CronJobSpec } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { formatSelector } from '../label-selector.ts'
import { cronJobs } from '../resources.ts'
import { validateNonNegative } from '../validation/scalars.ts'
import { age, columns, none, since, templateCells } from './cells.ts'
import { validateJobTemplate } from './job.ts'
import { defaultPodTemplate } from './pod-defaults.ts'
import { keepStatus, statusOnly } from './strategy.ts'

/** A job's name has eleven characters more. */
const longestName = 52
const policies = ['Allow', 'Forbid', 'Replace']

export const cronJobKind = defineKind({
  resource: cronJobs,
  model: 'V1CronJob',
  singular: 'cronjob',
  shortNames: ['cj'],
  categories: ['all'],
  generation: true,
  defaults(draft) {
    draft.spec ??= {} as CronJobSpec
    defaultSpec(draft.spec)
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate: job => joinErrors(validateName(job), validate(job)),
  validateUpdate: () => [],
  columns: columns(
    'Name',
    'Schedule',
    'Timezone',
    'Suspend:boolean',
    'Active:integer',
    'Last Schedule',
    'Age',
    'Containers*',
    'Images*',
    'Selector*',
  ),
  row: (job, nowMs) => [
    job.metadata.name,
    job.spec.schedule,
    job.spec.timeZone ?? none,
    job.spec.suspend === true ? 'True' : 'False',
    job.status?.active?.length ?? 0,
    job.status?.lastScheduleTime === undefined ? none : since(job.status.lastScheduleTime, nowMs),
    age(job, nowMs),
    ...templateCells(job.spec.jobTemplate.spec?.template),
    formatSelector(job.spec.jobTemplate.spec?.selector),
  ],
})

function defaultSpec(spec: CronJobSpec): void {
  spec.concurrencyPolicy ||= 'Allow'
  spec.suspend ??= false
  spec.successfulJobsHistoryLimit ??= 3
  spec.failedJobsHistoryLimit ??= 1
  spec.jobTemplate.metadata ??= {}
  spec.jobTemplate.spec ??= {} as NonNullable<CronJobSpec['jobTemplate']['spec']>
  spec.jobTemplate.spec.template = defaultPodTemplate(spec.jobTemplate.spec.template)
}

const validateName = ({ metadata }: CronJob): FieldError[] =>
  (metadata.name ?? '').length > longestName
    ? [invalidValue('metadata.name', metadata.name, 'must be no more than 52 characters')]
    : []

function validate({ spec }: CronJob): FieldError[] {
  return joinErrors(
    validateSchedule(spec),
    validateNonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'),
    policies.includes(spec.concurrencyPolicy ?? '')
      ? []
      : [notSupported('spec.concurrencyPolicy', spec.concurrencyPolicy ?? '', policies)],
    validateTimeZone(spec.timeZone),
    validateJobTemplate(spec.jobTemplate.spec!, 'spec.jobTemplate.spec'),
    validateNonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    validateNonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  )
}

function validateSchedule({ schedule }: CronJobSpec): FieldError[] {
  const field = 'spec.schedule'
  if ((schedule ?? '') === '') return [required(field)]
  if (schedule.includes('TZ='))
    return [invalidValue(field, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')]
  const parsed = parseCronSchedule(schedule)
  return typeof parsed === 'string' ? [invalidValue(field, schedule, parsed)] : []
}

function validateTimeZone(zone: string | undefined): FieldError[] {
  if (zone === undefined) return []
  const field = 'spec.timeZone'
  if (zone === '') return [invalidValue(field, zone, 'timeZone must be nil or non-empty string')]
  if (zone.toLowerCase() === 'local')
    return [
      invalidValue(field, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'),
    ]
  return isTimeZone(zone) ? [] : [invalidValue(field, zone, `unknown time zone ${zone}`)]
}
