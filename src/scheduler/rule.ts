// What keeps a pod off a node, and the shape of the functions that say so.
import type { NodeInfo } from './snapshot.ts'

export interface Unfit {
  /** Word for word those of Kubernetes 1.36. */
  readonly reasons: readonly string[]
  /** Whether pods that leave the node could change it. */
  readonly isResolvable: boolean
}

/** Why the node does not do; undefined when it does. */
export type Rule = (node: NodeInfo) => Unfit | undefined

export const forGood = (reason: string): Unfit => ({ reasons: [reason], isResolvable: false })
export const forNow = (reason: string): Unfit => ({ reasons: [reason], isResolvable: true })

/** Why no node does, as events and conditions say it, with the number of nodes for each reason. */
export function availability(nodes: number, reasonsOfNodes: Iterable<readonly string[]>): string {
  const counts = new Map<string, number>()
  for (const reasons of reasonsOfNodes) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const list = Array.from(counts, ([reason, count]) => `${count} ${reason}`).sort((a, b) => (a < b ? -1 : 1))
  return `0/${nodes} nodes are available: ${list.join(', ')}.`
}
