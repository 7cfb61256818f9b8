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
import type { HTTPRoute } from '../../../api/gateway-api/types.ts'
import { isFinished, isReady, isTerminating } from '../../../control/pods.ts'
import type { Observation, ObservedInstance, ObservedWorkload } from '../engine.ts'
import { label, partNameOf, versionOf } from './labels.ts'
import { observedSchedule } from './observed-schedule.ts'
import { standingOf } from './route-standing.ts'
import { isServed } from './served-ingress.ts'
import { containersOf } from './standstill.ts'

export interface Seen {
  readonly deployments: readonly Deployment[]
  readonly statefulSets: readonly StatefulSet[]
  readonly pods: readonly Pod[]
  readonly services: readonly Service[]
  readonly cronJobs: readonly CronJob[]
  readonly jobs: readonly Job[]
  readonly ingresses: readonly Ingress[]
  readonly httpRoutes: readonly HTTPRoute[]
  readonly autoscalers: readonly V2HorizontalPodAutoscaler[]
}

export function observationOf(seen: Seen, nowMs: number): Observation {
  return {
    workloads: [...seen.deployments, ...seen.statefulSets].map(owner => observedWorkload(owner, seen)),
    entrances: seen.services.map(({ metadata }) => ({ name: partNameOf(metadata) })),
    schedules: seen.cronJobs.map(cron => observedSchedule(cron, seen, nowMs)),
    routes: observedRoutes(seen),
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

/** One that is being moved is there as both. */
function observedRoutes({ ingresses, httpRoutes }: Seen): Observation['routes'] {
  const all = [...httpRoutes.map(ofHttpRoute), ...ingresses.map(ofIngress)]
  return [...Map.groupBy(all, ({ name }) => name).values()].map(same => ({
    ...same[0]!,
    served: same.some(({ served }) => served),
  }))
}

type ObservedRoute = Observation['routes'][number]

const ofHttpRoute = (route: HTTPRoute): ObservedRoute => ({
  name: partNameOf(route.metadata),
  host: route.spec.hostnames?.[0] ?? '',
  path: route.spec.rules[0]?.matches[0]?.path.value ?? '/',
  served: standingOf(route).state === 'served',
})

function ofIngress(ingress: Ingress): ObservedRoute {
  const [rule] = ingress.spec?.rules ?? []
  return {
    name: partNameOf(ingress.metadata),
    host: rule?.host ?? '',
    path: rule?.http?.paths[0]?.path ?? '/',
    served: isServed(ingress),
  }
}
