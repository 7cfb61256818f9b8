// The scheduler's picture of the nodes and of what their pods take, kept up to date change by change.
// A placement counts at once (`place`), before the API server has confirmed it.
import type { Node, Pod } from '../api/generated/models.ts'
import { amountsOf, type Amounts } from '../api/pod-requests.ts'
import { sameJson } from '../api/validation/scalars.ts'
import { controllerOf } from '../control/ownership.ts'
import { isFinished } from '../control/pods.ts'
import { requirementsOf, type HostPort, type Requirements } from './requirements.ts'

export class NodeInfo {
  readonly name: string
  node: Node
  allocatable: Amounts
  readonly pods = new Map<string, Requirements>()
  readonly requested = new Map<string, number>()
  readonly hostPorts = new Set<HostPort>()
  /** Pods here by the uid of their controller. */
  readonly siblings = new Map<string, number>()
  scoredMilliCpu = 0
  scoredMemoryBytes = 0

  constructor(node: Node) {
    this.name = node.metadata.name
    this.node = node
    this.allocatable = amountsOf(node.status.allocatable)
  }

  update(node: Node): void {
    this.node = node
    this.allocatable = amountsOf(node.status.allocatable)
  }

  count(requirements: Requirements, direction: 1 | -1): void {
    for (const [name, amount] of requirements.requests) this.requested.set(name, (this.requested.get(name) ?? 0) + direction * amount)
    for (const port of requirements.hostPorts) if (direction === 1) this.hostPorts.add(port); else this.hostPorts.delete(port)
    this.scoredMilliCpu += direction * requirements.scoredMilliCpu
    this.scoredMemoryBytes += direction * requirements.scoredMemoryBytes
    const controller = controllerOf(requirements.pod)?.uid
    if (controller !== undefined) this.siblings.set(controller, (this.siblings.get(controller) ?? 0) + direction)
  }
}

export class Snapshot {
  /** Only nodes that exist; pods of unknown nodes wait in `strays`. */
  readonly nodes = new Map<string, NodeInfo>()
  private readonly placed = new Map<string, { nodeName: string; requirements: Requirements }>()
  /** Placed pods with required anti-affinity: everybody else has to ask them. */
  readonly repelling = new Map<string, { nodeName: string; requirements: Requirements }>()

  setNode(node: Node): void {
    const known = this.nodes.get(node.metadata.name)
    if (known !== undefined) return known.update(node)
    const info = new NodeInfo(node)
    this.nodes.set(info.name, info)
    for (const [uid, { nodeName, requirements }] of this.placed) if (nodeName === info.name) putOn(info, uid, requirements)
  }

  removeNode(name: string): void {
    this.nodes.delete(name)
  }

  /** Takes in a pod as the API shows it. */
  setPod(pod: Pod): void {
    if (isFinished(pod)) return this.removePod(pod.metadata.uid)
    if (!pod.spec.nodeName) return
    const known = this.placed.get(pod.metadata.uid)
    if (known?.nodeName === pod.spec.nodeName && sameShape(known.requirements.pod, pod)) return
    this.place(requirementsOf(pod), pod.spec.nodeName)
  }

  place(requirements: Requirements, nodeName: string): void {
    const { uid } = requirements.pod.metadata
    this.removePod(uid)
    const entry = { nodeName, requirements }
    this.placed.set(uid, entry)
    if (requirements.pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length) this.repelling.set(uid, entry)
    const info = this.nodes.get(nodeName)
    if (info !== undefined) putOn(info, uid, requirements)
  }

  removePod(uid: string): void {
    const entry = this.placed.get(uid)
    if (entry === undefined) return
    this.placed.delete(uid)
    this.repelling.delete(uid)
    const info = this.nodes.get(entry.nodeName)
    if (info?.pods.delete(uid)) info.count(entry.requirements, -1)
  }
}

/** Status updates come all the time; only another specification or other labels count. */
const sameShape = (before: Pod, after: Pod): boolean =>
  before.metadata.generation !== undefined && before.metadata.generation === after.metadata.generation && sameJson(before.metadata.labels, after.metadata.labels)

function putOn(info: NodeInfo, uid: string, requirements: Requirements): void {
  info.pods.set(uid, requirements)
  info.count(requirements, 1)
}
