// Starts jobs at their times. A job's name is made of its scheduled time, so that none starts twice.
import { isAlreadyExists } from '../../api/api-error.ts'
import type { CronJob, CronJobStatus, Job, ObjectReference } from '../../api/generated/models.ts'
import { splitKey } from '../../api/object.ts'
import { cronJobs, jobs } from '../../api/resources.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController } from '../../control/controller.ts'
import { isNamespaceTerminating } from '../../control/namespace-terminating.ts'
import { byController, controllerReference } from '../../control/ownership.ts'
import { removeObject } from '../../control/removal.ts'
import { writeStatus } from '../../control/write-status.ts'
import { formatTime } from '../../lib/clock.ts'
import { parseSchedule, type Schedule } from '../../lib/cron-times.ts'
import { errorText } from '../../lib/error-text.ts'
import { endOf, planCronJob } from './plan.ts'

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
/** The clock may ring a little early. */
const slackMs = 100
const longestWaitMs = 24 * 3_600_000

export const cronJobController = defineController({
  name: 'cronjob',
  primary: cronJobs,
  owns: [jobs],
  reconciler: reconcileCronJobs,
})

function reconcileCronJobs(context: ControllerContext): Reconciler {
  const { client, clock, recorder } = context
  const crons = client.informer(cronJobs)
  const jobsOf = byController(client.informer(jobs))

  return async function reconcile(key): Promise<Outcome> {
    const cron = crons.get(splitKey(key))
    if (cron === undefined) return 'done'
    const schedule = scheduleOf(cron)
    if (schedule === undefined) return 'done'
    if (isNeverDue(cron, schedule))
      recorder.recordEvent(
        cron,
        'Warning',
        'InvalidSchedule',
        `invalid schedule: ${cron.spec.schedule} : time difference between two schedules is less than 1 second`,
      )
    const mine = jobsOf.of(cron)
    const plan = planCronJob(cron, mine, schedule, clock.now())
    if (plan.tooManyMissed)
      recorder.recordEvent(
        cron,
        'Warning',
        'TooManyMissedTimes',
        'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
      )
    if (plan.skipped !== undefined)
      recorder.recordEvent(cron, plan.skipped.type, plan.skipped.reason, plan.skipped.message)
    noteFinished(cron, mine)
    await Promise.all([...plan.replace, ...plan.forget].map(job => remove(cron, job)))
    const started = plan.startAtMs === undefined ? undefined : await start(cron, plan.startAtMs)
    const gone = new Set([...plan.replace, ...plan.forget])
    const status = nextStatus(
      cron,
      [
        ...mine.filter(job => !gone.has(job)),
        ...(started === undefined || mine.some(job => job.metadata.uid === started.metadata.uid) ? [] : [started]),
      ],
      started === undefined ? undefined : plan.startAtMs,
    )
    await writeStatus(client, cronJobs, cron, status, crons.get(cron.metadata))
    return plan.nextAtMs === undefined
      ? 'done'
      : { requeueAfterMs: Math.min(longestWaitMs, Math.max(0, plan.nextAtMs - clock.now()) + slackMs) }
  }

  function scheduleOf(cron: CronJob): Schedule | undefined {
    try {
      return parseSchedule(cron.spec.schedule, cron.spec.timeZone)
    } catch (error) {
      recorder.recordEvent(
        cron,
        'Warning',
        'UnparseableSchedule',
        `unparseable schedule ${JSON.stringify(cron.spec.schedule)}: ${(error as Error).message}`,
      )
      return undefined
    }
  }

  /** The 31st of February: well formed, and yet no time. */
  function isNeverDue({ metadata, spec }: CronJob, schedule: Schedule): boolean {
    return (
      spec.suspend !== true && metadata.deletionTimestamp === undefined && schedule.nextAfter(clock.now()) === undefined
    )
  }

  function noteFinished(cron: CronJob, mine: readonly Job[]): void {
    for (const { uid } of cron.status?.active ?? []) {
      const job = mine.find(one => one.metadata.uid === uid)
      const end = job && endOf(job)
      if (end !== undefined)
        recorder.recordEvent(
          cron,
          'Normal',
          'SawCompletedJob',
          `Saw completed job: ${job!.metadata.name}, condition: ${end}`,
        )
      if (job === undefined)
        recorder.recordEvent(
          cron,
          'Normal',
          'MissingJob',
          `Active job went missing: ${cron.status!.active!.find(one => one.uid === uid)!.name}`,
        )
    }
  }

  async function start(cron: CronJob, atMs: number): Promise<Job | undefined> {
    const { metadata, spec } = cron.spec.jobTemplate
    const name = `${cron.metadata.name}-${Math.floor(atMs / 60_000)}`
    try {
      const job = await client.create(jobs, {
        metadata: {
          namespace: cron.metadata.namespace,
          name,
          ...(metadata?.labels && { labels: metadata.labels }),
          annotations: { ...metadata?.annotations, [scheduledAnnotation]: formatTime(atMs) },
          ownerReferences: [controllerReference(cron, cronJobs)],
        },
        spec: spec!,
      })
      recorder.recordEvent(cron, 'Normal', 'SuccessfulCreate', `Created job ${name}`)
      return job
    } catch (error) {
      // Started already; only the status was not written.
      if (isAlreadyExists(error)) return client.get(jobs, { namespace: cron.metadata.namespace, name })
      if (isNamespaceTerminating(error)) return undefined
      recorder.recordEvent(cron, 'Warning', 'FailedCreate', `Error creating job: ${errorText(error)}`)
      throw error
    }
  }

  async function remove(cron: CronJob, job: Job): Promise<void> {
    if (await removeObject(client, jobs, job, { propagationPolicy: 'Background' }))
      recorder.recordEvent(cron, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`)
  }
}

const referenceTo = ({ metadata: { namespace, name, uid, resourceVersion } }: Job): ObjectReference => ({
  kind: 'Job',
  apiVersion: 'batch/v1',
  namespace,
  name,
  uid,
  resourceVersion,
})

function nextStatus(cron: CronJob, mine: readonly Job[], startedAtMs: number | undefined): CronJobStatus {
  const active = mine.filter(job => endOf(job) === undefined).map(referenceTo)
  const succeeded = mine
    .filter(job => endOf(job) === 'Complete')
    .map(job => job.status.completionTime ?? '')
    .filter(time => time !== '')
  const lastSuccessfulTime = [...succeeded, cron.status?.lastSuccessfulTime ?? ''].toSorted().at(-1)!
  const lastScheduleTime = startedAtMs === undefined ? cron.status?.lastScheduleTime : formatTime(startedAtMs)
  return {
    ...(active.length > 0 && { active }),
    ...(lastScheduleTime !== undefined && { lastScheduleTime }),
    ...(lastSuccessfulTime !== '' && { lastSuccessfulTime }),
  }
}
