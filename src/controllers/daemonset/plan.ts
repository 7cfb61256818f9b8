// What a DaemonSet needs: which nodes get a pod, which pods go, and what the status says. Pure.
import type { DaemonSet, DaemonSetStatus, Node, Pod } from '../../api/generated/models.ts'
import { resolveIntOrPercent } from '../../api/int-or-percent.ts'
import { hashOf } from '../../control/controller-revisions.ts'
import { availableAtMs, isFinished, isReady, isTerminating } from '../../control/pods.ts'
import { fitOn, nodeOf } from './daemon-pod.ts'

export interface DaemonPlan {
  /** Names of nodes. */
  readonly create: readonly string[]
  readonly remove: readonly Pod[]
  /** Those of `remove` that had failed on their own. */
  readonly failed: readonly Pod[]
  readonly status: DaemonSetStatus
  /** When the next pod becomes available by the mere passing of time. */
  readonly recheckAtMs?: number
}

interface Place {
  readonly node: Node
  readonly shouldRun: boolean
  readonly mayStay: boolean
  /** Oldest first, without those that are going. */
  readonly pods: readonly Pod[]
}

export function planDaemons(
  set: DaemonSet,
  nodes: readonly Node[],
  pods: readonly Pod[],
  hash: string,
  nowMs: number,
): DaemonPlan {
  const byNode = Map.groupBy(pods, pod => nodeOf(pod) ?? '')
  const places = nodes.map((node): Place => ({
    node,
    ...fitOn(set, node),
    pods: (byNode.get(node.metadata.name) ?? [])
      .filter(pod => !isTerminating(pod))
      .toSorted(
        (left, right) => Date.parse(left.metadata.creationTimestamp) - Date.parse(right.metadata.creationTimestamp),
      ),
  }))
  const available = (pod: Pod): boolean => (availableAtMs(pod, set.spec.minReadySeconds) ?? Infinity) <= nowMs
  const going = (node: Node): boolean => (byNode.get(node.metadata.name) ?? []).some(isTerminating)
  const kept = keepOnePerNode(set, places, going, hash, available)
  const update =
    set.spec.updateStrategy?.type === 'OnDelete'
      ? { create: [], remove: [] }
      : replaceOutdated(set, places, kept.remove, hash, available)
  const future = pods
    .map(pod => availableAtMs(pod, set.spec.minReadySeconds))
    .filter((time): time is number => time !== undefined && time > nowMs)
  return {
    create: [...kept.create, ...update.create],
    remove: [...kept.remove, ...update.remove],
    failed: kept.failed,
    status: statusOf(set, places, hash, available),
    ...(future.length > 0 && { recheckAtMs: Math.min(...future) }),
  }
}

/** One pod where there shall be one (two while a newer one takes over), none elsewhere; failed ones go. */
function keepOnePerNode(
  set: DaemonSet,
  places: readonly Place[],
  going: (node: Node) => boolean,
  hash: string,
  available: (pod: Pod) => boolean,
): { create: string[]; remove: Pod[]; failed: Pod[] } {
  const create: string[] = []
  const remove: Pod[] = []
  const failed: Pod[] = []
  const surges = resolveIntOrPercent(set.spec.updateStrategy?.rollingUpdate?.maxSurge, places.length, 'up') > 0
  for (const { node, shouldRun, mayStay, pods } of places) {
    const ended = pods.filter(isFinished)
    const alive = pods.filter(pod => !isFinished(pod))
    if (!shouldRun && !mayStay) {
      remove.push(...pods)
      continue
    }
    failed.push(...ended)
    remove.push(...ended)
    if (alive.length === 0) {
      if (shouldRun && ended.length === 0 && !going(node)) create.push(node.metadata.name)
      continue
    }
    if (!surges) remove.push(...alive.slice(1))
    else {
      const [newer, older] = [alive.filter(pod => hashOf(pod) === hash), alive.filter(pod => hashOf(pod) !== hash)]
      remove.push(...newer.slice(1), ...older.slice(newer.some(available) ? 0 : 1))
    }
  }
  return { create, remove, failed }
}

/** Pods of older revisions go as fast as the strategy allows; those that do not work anyway go at once. */
function replaceOutdated(
  set: DaemonSet,
  places: readonly Place[],
  leaving: readonly Pod[],
  hash: string,
  available: (pod: Pod) => boolean,
): { create: string[]; remove: Pod[] } {
  const desired = places.filter(({ shouldRun }) => shouldRun)
  const { maxUnavailable, maxSurge } = set.spec.updateStrategy?.rollingUpdate ?? {}
  const surge = resolveIntOrPercent(maxSurge, desired.length, 'up')
  const alive = desired.map(({ node, pods }) => ({
    node,
    pods: pods.filter(pod => !isFinished(pod) && !leaving.includes(pod)),
  }))
  if (surge > 0) {
    const surging = alive.filter(({ pods }) => pods.length > 1).length
    const outdated = alive.filter(({ pods }) => pods.length === 1 && hashOf(pods[0]!) !== hash)
    return { create: outdated.slice(0, Math.max(0, surge - surging)).map(({ node }) => node.metadata.name), remove: [] }
  }
  const unavailable = alive.filter(({ pods }) => !pods.some(available)).length
  const outdated = alive.flatMap(({ pods }) => pods.filter(pod => hashOf(pod) !== hash))
  const broken = outdated.filter(pod => !available(pod))
  const allowed = Math.max(0, Math.max(1, resolveIntOrPercent(maxUnavailable, desired.length, 'up')) - unavailable)
  return { create: [], remove: [...broken, ...outdated.filter(available).slice(0, allowed)] }
}

function statusOf(
  set: DaemonSet,
  places: readonly Place[],
  hash: string,
  available: (pod: Pod) => boolean,
): DaemonSetStatus {
  const desired = places.filter(({ shouldRun }) => shouldRun)
  const scheduled = desired.filter(({ pods }) => pods.length > 0)
  const oldest = scheduled.map(({ pods }) => pods[0]!)
  const newest = scheduled.map(({ pods }) => pods.find(pod => hashOf(pod) === hash)).filter(pod => pod !== undefined)
  const numberAvailable = scheduled.filter(({ pods }) => pods.some(available)).length
  const { conditions, collisionCount } = set.status
  return {
    desiredNumberScheduled: desired.length,
    currentNumberScheduled: scheduled.length,
    numberMisscheduled: places.filter(({ shouldRun, pods }) => !shouldRun && pods.length > 0).length,
    numberReady: oldest.filter(isReady).length,
    ...(newest.length > 0 && { updatedNumberScheduled: newest.length }),
    ...(numberAvailable > 0 && { numberAvailable }),
    ...(desired.length > numberAvailable && { numberUnavailable: desired.length - numberAvailable }),
    ...(set.metadata.generation !== undefined && { observedGeneration: set.metadata.generation }),
    ...(conditions !== undefined && { conditions }),
    ...(collisionCount !== undefined && { collisionCount }),
  }
}
