// What a CronJob is to do now. Pure.
import type { CronJob, Job } from '../../api/generated/models.ts'
import type { Schedule } from '../../lib/cron-times.ts'
import { dueSince } from '../../lib/due-since.ts'

export interface CronPlan {
  /** The scheduled time of the job to start. */
  readonly startAtMs?: number
  /** Jobs that make room for it. */
  readonly replace: readonly Job[]
  /** Finished jobs beyond the limits of the history. */
  readonly forget: readonly Job[]
  /** Why no job is started although its time has come. */
  readonly skipped?: {
    readonly reason: 'MissSchedule' | 'JobAlreadyActive'
    readonly message: string
    readonly type: 'Warning' | 'Normal'
  }
  /** More than a hundred times were missed. */
  readonly tooManyMissed: boolean
  readonly nextAtMs?: number
}

const manyMissed = 100

export type JobEnd = 'Complete' | 'Failed' | undefined

export function endOf({ status }: Job): JobEnd {
  const condition = status.conditions?.find(
    ({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True',
  )
  return condition?.type as JobEnd
}

const timeOf = (text: string | undefined): number => Date.parse(text ?? '')

export function planCronJob(cron: CronJob, jobs: readonly Job[], schedule: Schedule, nowMs: number): CronPlan {
  const { suspend = false, startingDeadlineSeconds, concurrencyPolicy } = cron.spec
  const active = jobs.filter(job => endOf(job) === undefined)
  const nextAtMs = schedule.nextAfter(nowMs)
  const common = {
    replace: [],
    forget: beyondHistory(cron, jobs),
    tooManyMissed: false,
    ...(nextAtMs !== undefined && !suspend && { nextAtMs }),
  }
  if (suspend || cron.metadata.deletionTimestamp !== undefined) return common
  const begunMs = timeOf(cron.status?.lastScheduleTime ?? cron.metadata.creationTimestamp)
  const deadlineMs = startingDeadlineSeconds === undefined ? -Infinity : nowMs - Number(startingDeadlineSeconds) * 1000
  const due = dueSince(schedule, Math.max(begunMs, deadlineMs), nowMs)
  const overdue =
    due.atMs === undefined && startingDeadlineSeconds !== undefined
      ? dueSince(schedule, begunMs, nowMs).atMs
      : undefined
  if (overdue !== undefined)
    return {
      ...common,
      skipped: {
        type: 'Warning',
        reason: 'MissSchedule',
        message: `Missed scheduled time to start a job: ${new Date(overdue).toUTCString()}`,
      },
    }
  if (due.atMs === undefined) return common
  const counted = { ...common, tooManyMissed: due.missed > manyMissed }
  if (concurrencyPolicy === 'Forbid' && active.length > 0)
    return {
      ...counted,
      skipped: {
        type: 'Normal',
        reason: 'JobAlreadyActive',
        message: 'Not starting job because prior execution is running and concurrency policy is Forbid',
      },
    }
  return { ...counted, startAtMs: due.atMs, replace: concurrencyPolicy === 'Replace' ? active : [] }
}

function beyondHistory({ spec }: CronJob, jobs: readonly Job[]): Job[] {
  const oldestFirst = (end: JobEnd): Job[] =>
    jobs
      .filter(job => endOf(job) === end)
      .toSorted(
        (left, right) =>
          timeOf(left.status.startTime ?? left.metadata.creationTimestamp) -
          timeOf(right.status.startTime ?? right.metadata.creationTimestamp),
      )
  const surplus = (finished: Job[], limit: number | undefined): Job[] =>
    limit === undefined ? [] : finished.slice(0, Math.max(0, finished.length - limit))
  return [
    ...surplus(oldestFirst('Complete'), spec.successfulJobsHistoryLimit),
    ...surplus(oldestFirst('Failed'), spec.failedJobsHistoryLimit),
  ]
}
