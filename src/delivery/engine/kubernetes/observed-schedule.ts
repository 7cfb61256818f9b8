// How a schedule goes, told from its CronJob and the Jobs of it: when it ran, and whether a time was missed or failed.
// Times that a guard lets pass do not count. Pure.
import type { CronJob, Job, Pod } from '../../../api/generated/models.ts'
import { parseSchedule } from '../../../lib/cron-times.ts'
import { dueSince } from '../../../lib/due-since.ts'
import { formatTime } from '../../../lib/clock.ts'
import type { ObservedSchedule } from '../engine.ts'
import type { Timing } from '../parts.ts'
import { annotation, fieldManager, label, partNameOf } from './labels.ts'
import { mainStatus } from './main-container.ts'
import { endOf } from './run-result.ts'
import { guardOf, isDue } from './schedule-lines.ts'

interface Runs {
  readonly jobs: readonly Job[]
  readonly pods: readonly Pod[]
}

export function observedSchedule(cron: CronJob, { jobs, pods }: Runs, nowMs: number): ObservedSchedule {
  const counts = countingOf(cron)
  const runs = jobs
    .filter(job => job.metadata.ownerReferences?.some(({ uid }) => uid === cron.metadata.uid))
    .map(job => ({ job, timeMs: timeOf(cron, job) }))
    .filter(({ timeMs }) => timeMs === undefined || counts(timeMs))
    .toSorted((left, right) => startOf(right.job) - startOf(left.job))
  const finished = runs.filter(({ job }) => endOf(job) !== undefined)
  const success = finished.find(({ job }) => endOf(job)?.type === 'Complete')?.job.status.completionTime
  const lastStart = lastStartOf(cron, runs[0]?.job, counts)
  const lastSuccess = success ?? (isGuardedTiming(cron) ? undefined : cron.status?.lastSuccessfulTime)
  const trouble = troubleOf(finished[0], pods) ?? missedTime(cron, nowMs)
  return {
    name: partNameOf(cron.metadata),
    task: cron.metadata.labels?.[label.task] ?? '',
    running: runs.length - finished.length,
    ...(lastStart !== undefined && { lastStart }),
    ...(lastSuccess !== undefined && { lastSuccess }),
    ...(trouble !== undefined && { trouble }),
  }
}

type Counts = (timeMs: number) => boolean

function timingOf({ metadata }: CronJob): Timing | undefined {
  const text = metadata.annotations?.[annotation.timing]
  return text === undefined ? undefined : (JSON.parse(text) as Timing)
}

function isGuardedTiming(cron: CronJob): boolean {
  const timing = timingOf(cron)
  return timing !== undefined && 'start' in timing
}

function countingOf(cron: CronJob): Counts {
  const timing = timingOf(cron)
  if (timing === undefined || 'cron' in timing) return () => true
  const guard = guardOf(timing)
  return timeMs => isDue(guard, Math.floor(timeMs / 60_000))
}

/** undefined: it was started by hand. */
function timeOf(cron: CronJob, { metadata: { name } }: Job): number | undefined {
  const minutes = name.startsWith(`${cron.metadata.name}-`) ? name.slice(cron.metadata.name.length + 1) : ''
  return /^\d+$/.test(minutes) ? Number(minutes) * 60_000 : undefined
}

const startOf = ({ status, metadata }: Job): number =>
  Date.parse(status.startTime ?? metadata.creationTimestamp ?? '') || 0

/** Jobs are forgotten after some time; the CronJob remembers, but also times that do not count. */
function lastStartOf(cron: CronJob, newest: Job | undefined, counts: Counts): string | undefined {
  const remembered = cron.status?.lastScheduleTime
  const started = newest?.status.startTime
  if (remembered === undefined || !counts(Date.parse(remembered))) return started
  return started === undefined || started < remembered ? remembered : started
}

function troubleOf(
  newest: { readonly job: Job; readonly timeMs: number | undefined } | undefined,
  pods: readonly Pod[],
): string | undefined {
  const end = newest && endOf(newest.job)
  if (end?.type !== 'Failed') return undefined
  const { job, timeMs } = newest!
  const which = timeMs === undefined ? `the run ${job.metadata.name}` : `the run of ${formatTime(timeMs)}`
  const code = pods
    .filter(pod => pod.metadata.ownerReferences?.some(({ uid }) => uid === job.metadata.uid))
    .flatMap(pod => mainStatus(pod)?.state?.terminated?.exitCode ?? [])
    .at(-1)
  if (end.reason === 'DeadlineExceeded') return `${which} was not done within its time limit`
  return code === undefined ? `${which} failed: ${end.message ?? end.reason}` : `${which} ended with exit code ${code}`
}

/** The latest time that counts, where it was neither served nor can be any more. */
function missedTime(cron: CronJob, nowMs: number): string | undefined {
  const lateMs = nowMs - Number(cron.spec.startingDeadlineSeconds ?? 0) * 1000
  const servedMs = Math.max(
    ...[cron.status?.lastScheduleTime, changedAt(cron)].map(text => Date.parse(text ?? '') || 0),
  )
  const dueMs = latestTime(cron, servedMs, lateMs)
  return dueMs === undefined || dueMs <= servedMs ? undefined : `its time ${formatTime(dueMs)} was missed`
}

/** Times before that were times of something else. */
const changedAt = ({ metadata }: CronJob): string | undefined =>
  metadata.managedFields?.findLast(({ manager, subresource }) => manager === fieldManager && subresource === undefined)
    ?.time ?? metadata.creationTimestamp

function latestTime(cron: CronJob, sinceMs: number, untilMs: number): number | undefined {
  const timing = timingOf(cron)
  if (timing !== undefined && 'start' in timing) {
    const { start, every, count = Infinity } = guardOf(timing)
    const passed = Math.min(Math.floor((untilMs / 60_000 - start) / every), count - 1)
    return passed < 0 ? undefined : (start + passed * every) * 60_000
  }
  try {
    return dueSince(parseSchedule(cron.spec.schedule, cron.spec.timeZone), sinceMs, untilMs).atMs
  } catch {
    // A line of somebody else may say more than is understood here.
    return undefined
  }
}
