// Whether a pod fits on one node, and if not, why. Pure; in Kubernetes' order of filters, of which the first
// that fails speaks.
import type { Pod } from '../api/generated/models.ts'
import { isPortTaken } from '../api/host-ports.ts'
import { hardEffects, matchesNodeAffinity, untolerated } from '../control/node-match.ts'
import type { Requirements } from './requirements.ts'
import { forGood, forNow, type Rule, type Unfit } from './rule.ts'
import type { NodeInfo } from './snapshot.ts'

const unschedulable = forGood('node(s) were unschedulable')
const otherName = forGood("node(s) didn't match the requested node name")
const tainted = forGood('node(s) had untolerated taint(s)')
const unselected = forGood("node(s) didn't match Pod's node affinity/selector")
const portsTaken = forNow("node(s) didn't have free ports for the requested pod ports")

/** @param rules those of the pod, about its volumes and its neighbours; @returns undefined when the pod fits */
export function unfit(requirements: Requirements, info: NodeInfo, rules: readonly Rule[]): Unfit | undefined {
  const found = unsuitable(requirements.pod, info) ?? occupied(requirements, info)
  if (found !== undefined) return found
  for (const rule of rules) {
    const broken = rule(info)
    if (broken !== undefined) return broken
  }
  return undefined
}

const unschedulableTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

function unsuitable(pod: Pod, { node, name }: NodeInfo): Unfit | undefined {
  const { spec } = pod
  if (
    node.spec.unschedulable === true &&
    !(spec.tolerations ?? []).some(
      toleration =>
        toleration.operator === 'Exists' &&
        (!toleration.key || toleration.key === unschedulableTaint.key) &&
        (!toleration.effect || toleration.effect === unschedulableTaint.effect),
    )
  )
    return unschedulable
  if (spec.nodeName && spec.nodeName !== name) return otherName
  if (node.spec.taints !== undefined && untolerated(pod, node, hardEffects) !== undefined) return tainted
  return matchesNodeAffinity(pod, node) ? undefined : unselected
}

function occupied(requirements: Requirements, info: NodeInfo): Unfit | undefined {
  if (info.hostPorts.size > 0 && requirements.hostPorts.some(port => isPortTaken(port, info.hostPorts)))
    return portsTaken
  return lacking(requirements, info)
}

/** What even the empty node does not have, no leaving pod can give. */
function lacking({ requests }: Requirements, info: NodeInfo): Unfit | undefined {
  let reasons: string[] | undefined
  let isResolvable = true
  if (info.pods.size + 1 > (info.allocatable.get('pods') ?? 0)) reasons = ['Too many pods']
  for (const [name, amount] of requests) {
    const allocatable = info.allocatable.get(name) ?? 0
    if (amount <= 0 || amount <= allocatable - (info.requested.get(name) ?? 0)) continue
    ;(reasons ??= []).push(`Insufficient ${name}`)
    if (amount > allocatable) isResolvable = false
  }
  return reasons && { reasons, isResolvable }
}

const unnamed = forGood("node(s) didn't satisfy plugin(s) [NodeAffinity]")

/** Looks only at the nodes whose names the pod's affinity allows, as pods of DaemonSets have it; undefined when it names none. */
export function nameRule({ spec }: Pod): Rule | undefined {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const named = terms.map(
    term => term.matchFields?.find(field => field.key === 'metadata.name' && field.operator === 'In')?.values,
  )
  if (named.length === 0 || named.includes(undefined)) return undefined
  const names = new Set(named.flatMap(values => values ?? []))
  return info => (names.has(info.name) ? undefined : unnamed)
}
