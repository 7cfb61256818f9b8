// Which of the nodes that fit is best for a pod: the sum of weighted scores, and chance among equals.
import type { Pod } from '../api/generated/models.ts'
import { controllerOf } from '../control/ownership.ts'
import { matchesTerm, untolerated } from '../control/node-match.ts'
import type { Random } from '../lib/random.ts'
import { imageScore } from './image-score.ts'
import { neighbourScore } from './neighbour-score.ts'
import type { Requirements } from './requirements.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'
import type { Constraint, NamespaceLabels } from './topology.ts'
import { spreadCounts } from './topology.ts'

type Scorer = (info: NodeInfo) => number

export function best(
  requirements: Requirements,
  feasible: readonly NodeInfo[],
  snapshot: Snapshot,
  namespaceLabels: NamespaceLabels,
  random: Random,
): NodeInfo {
  if (feasible.length === 1) return feasible[0]!
  const scorers = scorersFor(requirements, feasible, snapshot, namespaceLabels)
  let winner = feasible[0]!
  let highest = -Infinity
  let ties = 0
  for (const info of feasible) {
    let score = 0
    for (const scorer of scorers) score += scorer(info)
    if (score > highest) {
      highest = score
      winner = info
      ties = 1
    } else if (score === highest && random.fraction() < 1 / ++ties) winner = info
  }
  return winner
}

/** Each gives 0 to 100 times its weight. */
function scorersFor(
  requirements: Requirements,
  feasible: readonly NodeInfo[],
  snapshot: Snapshot,
  namespaceLabels: NamespaceLabels,
): Scorer[] {
  const { pod } = requirements
  const scorers: Scorer[] = [info => resourceScore(requirements, info)]
  const unwelcome = (info: NodeInfo): number =>
    (info.node.spec.taints ?? []).filter(
      taint =>
        taint.effect === 'PreferNoSchedule' &&
        untolerated(pod, { ...info.node, spec: { taints: [taint] } }, ['PreferNoSchedule']) !== undefined,
    ).length
  if (feasible.some(info => info.node.spec.taints?.some(taint => taint.effect === 'PreferNoSchedule')))
    scorers.push(normalized(feasible, info => -unwelcome(info), 3))
  const nodeWishes = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  if (nodeWishes.length > 0)
    scorers.push(
      normalized(
        feasible,
        info => nodeWishes.reduce((sum, term) => sum + (matchesTerm(term.preference, info.node) ? term.weight : 0), 0),
        2,
      ),
    )
  const constraints = pod.spec.topologySpreadConstraints ?? []
  const soft = constraints.filter(constraint => constraint.whenUnsatisfiable === 'ScheduleAnyway')
  if (soft.length > 0) scorers.push(normalized(feasible, spreadScore(pod, soft, snapshot), 2))
  const controller = constraints.length > 0 ? undefined : controllerOf(pod)?.uid
  if (controller !== undefined) scorers.push(normalized(feasible, info => -(info.siblings.get(controller) ?? 0), 2))
  const images = imageScore(pod, snapshot)
  if (images !== undefined) scorers.push(images)
  const neighbours = neighbourScore(pod, snapshot, namespaceLabels)
  if (neighbours !== undefined) scorers.push(normalized(feasible, neighbours, 2))
  return scorers
}

function normalized(feasible: readonly NodeInfo[], raw: Scorer, weight: number): Scorer {
  const values = new Map(feasible.map(info => [info.name, raw(info)]))
  const lowest = Math.min(...values.values())
  const span = Math.max(...values.values()) - lowest
  return info => (span === 0 ? 0 : (weight * 100 * ((values.get(info.name) ?? lowest) - lowest)) / span)
}

/** Free nodes first, and nodes whose processor and memory fill up evenly. */
function resourceScore(requirements: Requirements, info: NodeInfo): number {
  const cpu = share(info.scoredMilliCpu + requirements.scoredMilliCpu, info.allocatable.get('cpu'))
  const memory = share(info.scoredMemoryBytes + requirements.scoredMemoryBytes, info.allocatable.get('memory'))
  const least = (100 * (1 - cpu + 1 - memory)) / 2
  const balanced = 100 * (1 - Math.abs(cpu - memory) / 2)
  return least + balanced
}

const share = (used: number, allocatable: number | undefined): number =>
  allocatable ? Math.min(1, used / allocatable) : 1

/** Few pods in a domain are better; constraints over many domains weigh more, and nodes outside of all domains are last. */
function spreadScore(pod: Pod, constraints: readonly Constraint[], snapshot: Snapshot): Scorer {
  const parts = constraints.map(constraint => ({
    topologyKey: constraint.topologyKey,
    counts: spreadCounts(pod, constraint, snapshot),
  }))
  return info =>
    -parts.reduce((sum, { topologyKey, counts }) => {
      const domain = info.node.metadata.labels?.[topologyKey]
      return (
        sum +
        (domain === undefined ? Math.max(0, ...counts.values()) : (counts.get(domain) ?? 0)) * Math.log(counts.size + 2)
      )
    }, 0)
}
