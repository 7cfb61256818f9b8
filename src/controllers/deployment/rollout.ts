// Decides how many replicas each ReplicaSet of a Deployment shall have now. Pure: one step of the way,
// taken again after every change. Never more pods than replicas + maxSurge, never fewer available than
// replicas - maxUnavailable.
import type { Deployment, Pod, ReplicaSet } from '../../api/generated/models.ts'
import { resolveIntOrPercent } from '../../api/int-or-percent.ts'
import { isFinished } from '../../control/pods.ts'
import { desiredOf, maximumOf } from './revisions.ts'

export interface Observed {
  readonly deployment: Deployment
  /** The ReplicaSet of the current template, if there is one. */
  readonly current: ReplicaSet | undefined
  /** All others, oldest first. */
  readonly old: readonly ReplicaSet[]
  /** Pods of the old ReplicaSets, in whatever state. */
  readonly oldPods: readonly Pod[]
}

export interface RolloutPlan {
  /** The ReplicaSet of the current template is missing: make it with so many replicas. */
  readonly create?: number
  /** New sizes, by name of the ReplicaSet. */
  readonly scale: ReadonlyMap<string, number>
  /** Only the replica counts changed or the rollout is paused: leave the progress conditions alone. */
  readonly scalingOnly: boolean
}

export const replicasOf = (set: ReplicaSet | undefined): number => set?.spec.replicas ?? 0
export const wantedReplicas = (deployment: Deployment): number => deployment.spec.replicas ?? 1
const isRecreate = (deployment: Deployment): boolean => deployment.spec.strategy?.type === 'Recreate'
const sum = (sets: readonly (ReplicaSet | undefined)[], count: (set: ReplicaSet) => number): number =>
  sets.reduce((total, set) => total + (set === undefined ? 0 : count(set)), 0)

export interface Limits {
  readonly maxSurge: number
  readonly maxUnavailable: number
}

/** Both 0 would stand still for ever: then one pod may be missing. */
export function limitsOf(deployment: Deployment): Limits {
  const replicas = wantedReplicas(deployment)
  if (isRecreate(deployment) || replicas === 0) return { maxSurge: 0, maxUnavailable: 0 }
  const { maxSurge, maxUnavailable } = deployment.spec.strategy?.rollingUpdate ?? {}
  const surge = resolveIntOrPercent(maxSurge, replicas, 'up')
  const unavailable = Math.min(replicas, resolveIntOrPercent(maxUnavailable, replicas, 'down'))
  return { maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

export function planRollout(observed: Observed): RolloutPlan {
  const { deployment, current, old } = observed
  if (deployment.spec.paused === true) return { scale: planScaling(observed), scalingOnly: true }
  if (isScaling(observed)) return { scale: planScaling(observed), scalingOnly: true }
  if (isRecreate(deployment)) return planRecreate(observed)
  if (current === undefined) return { create: newSize(observed), scale: new Map(), scalingOnly: false }
  const size = newSize(observed)
  if (size !== replicasOf(current)) return { scale: new Map([[current.metadata.name, size]]), scalingOnly: false }
  return { scale: shrinkOld(deployment, current, old), scalingOnly: false }
}

/** The wanted number changed since the ReplicaSets were last sized. */
function isScaling({ deployment, current, old }: Observed): boolean {
  return [current, ...old].some(set => {
    const desired = set === undefined || replicasOf(set) === 0 ? undefined : desiredOf(set)
    return desired !== undefined && desired !== wantedReplicas(deployment)
  })
}

function newSize({ deployment, current, old }: Observed): number {
  const wanted = wantedReplicas(deployment)
  const size = replicasOf(current)
  if (isRecreate(deployment) || size >= wanted) return wanted
  const room = wanted + limitsOf(deployment).maxSurge - sum([current, ...old], replicasOf)
  return room <= 0 ? size : size + Math.min(room, wanted - size)
}

function planRecreate(observed: Observed): RolloutPlan {
  const { deployment, current, old, oldPods } = observed
  const standing = old.filter(set => replicasOf(set) > 0)
  if (standing.length > 0) return { scale: new Map(standing.map(set => [set.metadata.name, 0])), scalingOnly: false }
  if (oldPods.some(pod => !isFinished(pod))) return { scale: new Map(), scalingOnly: false }
  const wanted = wantedReplicas(deployment)
  if (current === undefined) return { create: wanted, scale: new Map(), scalingOnly: false }
  return {
    scale: replicasOf(current) === wanted ? new Map() : new Map([[current.metadata.name, wanted]]),
    scalingOnly: false,
  }
}

const availableOf = (set: ReplicaSet): number => set.status.availableReplicas ?? 0

/** Old pods may go as far as enough others are available; those that do not work go first. */
function shrinkOld(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Map<string, number> {
  const sizes = new Map<string, number>()
  if (sum(old, replicasOf) === 0) return sizes
  const minimum = wantedReplicas(deployment) - limitsOf(deployment).maxUnavailable
  const notYetAvailable = replicasOf(current) - availableOf(current)
  const spare = sum([current, ...old], replicasOf) - minimum - notYetAvailable
  if (spare <= 0) return sizes
  removeUnhealthy(old, spare, sizes)
  removeAvailable([current, ...old], old, minimum, sizes)
  return sizes
}

function removeUnhealthy(old: readonly ReplicaSet[], limit: number, sizes: Map<string, number>): void {
  let removed = 0
  for (const set of old) {
    const count = Math.min(limit - removed, replicasOf(set) - availableOf(set))
    if (count <= 0) continue
    sizes.set(set.metadata.name, replicasOf(set) - count)
    removed += count
  }
}

function removeAvailable(
  all: readonly ReplicaSet[],
  old: readonly ReplicaSet[],
  minimum: number,
  sizes: Map<string, number>,
): void {
  let spare = sum(all, availableOf) - minimum
  for (const set of old) {
    const size = sizes.get(set.metadata.name) ?? replicasOf(set)
    const count = Math.min(spare, size)
    if (count <= 0) continue
    sizes.set(set.metadata.name, size - count)
    spare -= count
  }
}

/** Spreads a new total over the ReplicaSets in proportion to their sizes. */
function planScaling(observed: Observed): Map<string, number> {
  const { deployment, current, old } = observed
  const wanted = wantedReplicas(deployment)
  const active = [...old, ...(current === undefined ? [] : [current])].filter(set => replicasOf(set) > 0)
  if (active.length <= 1) {
    const only = active[0] ?? current ?? old.at(-1)
    return only === undefined || (replicasOf(only) === wanted && desiredOf(only) === wanted)
      ? new Map()
      : new Map([[only.metadata.name, wanted]])
  }
  if (current !== undefined && isSaturated(current, wanted))
    return new Map(old.filter(set => replicasOf(set) > 0).map(set => [set.metadata.name, 0]))
  return isRecreate(deployment) ? new Map() : proportional(deployment, active)
}

const isSaturated = (set: ReplicaSet, wanted: number): boolean =>
  replicasOf(set) === wanted && desiredOf(set) === wanted && availableOf(set) === wanted

function proportional(deployment: Deployment, active: readonly ReplicaSet[]): Map<string, number> {
  const wanted = wantedReplicas(deployment)
  const total = wanted === 0 ? 0 : wanted + limitsOf(deployment).maxSurge
  const change = total - sum(active, replicasOf)
  const sizes = new Map<string, number>()
  let added = 0
  const ordered = bySize(active, change >= 0)
  for (const set of ordered) {
    const share = change === 0 ? 0 : shareOf(set, deployment, total, change, added)
    sizes.set(set.metadata.name, replicasOf(set) + share)
    added += share
  }
  const first = ordered[0]!.metadata.name
  sizes.set(first, Math.max(0, sizes.get(first)! + change - added))
  return sizes
}

/** Large ones first; among equals the newer when growing, the older when shrinking. */
function bySize(sets: readonly ReplicaSet[], growing: boolean): ReplicaSet[] {
  const born = (set: ReplicaSet): number => Date.parse(set.metadata.creationTimestamp) || 0
  return sets.toSorted((a, b) => replicasOf(b) - replicasOf(a) || (growing ? born(b) - born(a) : born(a) - born(b)))
}

function shareOf(set: ReplicaSet, deployment: Deployment, total: number, change: number, added: number): number {
  const size = replicasOf(set)
  if (size === 0 || added === change) return 0
  const before = maximumOf(set) || deployment.status.replicas || size
  const share = wantedReplicas(deployment) === 0 ? -size : Math.round((size * total) / before) - size
  const left = change - added
  return change > 0 ? Math.min(Math.max(share, 0), left) : Math.max(Math.min(share, 0), left)
}

/** Old ReplicaSets beyond the history limit; only those that are empty and settled. */
export function planCleanup(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit
  const kept = old.filter(set => set.metadata.deletionTimestamp === undefined)
  if (limit === undefined || kept.length <= limit) return []
  return kept
    .slice(0, kept.length - limit)
    .filter(
      set =>
        replicasOf(set) === 0 &&
        set.status.replicas === 0 &&
        (set.metadata.generation ?? 0) <= (set.status.observedGeneration ?? 0),
    )
}
