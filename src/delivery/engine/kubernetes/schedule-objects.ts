// A schedule as a CronJob. It keeps its name and is changed in place, so that no time has two owners: the cluster
// remembers with it which time was served last. Pure.
import type { CronJob, JobSpec } from '../../../api/generated/models.ts'
import { cronJobs } from '../../../api/resources.ts'
import { DeployError } from '../../deploy-error.ts'
import type { Schedule } from '../parts.ts'
import { annotation, cronJobName, label, labelValue, serviceLabels, versionMarks } from './labels.ts'
import { literal, podOf, pullAnnotations } from './pod-of.ts'
import { guarded, guardSource } from './schedule-guard.ts'
import { scheduleLine } from './schedule-lines.ts'
import { typed, type TypedObject } from './typed-object.ts'

/**
 * How late a time is still served. Kubernetes gives up on a CronJob that has missed more than 100 times within this, and
 * a changed schedule serves times of the new line that were before the change but not longer ago than this.
 */
export const lateSeconds = 300
const keptRuns = 3
const mostKeptRuns = 100

export function scheduleObject(namespace: string, schedule: Schedule, nowMs: number): TypedObject {
  const { name, service, version, task, timing, overlap } = schedule
  const line = scheduleLine(timing, nowMs)
  const marks = versionMarks(version)
  return typed<CronJob>(cronJobs, {
    metadata: {
      name: cronJobName(name),
      namespace,
      labels: { ...serviceLabels(service), ...marks.labels, [label.task]: labelValue(task) },
      annotations: {
        [annotation.part]: name,
        ...marks.annotations,
        [annotation.timing]: JSON.stringify(timing),
      },
    },
    spec: {
      schedule: line.cron,
      timeZone: line.timeZone,
      suspend: false,
      concurrencyPolicy: overlap ? 'Allow' : 'Forbid',
      startingDeadlineSeconds: lateSeconds,
      successfulJobsHistoryLimit: Math.min(mostKeptRuns, line.timesForEach + keptRuns - 1),
      failedJobsHistoryLimit: keptRuns,
      jobTemplate: {
        metadata: { labels: runLabels(schedule) } as CronJob['metadata'],
        spec: jobOf(schedule, line.guard),
      },
    },
  })
}

const runLabels = ({ service, version, task }: Schedule): Record<string, string> => ({
  ...serviceLabels(service),
  ...versionMarks(version).labels,
  [label.task]: labelValue(task),
})

function jobOf(schedule: Schedule, guard: ReturnType<typeof scheduleLine>['guard']): JobSpec {
  const { service, process, retries, timeLimitSeconds } = schedule
  const pod = podOf(service, process, {})
  const [container] = pod.containers
  if (guard !== undefined && process.command.length === 0)
    throw new DeployError(
      `the times of "${schedule.task}" cannot be said in cron, so a guard in front of its command lets only the right ones begin; expected a command ("run"), found none`,
    )
  return {
    backoffLimit: retries,
    ...(timeLimitSeconds !== undefined && { activeDeadlineSeconds: timeLimitSeconds }),
    template: {
      metadata: {
        labels: runLabels(schedule),
        annotations: pullAnnotations(process),
      } as NonNullable<JobSpec['template']['metadata']>,
      spec: {
        ...pod,
        restartPolicy: 'Never',
        containers:
          guard === undefined
            ? pod.containers
            : [
                {
                  ...container!,
                  command: guarded(process.command, guard).map(literal),
                  env: [...(container!.env ?? []), guardSource],
                },
              ],
      },
    },
  }
}
