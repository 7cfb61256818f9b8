// Why a rollout does not go on, told from what the cluster says about it. Pure.
import type {
  ContainerStatus,
  CoreEvent,
  Deployment,
  Pod,
  ReplicaSet,
  StatefulSet,
} from '../../../api/generated/models.ts'
import { conditionOf, isReady } from '../../../control/pods.ts'

export interface Standstill {
  readonly reason: string
  /** Whose log may tell more. */
  readonly pod?: string
  readonly container?: string
  /** The run before has the telling log. */
  readonly previous?: boolean
  readonly kind: 'refused' | 'no node' | 'ended' | 'not ready' | 'not started'
  /** Once it stood for so long, nothing but a change of the service or the cluster will help. */
  readonly certainAfterMs?: number
}

/** What is said of an earlier attempt may stand for so long. */
const settlingMs = 3_000
/** What others take up may become free meanwhile. */
const patienceMs = 60_000

/** Refusals that end by themselves, as those of a namespace that is just being set up. */
const passing = /service account|is not yet ready|failed calling webhook|timeout|timed out|try again/i
const full = /exceeded quota/i
const denial = /forbidden|denied|is invalid/i

export interface StandstillView {
  readonly owner: Deployment | StatefulSet
  /** The newest ReplicaSet of a Deployment, once there is one. */
  readonly newest?: ReplicaSet
  /** Its pods that are not being deleted. */
  readonly pods: readonly Pod[]
  /** Warnings, in any order. */
  readonly warnings: readonly CoreEvent[]
}

/** undefined: nothing is known to be in the way. */
export function standstill(view: StandstillView): Standstill | undefined {
  const refusal = refusalOf(view)
  if (refusal !== undefined) return refused(refusal)
  return view.pods.map(pod => podStandstill(pod, view.warnings)).find(found => found !== undefined)
}

/** A StatefulSet and a Job say it with an event alone, which stays when it is over. */
function refusalOf({ owner, newest, pods, warnings }: StandstillView): string | undefined {
  const failure = [...(newest?.status.conditions ?? []), ...(owner.status.conditions ?? [])].find(
    ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
  )
  if (failure !== undefined) return failure.message ?? failure.reason ?? 'no reason given'
  if (owner.kind === 'Deployment' || pods.length > 0) return undefined
  return latestAbout(owner.metadata.uid, warnings).find(({ reason }) => reason === 'FailedCreate')?.message
}

export function refused(message: string): Standstill {
  const certainAfterMs = full.test(message)
    ? patienceMs
    : denial.test(message) && !passing.test(message)
      ? settlingMs
      : undefined
  return {
    kind: 'refused',
    reason: `the cluster refuses new pods: ${message}`,
    ...(certainAfterMs !== undefined && { certainAfterMs }),
  }
}

export const latestAbout = (uid: string, warnings: readonly CoreEvent[]): CoreEvent[] =>
  newestFirst(warnings.filter(({ involvedObject }) => involvedObject.uid === uid))

export const newestFirst = (events: readonly CoreEvent[]): CoreEvent[] =>
  events.toSorted((left, right) => timeOf(right) - timeOf(left))

export function podStandstill(pod: Pod, warnings: readonly CoreEvent[]): Standstill | undefined {
  const { name, uid } = pod.metadata
  if (isReady(pod)) return undefined
  const unplaced = conditionOf(pod, 'PodScheduled')
  if (unplaced?.status === 'False')
    return {
      kind: 'no node',
      reason: `pod ${name} finds no node: ${unplaced.message ?? unplaced.reason ?? 'no reason given'}`,
      pod: name,
      // Room is being made for it, however long that takes.
      ...(pod.status.nominatedNodeName === undefined && { certainAfterMs: patienceMs }),
    }
  for (const { name: container, state, lastState } of containersOf(pod)) {
    const ended = state?.terminated ?? (state?.waiting === undefined ? undefined : lastState?.terminated)
    if (ended === undefined) continue
    return {
      kind: 'ended',
      reason: `container "${container}" of pod ${name} ended with exit code ${ended.exitCode} and is started again`,
      pod: name,
      container,
      previous: state?.terminated === undefined,
    }
  }
  const about = latestAbout(uid, warnings)
  const running = pod.status.containerStatuses?.find(({ state, ready }) => state?.running !== undefined && !ready)
  if (running !== undefined) {
    const probe = about.find(({ reason }) => reason === 'Unhealthy')?.message
    return {
      kind: 'not ready',
      reason: `pod ${name} runs and is not ready${probe === undefined ? '' : `: ${probe}`}`,
      pod: name,
      container: running.name,
    }
  }
  const latest = about[0]
  const waiting = pod.status.containerStatuses?.find(({ state }) => state?.waiting !== undefined)?.state?.waiting
  const why = latest?.message ?? waiting?.message
  return why === undefined
    ? undefined
    : { kind: 'not started', reason: `pod ${name} does not start: ${why}`, pod: name }
}

/** Those that run before the others first; of these, what has ended well is done and tells nothing. */
export const containersOf = ({ status }: Pod): readonly ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []).filter(({ state }) => state?.terminated?.exitCode !== 0),
  ...(status.containerStatuses ?? []),
]

const timeOf = ({ lastTimestamp, eventTime, firstTimestamp }: CoreEvent): number =>
  Date.parse(lastTimestamp ?? eventTime ?? firstTimestamp ?? '') || 0
