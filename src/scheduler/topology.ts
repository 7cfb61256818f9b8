// Rules about a pod's neighbours: affinity, anti-affinity, spread. Everything that depends on the pod
// alone is computed once (`topologyRules`); the rules then look at one node at a time.
import type { Pod, PodAffinityTerm } from '../api/generated/models.ts'
import { matchesSelector } from '../api/label-selector.ts'
import { hardEffects, matchesNodeAffinity, untolerated } from '../control/node-match.ts'
import { forGood, forNow, type Rule } from './rule.ts'
import type { Cluster, NodeInfo } from './snapshot.ts'

/** Labels of a namespace, for namespace selectors. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined

const requiredName = 'requiredDuringSchedulingIgnoredDuringExecution'
const labelOf = (info: NodeInfo, key: string): string | undefined => info.node.metadata.labels?.[key]

const noPartner = forGood("node(s) didn't match pod affinity rules")
const repelled = forNow("node(s) didn't match pod anti-affinity rules")
const repelledByOthers = forNow("node(s) didn't satisfy existing pods anti-affinity rules")
const noDomain = forGood("node(s) didn't match pod topology spread constraints (missing required label)")
const skewed = forNow("node(s) didn't match pod topology spread constraints")

/** In the order in which Kubernetes asks. */
export function topologyRules(pod: Pod, cluster: Cluster, namespaceLabels: NamespaceLabels): Rule[] {
  const { affinity, topologySpreadConstraints = [] } = pod.spec
  return [
    ...topologySpreadConstraints
      .filter(constraint => constraint.whenUnsatisfiable === 'DoNotSchedule')
      .map(constraint => spreadRule(pod, constraint, cluster)),
    ...(affinity?.podAffinity?.[requiredName] ?? []).map(term => affinityRule(pod, term, cluster, namespaceLabels)),
    ...(affinity?.podAntiAffinity?.[requiredName] ?? []).map(term =>
      antiAffinityRule(pod, term, cluster, namespaceLabels),
    ),
    ...(cluster.repelling.size > 0 ? [existingAntiAffinity(pod, cluster, namespaceLabels)] : []),
  ]
}

/** Whether `other` is one of the pods that a term of `owner` speaks of. */
export function matchesPodTerm(
  term: PodAffinityTerm,
  owner: Pod,
  other: Pod,
  namespaceLabels: NamespaceLabels,
): boolean {
  const namespace = other.metadata.namespace ?? ''
  const named = term.namespaces ?? []
  const own = named.length === 0 && term.namespaceSelector === undefined && namespace === owner.metadata.namespace
  const inNamespace =
    own ||
    named.includes(namespace) ||
    (term.namespaceSelector !== undefined && matchesSelector(term.namespaceSelector, namespaceLabels(namespace) ?? {}))
  return inNamespace && matchesSelector(term.labelSelector, other.metadata.labels)
}

/** The topology domains that hold a pod of the term. */
function domainsOf(pod: Pod, term: PodAffinityTerm, cluster: Cluster, namespaceLabels: NamespaceLabels): Set<string> {
  const domains = new Set<string>()
  for (const info of cluster.nodes.values()) {
    const domain = labelOf(info, term.topologyKey)
    if (domain === undefined || domains.has(domain)) continue
    if (info.pods.values().some(({ pod: other }) => matchesPodTerm(term, pod, other, namespaceLabels)))
      domains.add(domain)
  }
  return domains
}

function affinityRule(pod: Pod, term: PodAffinityTerm, cluster: Cluster, namespaceLabels: NamespaceLabels): Rule {
  const domains = domainsOf(pod, term, cluster, namespaceLabels)
  // The first of a group that wants to be together may start anywhere.
  const first = domains.size === 0 && matchesPodTerm(term, pod, pod, namespaceLabels)
  return info => {
    const domain = labelOf(info, term.topologyKey)
    return domain !== undefined && (first || domains.has(domain)) ? undefined : noPartner
  }
}

function antiAffinityRule(pod: Pod, term: PodAffinityTerm, cluster: Cluster, namespaceLabels: NamespaceLabels): Rule {
  const domains = domainsOf(pod, term, cluster, namespaceLabels)
  return info => (domains.has(labelOf(info, term.topologyKey) ?? '') ? repelled : undefined)
}

function existingAntiAffinity(pod: Pod, cluster: Cluster, namespaceLabels: NamespaceLabels): Rule {
  const closed = new Set<string>()
  for (const { nodeName, requirements } of cluster.repelling.values()) {
    const info = cluster.nodes.get(nodeName)
    for (const term of requirements.pod.spec.affinity?.podAntiAffinity?.[requiredName] ?? []) {
      const domain = info && labelOf(info, term.topologyKey)
      if (domain !== undefined && matchesPodTerm(term, requirements.pod, pod, namespaceLabels))
        closed.add(`${term.topologyKey}=${domain}`)
    }
  }
  const keys = new Set([...closed].map(entry => entry.slice(0, entry.indexOf('='))))
  return info => ([...keys].some(key => closed.has(`${key}=${labelOf(info, key)}`)) ? repelledByOthers : undefined)
}

export type Constraint = NonNullable<Pod['spec']['topologySpreadConstraints']>[number]

const isCounted = (pod: Pod, { nodeAffinityPolicy, nodeTaintsPolicy }: Constraint, { node }: NodeInfo): boolean =>
  (nodeAffinityPolicy === 'Ignore' || matchesNodeAffinity(pod, node)) &&
  (nodeTaintsPolicy !== 'Honor' || untolerated(pod, node, hardEffects) === undefined)

/** How many pods that a constraint speaks of each of its domains holds; those that are about to go do not count. */
export function spreadCounts(pod: Pod, constraint: Constraint, cluster: Cluster): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const info of cluster.nodes.values()) {
    const domain = labelOf(info, constraint.topologyKey)
    if (domain === undefined || !isCounted(pod, constraint, info)) continue
    let here = 0
    for (const {
      pod: { metadata },
    } of info.pods.values())
      if (
        metadata.namespace === pod.metadata.namespace &&
        metadata.deletionTimestamp === undefined &&
        matchesSelector(constraint.labelSelector, metadata.labels)
      )
        here++
    counts.set(domain, (counts.get(domain) ?? 0) + here)
  }
  return counts
}

function spreadRule(pod: Pod, constraint: Constraint, cluster: Cluster): Rule {
  const counts = spreadCounts(pod, constraint, cluster)
  const fewest = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values())
  const own = matchesSelector(constraint.labelSelector, pod.metadata.labels) ? 1 : 0
  return info => {
    const domain = labelOf(info, constraint.topologyKey)
    if (domain === undefined) return noDomain
    return (counts.get(domain) ?? 0) + own - fewest > constraint.maxSkew ? skewed : undefined
  }
}
