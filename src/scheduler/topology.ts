// Rules about a pod's neighbours: affinity, anti-affinity, spread. Everything that depends on the pod
// alone is computed once (`topologyRules`); the rules then look at one node at a time.
import type { Pod, PodAffinityTerm } from '../api/generated/models.ts'
import { matchesSelector } from '../api/label-selector.ts'
import { matchesNodeAffinity } from '../control/node-match.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'

/** Labels of a namespace, for namespace selectors. */
export type NamespaceLabels = (namespace: string) => Readonly<Record<string, string>> | undefined

export type Rule = (node: NodeInfo) => string | undefined

const requiredName = 'requiredDuringSchedulingIgnoredDuringExecution'
const labelOf = (info: NodeInfo, key: string): string | undefined => info.node.metadata.labels?.[key]

export function topologyRules(pod: Pod, snapshot: Snapshot, namespaceLabels: NamespaceLabels): Rule[] {
  const { affinity, topologySpreadConstraints = [] } = pod.spec
  return [
    ...(snapshot.repelling.size > 0 ? [existingAntiAffinity(pod, snapshot, namespaceLabels)] : []),
    ...(affinity?.podAffinity?.[requiredName] ?? []).map(term => affinityRule(pod, term, snapshot, namespaceLabels)),
    ...(affinity?.podAntiAffinity?.[requiredName] ?? []).map(term => antiAffinityRule(pod, term, snapshot, namespaceLabels)),
    ...topologySpreadConstraints.filter(constraint => constraint.whenUnsatisfiable === 'DoNotSchedule').map(constraint => spreadRule(pod, constraint, snapshot)),
  ]
}

/** Whether `other` is one of the pods that a term of `owner` speaks of. */
export function matchesPodTerm(term: PodAffinityTerm, owner: Pod, other: Pod, namespaceLabels: NamespaceLabels): boolean {
  const namespace = other.metadata.namespace ?? ''
  const named = term.namespaces ?? []
  const own = named.length === 0 && term.namespaceSelector === undefined && namespace === owner.metadata.namespace
  const inNamespace = own || named.includes(namespace) || (term.namespaceSelector !== undefined && matchesSelector(term.namespaceSelector, namespaceLabels(namespace) ?? {}))
  return inNamespace && matchesSelector(term.labelSelector, other.metadata.labels)
}

/** The topology domains that hold a pod of the term. */
function domainsOf(pod: Pod, term: PodAffinityTerm, snapshot: Snapshot, namespaceLabels: NamespaceLabels): Set<string> {
  const domains = new Set<string>()
  for (const info of snapshot.nodes.values()) {
    const domain = labelOf(info, term.topologyKey)
    if (domain === undefined || domains.has(domain)) continue
    if (info.pods.values().some(({ pod: other }) => matchesPodTerm(term, pod, other, namespaceLabels))) domains.add(domain)
  }
  return domains
}

function affinityRule(pod: Pod, term: PodAffinityTerm, snapshot: Snapshot, namespaceLabels: NamespaceLabels): Rule {
  const domains = domainsOf(pod, term, snapshot, namespaceLabels)
  // The first of a group that wants to be together may start anywhere.
  const first = domains.size === 0 && matchesPodTerm(term, pod, pod, namespaceLabels)
  return info => {
    const domain = labelOf(info, term.topologyKey)
    return domain !== undefined && (first || domains.has(domain)) ? undefined : "node(s) didn't match pod affinity rules"
  }
}

function antiAffinityRule(pod: Pod, term: PodAffinityTerm, snapshot: Snapshot, namespaceLabels: NamespaceLabels): Rule {
  const domains = domainsOf(pod, term, snapshot, namespaceLabels)
  return info => (domains.has(labelOf(info, term.topologyKey) ?? '') ? "node(s) didn't match pod anti-affinity rules" : undefined)
}

function existingAntiAffinity(pod: Pod, snapshot: Snapshot, namespaceLabels: NamespaceLabels): Rule {
  const closed = new Set<string>()
  for (const { nodeName, requirements } of snapshot.repelling.values()) {
    const info = snapshot.nodes.get(nodeName)
    for (const term of requirements.pod.spec.affinity?.podAntiAffinity?.[requiredName] ?? []) {
      const domain = info && labelOf(info, term.topologyKey)
      if (domain !== undefined && matchesPodTerm(term, requirements.pod, pod, namespaceLabels)) closed.add(`${term.topologyKey}=${domain}`)
    }
  }
  const keys = new Set([...closed].map(entry => entry.slice(0, entry.indexOf('='))))
  return info => ([...keys].some(key => closed.has(`${key}=${labelOf(info, key)}`)) ? "node(s) didn't satisfy existing pods anti-affinity rules" : undefined)
}

type Constraint = NonNullable<Pod['spec']['topologySpreadConstraints']>[number]

function spreadRule(pod: Pod, constraint: Constraint, snapshot: Snapshot): Rule {
  const counts = new Map<string, number>()
  for (const info of snapshot.nodes.values()) {
    const domain = labelOf(info, constraint.topologyKey)
    if (domain === undefined || (constraint.nodeAffinityPolicy !== 'Ignore' && !matchesNodeAffinity(pod, info.node))) continue
    const here = info.pods.values().filter(({ pod: other }) => other.metadata.namespace === pod.metadata.namespace && other.metadata.deletionTimestamp === undefined && matchesSelector(constraint.labelSelector, other.metadata.labels))
    counts.set(domain, (counts.get(domain) ?? 0) + here.toArray().length)
  }
  const fewest = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values())
  const own = matchesSelector(constraint.labelSelector, pod.metadata.labels) ? 1 : 0
  return info => {
    const domain = labelOf(info, constraint.topologyKey)
    if (domain === undefined) return "node(s) didn't match pod topology spread constraints (missing required label)"
    return (counts.get(domain) ?? 0) + own - fewest > constraint.maxSkew ? "node(s) didn't match pod topology spread constraints" : undefined
  }
}
