// Whether this node takes a pod that was bound to it: whoever binds a pod may have seen another node than this one
// is, and some bind without looking. Pure. Reasons and words are the kubelet's, whose first finding speaks.
// Source: kubernetes pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/sysctl/allowlist.go, pkg/security/apparmor.
import type { Node, Pod } from '../api/generated/models.ts'
import { hostPortsOf, isPortTaken } from '../api/host-ports.ts'
import { amountsOf, podRequests, type Amounts } from '../api/pod-requests.ts'
import { safeSysctls } from '../api/pod-security.ts'
import { matchesNodeAffinity, untolerated } from '../control/node-match.ts'
import { appArmorOf } from './app-armor.ts'
import { allContainersOf } from './pod-facts.ts'

export interface NodeView {
  /** Undefined: the API does not show it at this moment; then it has no limits. */
  readonly node: Node | undefined
  /** Pods that were taken and have not ended. */
  readonly others: readonly Pod[]
  readonly hasAppArmor: boolean
}

export interface Rejection {
  readonly reason: string
  readonly message: string
}

const operatingSystem = 'linux'

/** Undefined: the pod is taken. */
export function rejectionOf(pod: Pod, view: NodeView): Rejection | undefined {
  const { node, others } = view
  return (
    forbiddenSysctl(pod) ??
    unsupported(pod, node) ??
    (node && (lacking(pod, node, others) ?? unsuitable(pod, node, others))) ??
    unprotected(pod, view)
  )
}

/** Beside those that a restricted namespace allows. */
const allowedSysctls = new Set([...safeSysctls, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'])

function forbiddenSysctl({ spec }: Pod): Rejection | undefined {
  const reject = (why: string): Rejection => ({ reason: 'SysctlForbidden', message: `forbidden sysctl: ${why}` })
  for (const { name: written } of spec.securityContext?.sysctls ?? []) {
    const name = written.replaceAll('/', '.')
    if (!allowedSysctls.has(name)) return reject(`"${name}" not allowlisted`)
    if (name.startsWith('net.') && spec.hostNetwork === true)
      return reject(`"${name}" not allowed with host Net enabled`)
    if (name.startsWith('kernel.') && spec.hostIPC === true)
      return reject(`"${name}" not allowed with host IPC enabled`)
  }
  return undefined
}

function unsupported({ metadata, spec }: Pod, node: Node | undefined): Rejection | undefined {
  const osLabel = metadata.labels?.['kubernetes.io/os']
  if (osLabel !== undefined && osLabel !== operatingSystem)
    return {
      reason: 'PodOSSelectorNodeLabelDoesNotMatch',
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    }
  if (spec.os !== undefined && spec.os.name !== operatingSystem)
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" }
  const isStrict = spec.securityContext?.supplementalGroupsPolicy === 'Strict'
  if (isStrict && node?.status.features?.supplementalGroupsPolicy !== true)
    return {
      reason: 'SupplementalGroupsPolicyNotSupported',
      message: 'SupplementalGroupsPolicy=Strict is not supported in this node',
    }
  return undefined
}

function lacking(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  const allocatable = amountsOf(node.status.allocatable)
  const capacity = allocatable.get('pods') ?? 0
  if (others.length + 1 > capacity) return insufficient('pods', 1, others.length, capacity)
  const used = sum(others)
  for (const [name, requested] of inOrder(podRequests(pod.spec))) {
    if (requested <= 0 || (isExtended(name) && !allocatable.has(name))) continue
    const [inUse, offered] = [used.get(name) ?? 0, allocatable.get(name) ?? 0]
    if (requested > offered - inUse) return insufficient(name, requested, inUse, offered)
  }
  return undefined
}

const insufficient = (name: string, requested: number, used: number, capacity: number): Rejection => ({
  reason: `OutOf${name}`,
  message: `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})

function sum(pods: readonly Pod[]): Amounts {
  const total = new Map<string, number>()
  for (const { spec } of pods)
    for (const [name, amount] of podRequests(spec)) total.set(name, (total.get(name) ?? 0) + amount)
  return total
}

const looked = ['cpu', 'memory', 'ephemeral-storage']

/** As the scheduler looks at them, so that both name the same one. */
const inOrder = (amounts: Amounts): [string, number][] => {
  const rankOf = (name: string): number => (looked.indexOf(name) + looked.length + 1) % (looked.length + 1)
  return [...amounts].sort(([left], [right]) => rankOf(left) - rankOf(right))
}

/** Resources of other makers may be those of the cluster as a whole, which no node counts. */
const isExtended = (name: string): boolean => name.includes('/') && !name.includes('kubernetes.io/')

const failed = (predicate: string, why: string): Rejection => ({
  reason: predicate,
  message: `Predicate ${predicate} failed: ${why}`,
})

function unsuitable(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  if (!matchesNodeAffinity(pod, node))
    return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
  const taken = others.flatMap(({ spec }) => hostPortsOf(spec))
  if (hostPortsOf(pod.spec).some(port => isPortTaken(port, taken)))
    return failed('NodePorts', "node(s) didn't have free ports for the requested pod ports")
  if (untolerated(pod, node, ['NoExecute']) !== undefined)
    return failed('TaintToleration', "node(s) had taints that the pod didn't tolerate")
  return undefined
}

function unprotected(pod: Pod, { hasAppArmor }: NodeView): Rejection | undefined {
  const profiles = allContainersOf(pod).map(container => appArmorOf(pod, container))
  const isAsked = [pod.spec.securityContext?.appArmorProfile, ...profiles].some(
    profile => profile !== undefined && profile.type !== 'Unconfined',
  )
  if (!isAsked || hasAppArmor) return undefined
  return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' }
}
