// The cluster as it would be if pods left or joined one of its nodes. The cluster itself does not change.
import type { Requirements } from './requirements.ts'
import type { Cluster, NodeInfo, Placed } from './snapshot.ts'
import { repels } from './snapshot.ts'

export class Trial implements Cluster {
  readonly repelling: Map<string, Placed>
  /** The node that may be changed. */
  readonly node: NodeInfo
  private readonly original: Cluster
  private copied: Map<string, NodeInfo> | undefined

  constructor(cluster: Cluster, info: NodeInfo) {
    this.original = cluster
    this.node = info.copy()
    this.repelling = new Map(cluster.repelling)
  }

  /** Copied when first asked for: few pods have rules that look at other nodes. */
  get nodes(): ReadonlyMap<string, NodeInfo> {
    return (this.copied ??= new Map(this.original.nodes).set(this.node.name, this.node))
  }

  add(requirements: Requirements): void {
    this.node.add(requirements)
    if (repels(requirements.pod))
      this.repelling.set(requirements.pod.metadata.uid, { nodeName: this.node.name, requirements })
  }

  remove(requirements: Requirements): void {
    this.node.remove(requirements)
    this.repelling.delete(requirements.pod.metadata.uid)
  }
}
