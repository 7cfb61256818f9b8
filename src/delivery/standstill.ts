// Why a rollout does not go on, told from what the cluster says about it. Pure.
import type { ContainerStatus, CoreEvent, Deployment, Pod, ReplicaSet } from '../api/generated/models.ts'
import { conditionOf, isReady } from '../control/pods.ts'

export interface Standstill {
  readonly reason: string
  /** Whose log may tell more. */
  readonly pod?: string
  readonly container?: string
  /** The run before has the telling log. */
  readonly previous?: boolean
  /** Nothing but a change of the manifest, the service or the cluster's rules will help. */
  readonly certain: boolean
}

/** Refusals that end by themselves: a namespace that is just being set up, room that others leave. */
const passing = /exceeded quota|service account|is not yet ready|failed calling webhook|timeout|timed out|try again/i
const refusal = /forbidden|denied|is invalid/i

export interface StandstillView {
  readonly deployment: Deployment
  /** The newest ReplicaSet, once there is one. */
  readonly newest: ReplicaSet | undefined
  /** Its pods that are not being deleted. */
  readonly pods: readonly Pod[]
  /** Warnings about them, in any order. */
  readonly warnings: readonly CoreEvent[]
}

/** undefined: nothing is known to be in the way. */
export function standstill({ deployment, newest, pods, warnings }: StandstillView): Standstill | undefined {
  const failure = [...(newest?.status.conditions ?? []), ...(deployment.status.conditions ?? [])].find(
    ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
  )
  if (failure !== undefined) {
    const message = failure.message ?? failure.reason ?? 'no reason given'
    return {
      reason: `the cluster refuses new pods: ${message}`,
      certain: refusal.test(message) && !passing.test(message),
    }
  }
  return pods.map(pod => podStandstill(pod, warnings)).find(found => found !== undefined)
}

function podStandstill(pod: Pod, warnings: readonly CoreEvent[]): Standstill | undefined {
  const { name, uid } = pod.metadata
  if (isReady(pod)) return undefined
  const unplaced = conditionOf(pod, 'PodScheduled')
  if (unplaced?.status === 'False')
    return {
      reason: `pod ${name} finds no node: ${unplaced.message ?? unplaced.reason ?? 'no reason given'}`,
      certain: false,
    }
  for (const { name: container, state, lastState } of containersOf(pod)) {
    const ended = state?.terminated ?? (state?.waiting === undefined ? undefined : lastState?.terminated)
    if (ended === undefined) continue
    return {
      reason: `container "${container}" of pod ${name} ended with exit code ${ended.exitCode} and is started again`,
      pod: name,
      container,
      previous: state?.terminated === undefined,
      certain: false,
    }
  }
  const about = warnings
    .filter(({ involvedObject }) => involvedObject.uid === uid)
    .toSorted((left, right) => timeOf(right) - timeOf(left))
  const running = pod.status.containerStatuses?.find(({ state, ready }) => state?.running !== undefined && !ready)
  if (running !== undefined) {
    const probe = about.find(({ reason }) => reason === 'Unhealthy')?.message
    return {
      reason: `pod ${name} runs and is not ready${probe === undefined ? '' : `: ${probe}`}`,
      pod: name,
      container: running.name,
      certain: false,
    }
  }
  const latest = about[0]
  const waiting = pod.status.containerStatuses?.find(({ state }) => state?.waiting !== undefined)?.state?.waiting
  const why = latest?.message ?? waiting?.message
  return why === undefined ? undefined : { reason: `pod ${name} does not start: ${why}`, certain: false }
}

/** Those that run before the others first. */
export const containersOf = ({ status }: Pod): readonly ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
]

const timeOf = ({ lastTimestamp, eventTime, firstTimestamp }: CoreEvent): number =>
  Date.parse(lastTimestamp ?? eventTime ?? firstTimestamp ?? '') || 0
