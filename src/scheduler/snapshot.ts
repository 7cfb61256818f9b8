// The scheduler's picture of the nodes and of what their pods take, kept up to date change by change.
// A placement counts at once (`place`), before the API server has confirmed it.
import type { Node, Pod } from '../api/generated/models.ts'
import type { HostPort } from '../api/host-ports.ts'
import { amountsOf, type Amounts } from '../api/pod-requests.ts'
import { sameJson } from '../api/validation/scalars.ts'
import { controllerOf } from '../control/ownership.ts'
import { isFinished } from '../control/pods.ts'
import { imageSizes } from './image-sizes.ts'
import { Nominations } from './nominations.ts'
import { requirementsOf, type Requirements } from './requirements.ts'

export interface Placed {
  readonly nodeName: string
  readonly requirements: Requirements
}

/** What the rules about a pod's neighbours look at. */
export interface Cluster {
  /** Only nodes that exist. */
  readonly nodes: ReadonlyMap<string, NodeInfo>
  /** Placed pods with required anti-affinity, by uid: everybody else has to ask them. */
  readonly repelling: ReadonlyMap<string, Placed>
}

export const repels = ({ spec }: Pod): boolean =>
  Boolean(spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length)

const hasWishes = ({ spec: { affinity } }: Pod): boolean =>
  affinity?.podAffinity !== undefined ||
  Boolean(affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length)

export class NodeInfo {
  readonly name: string
  node: Node
  allocatable: Amounts
  /** Bytes of the images here by name. */
  images: ReadonlyMap<string, number>
  readonly pods = new Map<string, Requirements>()
  readonly requested = new Map<string, number>()
  readonly hostPorts = new Set<HostPort>()
  /** Pods here by the uid of their controller. */
  readonly siblings = new Map<string, number>()
  scoredMilliCpu = 0
  scoredMemoryBytes = 0

  constructor(node: Node, images = imageSizes(node)) {
    this.name = node.metadata.name
    this.node = node
    this.allocatable = amountsOf(node.status.allocatable)
    this.images = images
  }

  /** @returns whether other images are here now */
  update(node: Node): boolean {
    const hasOthers = !sameJson(node.status.images, this.node.status.images)
    if (hasOthers) this.images = imageSizes(node)
    this.node = node
    this.allocatable = amountsOf(node.status.allocatable)
    return hasOthers
  }

  /** The same node with books of its own. */
  copy(): NodeInfo {
    const copy = new NodeInfo(this.node, this.images)
    for (const requirements of this.pods.values()) copy.add(requirements)
    return copy
  }

  add(requirements: Requirements): void {
    this.pods.set(requirements.pod.metadata.uid, requirements)
    this.count(requirements, 1)
  }

  remove(requirements: Requirements): void {
    if (this.pods.delete(requirements.pod.metadata.uid)) this.count(requirements, -1)
  }

  private count(requirements: Requirements, direction: 1 | -1): void {
    for (const [name, amount] of requirements.requests)
      this.requested.set(name, (this.requested.get(name) ?? 0) + direction * amount)
    for (const port of requirements.hostPorts)
      if (direction === 1) this.hostPorts.add(port)
      else this.hostPorts.delete(port)
    this.scoredMilliCpu += direction * requirements.scoredMilliCpu
    this.scoredMemoryBytes += direction * requirements.scoredMemoryBytes
    const controller = controllerOf(requirements.pod)?.uid
    if (controller !== undefined) this.siblings.set(controller, (this.siblings.get(controller) ?? 0) + direction)
  }
}

export class Snapshot implements Cluster {
  readonly nodes = new Map<string, NodeInfo>()
  readonly repelling = new Map<string, Placed>()
  /** Placed pods that want others beside them or, if possible, away from them. */
  readonly wishing = new Map<string, Placed>()
  readonly nominations = new Nominations()
  /** By uid; also those on nodes that are not known. */
  private readonly placed = new Map<string, Placed>()

  /** How many nodes have an image, by its name. */
  private readonly imageNodes = new Map<string, number>()

  nodesWithImage(name: string): number {
    return this.imageNodes.get(name) ?? 0
  }

  setNode(node: Node): void {
    const known = this.nodes.get(node.metadata.name)
    if (known !== undefined) {
      const before = known.images
      if (known.update(node)) this.countImages(before, known.images)
      return
    }
    const info = new NodeInfo(node)
    this.nodes.set(info.name, info)
    this.countImages(new Map(), info.images)
    for (const { nodeName, requirements } of this.placed.values()) if (nodeName === info.name) info.add(requirements)
  }

  removeNode(name: string): void {
    this.countImages(this.nodes.get(name)?.images ?? new Map(), new Map())
    this.nodes.delete(name)
  }

  private countImages(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): void {
    for (const name of before.keys()) this.imageNodes.set(name, this.nodesWithImage(name) - 1)
    for (const name of after.keys()) this.imageNodes.set(name, this.nodesWithImage(name) + 1)
    for (const name of before.keys()) if (this.nodesWithImage(name) === 0) this.imageNodes.delete(name)
  }

  /** Takes in a pod as the API shows it. */
  setPod(pod: Pod): void {
    if (isFinished(pod)) return this.removePod(pod.metadata.uid)
    if (!pod.spec.nodeName) return
    const known = this.placed.get(pod.metadata.uid)
    if (known?.nodeName === pod.spec.nodeName && sameShape(known.requirements.pod, pod)) {
      known.requirements.pod = pod
      return
    }
    this.place(requirementsOf(pod), pod.spec.nodeName)
  }

  place(requirements: Requirements, nodeName: string): void {
    const { uid } = requirements.pod.metadata
    this.removePod(uid)
    const entry = { nodeName, requirements }
    this.placed.set(uid, entry)
    if (repels(requirements.pod)) this.repelling.set(uid, entry)
    if (hasWishes(requirements.pod)) this.wishing.set(uid, entry)
    this.nodes.get(nodeName)?.add(requirements)
  }

  removePod(uid: string): void {
    const entry = this.placed.get(uid)
    if (entry === undefined) return
    this.placed.delete(uid)
    this.repelling.delete(uid)
    this.wishing.delete(uid)
    this.nodes.get(entry.nodeName)?.remove(entry.requirements)
  }
}

/** Status updates come all the time; only another specification or other labels count. */
const sameShape = (before: Pod, after: Pod): boolean =>
  before.metadata.generation !== undefined &&
  before.metadata.generation === after.metadata.generation &&
  sameJson(before.metadata.labels, after.metadata.labels)
