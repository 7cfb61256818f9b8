// The cluster as it would be if pods left or joined one of its nodes. The cluster itself does not change.
import type { Requirements } from './requirements.ts'
import type { Cluster, NodeInfo, Placed } from './snapshot.ts'
import { repels } from './snapshot.ts'

export class Trial implements Cluster {
  readonly nodes: Map<string, NodeInfo>
  readonly repelling: Map<string, Placed>
  /** The node that may be changed. */
  readonly node: NodeInfo

  constructor(cluster: Cluster, info: NodeInfo) {
    this.node = info.copy()
    this.nodes = new Map(cluster.nodes).set(info.name, this.node)
    this.repelling = new Map(cluster.repelling)
  }

  add(requirements: Requirements): void {
    this.node.add(requirements)
    if (repels(requirements.pod)) this.repelling.set(requirements.pod.metadata.uid, { nodeName: this.node.name, requirements })
  }

  remove(requirements: Requirements): void {
    this.node.remove(requirements)
    this.repelling.delete(requirements.pod.metadata.uid)
  }
}
