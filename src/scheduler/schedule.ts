// Which node a pod goes to. Pure: filters in Kubernetes' order, then scores; the answer is a node, or for
// every reason the number of nodes that gave it.
import type { Random } from '../lib/random.ts'
import { controllerOf } from '../control/ownership.ts'
import { matchesNodeAffinity, matchesTerm, untolerated } from '../control/node-match.ts'
import type { HostPort, Requirements } from './requirements.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'
import type { NamespaceLabels, Rule } from './topology.ts'
import { matchesPodTerm, topologyRules } from './topology.ts'

export type Placement =
  | { readonly node: string }
  | { readonly reasons: ReadonlyMap<string, number>; readonly message: string }

/** Large clusters are not searched to the end once so many nodes fit. */
const enoughNodes = 100

/** `start` rotates where the search begins, so that large clusters fill evenly. */
export function schedule(requirements: Requirements, snapshot: Snapshot, options: { readonly random: Random; readonly start?: number; readonly namespaceLabels?: NamespaceLabels }): Placement {
  const nodes = [...snapshot.nodes.values()]
  const namespaceLabels = options.namespaceLabels ?? (() => undefined)
  const rules = topologyRules(requirements.pod, snapshot, namespaceLabels)
  const reasons = new Map<string, number>()
  const resolvable = { count: 0 }
  const feasible: NodeInfo[] = []
  const start = nodes.length <= enoughNodes ? 0 : (options.start ?? 0)
  for (let index = 0; index < nodes.length && feasible.length < enoughNodes; index++) {
    const info = nodes[(start + index) % nodes.length]!
    const found = unfit(requirements, info, rules, resolvable)
    if (found.length === 0) feasible.push(info)
    for (const reason of found) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  if (feasible.length === 0) return { reasons, message: explain(nodes.length, reasons, resolvable.count) }
  return { node: best(requirements, feasible, snapshot, namespaceLabels, options.random).name }
}

const hardEffects = ['NoSchedule', 'NoExecute']
const unschedulableTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }
const none: readonly string[] = []

function unfit(requirements: Requirements, info: NodeInfo, rules: readonly Rule[], resolvable: { count: number }): readonly string[] {
  const fixed = unfitForGood(requirements, info)
  if (fixed !== undefined) return [fixed]
  const found = info.hostPorts.size > 0 && requirements.hostPorts.some(port => isTaken(port, info.hostPorts)) ? ["node(s) didn't have free ports for the requested pod ports"] : lacking(requirements, info)
  if (found.length === 0) {
    for (const rule of rules) {
      const reason = rule(info)
      if (reason !== undefined) {
        resolvable.count++
        return [reason]
      }
    }
    return none
  }
  resolvable.count++
  return found
}

/** Reasons that no leaving pod could change. */
function unfitForGood({ pod }: Requirements, { node, name }: NodeInfo): string | undefined {
  const { spec } = pod
  if (node.spec.unschedulable === true && !(spec.tolerations ?? []).some(toleration => toleration.operator === 'Exists' && (!toleration.key || toleration.key === unschedulableTaint.key) && (!toleration.effect || toleration.effect === unschedulableTaint.effect))) return 'node(s) were unschedulable'
  if (spec.nodeName && spec.nodeName !== name) return "node(s) didn't match the requested node name"
  const taint = node.spec.taints === undefined ? undefined : untolerated(pod, node, hardEffects)
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`
  return matchesNodeAffinity(pod, node) ? undefined : "node(s) didn't match Pod's node affinity/selector"
}

function isTaken(wanted: HostPort, taken: ReadonlySet<HostPort>): boolean {
  for (const port of taken) {
    if (port.port === wanted.port && port.protocol === wanted.protocol && (port.address === wanted.address || port.address === '0.0.0.0' || wanted.address === '0.0.0.0')) return true
  }
  return false
}

function lacking({ requests }: Requirements, info: NodeInfo): readonly string[] {
  let found: string[] | undefined
  if (info.pods.size + 1 > (info.allocatable.get('pods') ?? 0)) found = ['Too many pods']
  for (const [name, amount] of requests) {
    if (amount > 0 && amount > (info.allocatable.get(name) ?? 0) - (info.requested.get(name) ?? 0)) (found ??= []).push(`Insufficient ${name}`)
  }
  return found ?? none
}

function explain(nodes: number, reasons: ReadonlyMap<string, number>, resolvable: number): string {
  if (nodes === 0) return 'no nodes available to schedule pods'
  const list = (counts: Iterable<readonly [string, number]>): string => Array.from(counts, ([reason, count]) => `${count} ${reason}`).sort((a, b) => (a < b ? -1 : 1)).join(', ')
  const head = `0/${nodes} nodes are available`
  const preemption = [['No preemption victims found for incoming pod', resolvable], ['Preemption is not helpful for scheduling', nodes - resolvable]] as const
  return `${head}: ${list(reasons)}. preemption: ${head}: ${list(preemption.filter(([, count]) => count > 0))}.`
}

type Scorer = (info: NodeInfo) => number

function best(requirements: Requirements, feasible: readonly NodeInfo[], snapshot: Snapshot, namespaceLabels: NamespaceLabels, random: Random): NodeInfo {
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
function scorersFor(requirements: Requirements, feasible: readonly NodeInfo[], snapshot: Snapshot, namespaceLabels: NamespaceLabels): Scorer[] {
  const { pod } = requirements
  const scorers: Scorer[] = [info => resourceScore(requirements, info)]
  const soft = (info: NodeInfo): number => (info.node.spec.taints ?? []).filter(taint => taint.effect === 'PreferNoSchedule' && untolerated(pod, { ...info.node, spec: { taints: [taint] } }, ['PreferNoSchedule']) !== undefined).length
  if (feasible.some(info => info.node.spec.taints?.some(taint => taint.effect === 'PreferNoSchedule'))) scorers.push(normalized(feasible, info => -soft(info), 3))
  const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  if (preferred.length > 0) scorers.push(normalized(feasible, info => preferred.reduce((sum, term) => sum + (matchesTerm(term.preference, info.node) ? term.weight : 0), 0), 2))
  const controller = controllerOf(pod)?.uid
  if (controller !== undefined) scorers.push(normalized(feasible, info => -(info.siblings.get(controller) ?? 0), 2))
  const neighbours = neighbourScore(requirements, snapshot, namespaceLabels)
  if (neighbours !== undefined) scorers.push(normalized(feasible, neighbours, 2))
  return scorers
}

function normalized(feasible: readonly NodeInfo[], raw: Scorer, weight: number): Scorer {
  const values = new Map(feasible.map(info => [info.name, raw(info)]))
  const lowest = Math.min(...values.values())
  const span = Math.max(...values.values()) - lowest
  return info => (span === 0 ? 0 : weight * 100 * ((values.get(info.name) ?? lowest) - lowest) / span)
}

/** Free nodes first, and nodes whose processor and memory fill up evenly. */
function resourceScore(requirements: Requirements, info: NodeInfo): number {
  const cpu = share(info.scoredMilliCpu + requirements.scoredMilliCpu, info.allocatable.get('cpu'))
  const memory = share(info.scoredMemoryBytes + requirements.scoredMemoryBytes, info.allocatable.get('memory'))
  const least = 100 * (1 - cpu + 1 - memory) / 2
  const balanced = 100 * (1 - Math.abs(cpu - memory) / 2)
  return least + balanced
}

const share = (used: number, allocatable: number | undefined): number => (allocatable ? Math.min(1, used / allocatable) : 1)

function neighbourScore({ pod }: Requirements, snapshot: Snapshot, namespaceLabels: NamespaceLabels): Scorer | undefined {
  const name = 'preferredDuringSchedulingIgnoredDuringExecution'
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  const near = (podAffinity?.[name] ?? []).map(({ podAffinityTerm: term, weight }) => ({ term, weight }))
  const terms = [...near, ...(podAntiAffinity?.[name] ?? []).map(({ podAffinityTerm: term, weight }) => ({ term, weight: -weight }))]
  if (terms.length === 0) return undefined
  const sums = new Map<string, number>()
  for (const info of snapshot.nodes.values()) {
    for (const { term, weight } of terms) {
      const domain = `${term.topologyKey}=${info.node.metadata.labels?.[term.topologyKey]}`
      for (const { pod: other } of info.pods.values()) if (matchesPodTerm(term, pod, other, namespaceLabels)) sums.set(domain, (sums.get(domain) ?? 0) + weight)
    }
  }
  return info => terms.reduce((sum, { term: { topologyKey } }) => sum + (sums.get(`${topologyKey}=${info.node.metadata.labels?.[topologyKey]}`) ?? 0), 0)
}
