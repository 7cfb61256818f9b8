// Pods that wait for room on a node that was promised to them, after lower pods were told to leave it.
import type { Pod } from '../api/generated/models.ts'
import { priorityOf, type Requirements } from './requirements.ts'

const nobody: readonly Requirements[] = []

export class Nominations {
  private readonly byNode = new Map<string, Map<string, Requirements>>()
  private readonly nodes = new Map<string, string>()

  set(requirements: Requirements, nodeName: string): void {
    const { uid } = requirements.pod.metadata
    this.delete(uid)
    this.nodes.set(uid, nodeName)
    const here = this.byNode.get(nodeName) ?? new Map<string, Requirements>()
    this.byNode.set(nodeName, here.set(uid, requirements))
  }

  /** @returns the node it had been promised */
  delete(uid: string): string | undefined {
    const nodeName = this.nodes.get(uid)
    if (nodeName === undefined) return undefined
    this.nodes.delete(uid)
    const here = this.byNode.get(nodeName)!
    here.delete(uid)
    if (here.size === 0) this.byNode.delete(nodeName)
    return nodeName
  }

  nodeOf({ metadata }: Pod): string | undefined {
    return this.nodes.get(metadata.uid)
  }

  /** Those that a pod has to leave room for on this node: of its own priority or a higher one. */
  aheadOf(pod: Pod, nodeName: string): readonly Requirements[] {
    return this.byNode.has(nodeName)
      ? this.others(pod, nodeName).filter(other => priorityOf(other.pod) >= priorityOf(pod))
      : nobody
  }

  /** Those that a pod may push aside on this node. */
  behind(pod: Pod, nodeName: string): Pod[] {
    return this.others(pod, nodeName)
      .map(other => other.pod)
      .filter(other => priorityOf(other) < priorityOf(pod))
  }

  private others({ metadata }: Pod, nodeName: string): Requirements[] {
    const here = this.byNode.get(nodeName)
    return here === undefined ? [] : [...here.values()].filter(({ pod }) => pod.metadata.uid !== metadata.uid)
  }
}
