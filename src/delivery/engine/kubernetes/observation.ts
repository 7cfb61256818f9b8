// What there is of a service, told from its objects. Pure.
import type {
  CronJob,
  Deployment,
  Ingress,
  Job,
  Pod,
  Service,
  StatefulSet,
  V2HorizontalPodAutoscaler,
} from '../../../api/generated/models.ts'
import { isFinished, isReady, isTerminating } from '../../../control/pods.ts'
import type { Observation, ObservedInstance, ObservedWorkload } from '../engine.ts'
import { label, partNameOf, versionOf } from './labels.ts'
import { observedSchedule } from './observed-schedule.ts'
import { containersOf } from './standstill.ts'

export interface Seen {
  readonly deployments: readonly Deployment[]
  readonly statefulSets: readonly StatefulSet[]
  readonly pods: readonly Pod[]
  readonly services: readonly Service[]
  readonly cronJobs: readonly CronJob[]
  readonly jobs: readonly Job[]
  readonly ingresses: readonly Ingress[]
  readonly autoscalers: readonly V2HorizontalPodAutoscaler[]
}

export function observationOf(seen: Seen, nowMs: number): Observation {
  return {
    workloads: [...seen.deployments, ...seen.statefulSets].map(owner => observedWorkload(owner, seen)),
    entrances: seen.services.map(({ metadata }) => ({ name: partNameOf(metadata) })),
    schedules: seen.cronJobs.map(cron => observedSchedule(cron, seen, nowMs)),
    routes: seen.ingresses.flatMap(observedRoute),
  }
}

function observedWorkload(owner: Deployment | StatefulSet, { pods, autoscalers }: Seen): ObservedWorkload {
  const { metadata, spec, status } = owner
  const track = metadata.labels?.[label.track] ?? ''
  return {
    name: partNameOf(metadata),
    track,
    version: versionOf(metadata),
    image: spec.template.spec?.containers[0]?.image ?? '',
    wanted: spec.replicas ?? 1,
    ready: status.readyReplicas ?? 0,
    autoscaled: autoscalerOf(owner, autoscalers) !== undefined,
    instances: pods
      .filter(pod => pod.metadata.labels?.[label.track] === track)
      .map(observedInstance)
      .toSorted((left, right) => (left.name < right.name ? -1 : 1)),
  }
}

/** What decides how many instances there are, beside whoever delivers. */
export const autoscalerOf = (
  { kind, metadata: { name } }: Deployment | StatefulSet,
  autoscalers: readonly V2HorizontalPodAutoscaler[],
): V2HorizontalPodAutoscaler | undefined =>
  autoscalers.find(({ spec: { scaleTargetRef } }) => scaleTargetRef.kind === kind && scaleTargetRef.name === name)

export function observedInstance(pod: Pod): ObservedInstance {
  const { metadata, spec, status } = pod
  const restarts = containersOf(pod).reduce((sum, { restartCount }) => sum + restartCount, 0)
  return {
    name: metadata.name,
    version: versionOf(metadata),
    state: stateOf(pod),
    ready: isReady(pod) && !isTerminating(pod),
    restarts,
    ...(status.startTime !== undefined && { since: status.startTime }),
    ...(spec.nodeName !== undefined && spec.nodeName !== '' && { node: spec.nodeName }),
  }
}

function stateOf(pod: Pod): string {
  if (isTerminating(pod)) return 'Terminating'
  const { phase = 'Pending', reason } = pod.status
  if (isFinished(pod)) return reason ?? phase
  for (const { state } of containersOf(pod)) {
    const why = state?.waiting?.reason ?? state?.terminated?.reason
    if (why !== undefined) return why
  }
  return reason ?? phase
}

function observedRoute({ metadata, spec, status }: Ingress): Observation['routes'] {
  const [rule] = spec?.rules ?? []
  const [first] = status?.loadBalancer?.ingress ?? []
  const address = first?.ip ?? first?.hostname
  return [
    {
      name: partNameOf(metadata),
      host: rule?.host ?? '',
      path: rule?.http?.paths[0]?.path ?? '/',
      ...(address !== undefined && { address }),
    },
  ]
}
