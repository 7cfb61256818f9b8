// Which node a pod goes to. Pure: the answer is a node, or why each node does not do.
import type { Pod } from '../api/generated/models.ts'
import type { Random } from '../lib/random.ts'
import { nameRule, unfit } from './filters.ts'
import type { Requirements } from './requirements.ts'
import type { Rule, Unfit } from './rule.ts'
import { best } from './scores.ts'
import type { Cluster, NodeInfo, Snapshot } from './snapshot.ts'
import type { NamespaceLabels } from './topology.ts'
import { topologyRules } from './topology.ts'
import { Trial } from './trial.ts'
import { volumeRules, type StorageView } from './volumes.ts'

export type Placement = { readonly node: string } | { readonly unfit: Obstacles }

/** By the name of the node. */
export type Obstacles = ReadonlyMap<string, Unfit>

/** What rules about a pod look up beside nodes and pods. */
export interface LookUps {
  readonly namespaceLabels: NamespaceLabels
  readonly storage: StorageView
}

export interface ScheduleOptions extends LookUps {
  readonly random: Random
  /** Rotates where the search begins, so that large clusters fill evenly; 0 by default. */
  readonly start?: number
}

/** Large clusters are not searched to the end once so many nodes fit. */
const enoughNodes = 100

export function schedule(
  requirements: Requirements,
  snapshot: Snapshot,
  { random, namespaceLabels, storage, start = 0 }: ScheduleOptions,
): Placement {
  const rules = rulesFor(requirements.pod, snapshot, { namespaceLabels, storage })
  const check = (info: NodeInfo): Unfit | undefined =>
    unfitBehindNominated(requirements, info, { snapshot, cluster: snapshot, namespaceLabels, storage }, rules)
  const nominated = snapshot.nodes.get(snapshot.nominations.nodeOf(requirements.pod) ?? '')
  if (nominated !== undefined && check(nominated) === undefined) return { node: nominated.name }
  const { feasible, obstacles } = search([...snapshot.nodes.values()], start, [
    ...present(nameRule(requirements.pod)),
    check,
  ])
  return feasible.length === 0
    ? { unfit: obstacles }
    : { node: best(requirements, feasible, snapshot, namespaceLabels, random).name }
}

const present = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value])

function search(
  nodes: readonly NodeInfo[],
  start: number,
  checks: readonly Rule[],
): { feasible: NodeInfo[]; obstacles: Obstacles } {
  const feasible: NodeInfo[] = []
  const obstacles = new Map<string, Unfit>()
  const first = nodes.length <= enoughNodes ? 0 : start
  for (let index = 0; index < nodes.length && feasible.length < enoughNodes; index++) {
    const info = nodes[(first + index) % nodes.length]!
    let found: Unfit | undefined
    for (const check of checks) found ??= check(info)
    if (found === undefined) feasible.push(info)
    else obstacles.set(info.name, found)
  }
  return { feasible, obstacles }
}

/** In the order in which Kubernetes asks. */
const rulesFor = (pod: Pod, cluster: Cluster, { namespaceLabels, storage }: LookUps): Rule[] => [
  ...volumeRules(pod, cluster, storage),
  ...topologyRules(pod, cluster, namespaceLabels),
]

interface Surroundings extends LookUps {
  /** Whose nominations count. */
  readonly snapshot: Snapshot
  /** The cluster as it is, or as it would be. */
  readonly cluster: Cluster
}

/** A pod has to fit beside the pods that were promised the node and go first, and without them too: they may go elsewhere. */
export function unfitBehindNominated(
  requirements: Requirements,
  info: NodeInfo,
  { snapshot, cluster, ...lookUps }: Surroundings,
  rules = rulesFor(requirements.pod, cluster, lookUps),
): Unfit | undefined {
  const ahead = snapshot.nominations.aheadOf(requirements.pod, info.name)
  if (ahead.length === 0) return unfit(requirements, info, rules)
  const trial = new Trial(cluster, info)
  for (const one of ahead) trial.add(one)
  return unfit(requirements, trial.node, rulesFor(requirements.pod, trial, lookUps)) ?? unfit(requirements, info, rules)
}
