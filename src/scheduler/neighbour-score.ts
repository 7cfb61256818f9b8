// How welcome a pod is on a node by its neighbours: preferred affinity and anti-affinity, its own and theirs.
import type { Pod, PodAffinityTerm } from '../api/generated/models.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'
import type { NamespaceLabels } from './topology.ts'
import { matchesPodTerm } from './topology.ts'

const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'

interface Weighted {
  readonly term: PodAffinityTerm
  readonly weight: number
}

/** What a pod would rather have beside it, and, with negative weight, what not. */
function wishes({ spec }: Pod): Weighted[] {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {}
  const near = (podAffinity?.[preferred] ?? []).map(({ podAffinityTerm: term, weight }) => ({ term, weight }))
  return [
    ...near,
    ...(podAntiAffinity?.[preferred] ?? []).map(({ podAffinityTerm: term, weight }) => ({ term, weight: -weight })),
  ]
}

/** What pods that are placed already wish to have beside them; those that needed a partner like more of them. */
const wishesOfPlaced = (pod: Pod): Weighted[] => [
  ...wishes(pod),
  ...(pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(term => ({
    term,
    weight: 1,
  })),
]

/** The wishes of the pod and those that others have about it, added up for each domain; undefined when there are none. */
export function neighbourScore(
  pod: Pod,
  snapshot: Snapshot,
  namespaceLabels: NamespaceLabels,
): ((info: NodeInfo) => number) | undefined {
  const own = wishes(pod)
  if (own.length === 0 && snapshot.wishing.size === 0) return undefined
  const sums = new Map<string, Map<string, number>>()
  const add = ({ term: { topologyKey }, weight }: Weighted, info: NodeInfo): void => {
    const domain = info.node.metadata.labels?.[topologyKey]
    if (domain === undefined) return
    const ofKey = sums.get(topologyKey) ?? new Map<string, number>()
    sums.set(topologyKey, ofKey.set(domain, (ofKey.get(domain) ?? 0) + weight))
  }
  if (own.length > 0) {
    for (const info of snapshot.nodes.values()) {
      for (const wish of own)
        for (const { pod: other } of info.pods.values())
          if (matchesPodTerm(wish.term, pod, other, namespaceLabels)) add(wish, info)
    }
  }
  for (const {
    nodeName,
    requirements: { pod: other },
  } of snapshot.wishing.values()) {
    const info = snapshot.nodes.get(nodeName)
    if (info !== undefined)
      for (const wish of wishesOfPlaced(other))
        if (matchesPodTerm(wish.term, other, pod, namespaceLabels)) add(wish, info)
  }
  if (sums.size === 0) return undefined
  return info =>
    sums.entries().reduce((sum, [key, ofKey]) => sum + (ofKey.get(info.node.metadata.labels?.[key] ?? '') ?? 0), 0)
}
