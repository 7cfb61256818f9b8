// A process that runs to its end once, as a Job of one pod that is never tried again. Pure.
import type { CronJob, Job, JobSpec, ObjectMeta } from '../../../api/generated/models.ts'
import { typeMetaOf } from '../../../api/resource.ts'
import { cronJobs } from '../../../api/resources.ts'
import type { New } from '../../../api/object.ts'
import type { Run } from '../parts.ts'
import { annotation, label, labelValue, objectName, serviceLabels, versionMarks } from './labels.ts'
import { podOf, pullAnnotations } from './pod-of.ts'
import { anyTime, guardVariable } from './schedule-guard.ts'

/** For so long a run can be asked for its result. */
const keptSeconds = 86_400
/** Most programs do not hear the signal when they are the first process of a container: whoever waits waits for this. */
const stopSeconds = 10

export function jobOfRun(namespace: string, run: Run): New<Job> {
  const { name, service, process, timeLimitSeconds } = run
  const { labels, annotations } = runMarks(run)
  return {
    metadata: { name: objectName(name), namespace, labels, annotations },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: timeLimitSeconds,
      ttlSecondsAfterFinished: keptSeconds,
      template: {
        metadata: { labels, annotations: { ...annotations, ...pullAnnotations(process) } } as ObjectMeta,
        spec: { ...podOf(service, process), restartPolicy: 'Never', terminationGracePeriodSeconds: stopSeconds },
      },
    },
  }
}

export function runMarks({ name, service, version }: Run): {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
} {
  const marks = versionMarks(version)
  return {
    labels: { ...serviceLabels(service), ...marks.labels, [label.run]: labelValue(name) },
    annotations: { [annotation.part]: name, ...marks.annotations },
  }
}

/** As `kubectl create job --from` makes it: the CronJob counts it among its own, so that it overlaps with none. */
export function jobOfSchedule(cron: CronJob, run: string, timeLimitSeconds: number): New<Job> {
  const { metadata, spec } = cron.spec.jobTemplate
  const template = structuredClone(spec!)
  for (const container of template.template.spec?.containers ?? [])
    container.env = container.env?.map(entry =>
      entry.name === guardVariable ? { name: guardVariable, value: anyTime } : entry,
    )
  return {
    metadata: {
      name: objectName(run),
      namespace: cron.metadata.namespace,
      labels: { ...metadata?.labels, [label.run]: labelValue(run) },
      annotations: {
        ...metadata?.annotations,
        [annotation.part]: run,
        'cronjob.kubernetes.io/instantiate': 'manual',
      },
      ownerReferences: [
        {
          ...typeMetaOf(cronJobs),
          name: cron.metadata.name,
          uid: cron.metadata.uid,
          controller: true,
        },
      ],
    },
    spec: withLimit(template, timeLimitSeconds),
  }
}

const withLimit = (spec: JobSpec, seconds: number): JobSpec => ({
  ...spec,
  activeDeadlineSeconds: Math.min(Number(spec.activeDeadlineSeconds ?? seconds), seconds),
})
