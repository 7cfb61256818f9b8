// Says on each node for how long node agents may keep Secrets and ConfigMaps they have read, the longer the
// larger the cluster is. The sizes overlap, so that one node more or less does not turn it back and forth.
import type { Node } from '../../api/generated/models.ts'
import { nodes } from '../../api/resources.ts'
import {
  defineController,
  watch,
  type ControllerContext,
  type Outcome,
  type Reconciler,
} from '../../control/controller.ts'
import { unlessNotFound } from '../../control/removal.ts'

const annotation = 'node.alpha.kubernetes.io/ttl'

const steps = [
  { from: 0, to: 100, seconds: 0 },
  { from: 90, to: 500, seconds: 15 },
  { from: 450, to: 1000, seconds: 30 },
  { from: 900, to: 2000, seconds: 60 },
  { from: 1800, to: Infinity, seconds: 300 },
] as const

/** The step for so many nodes, coming from another. */
export function nextStep(step: number, nodeCount: number): number {
  let found = step
  while (nodeCount > steps[found]!.to) found++
  while (nodeCount < steps[found]!.from) found--
  return found
}

const ttlOf = ({ metadata }: Node): string | undefined => metadata.annotations?.[annotation]

/** How many there are concerns all of them, so there is one key for all. */
export const ttlController = defineController({
  name: 'ttl',
  watches: [watch({ resource: nodes, matters: (node, old) => ttlOf(node) !== ttlOf(old), keysOf: () => ['nodes'] })],
  reconciler: annotateNodes,
})

function annotateNodes({ client }: ControllerContext): Reconciler {
  const informer = client.informer(nodes)
  let step = 0
  return async function reconcile(): Promise<Outcome> {
    const all = informer.list()
    step = nextStep(step, all.length)
    const wanted = String(steps[step]!.seconds)
    for (const node of all) {
      if (ttlOf(node) === wanted) continue
      await unlessNotFound(
        client.patch(nodes, node.metadata, {
          type: 'merge',
          value: { metadata: { annotations: { [annotation]: wanted } } },
        }),
      )
    }
    return 'done'
  }
}
