// Watches the heartbeats of nodes: marks silent ones and keeps the taints in step with the conditions. Who
// has to leave because of them is decided by the taint-eviction controller.
import type { Node, Pod, Taint } from '../../api/generated/models.ts'
import { leases, nodes, pods } from '../../api/resources.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { podsByNode } from '../../control/pods.ts'
import { unlessNotFound } from '../../control/removal.ts'
import { formatTime } from '../../lib/clock.ts'
import { graceMs, planConditions, planTaints } from './plan.ts'

const leaseNamespace = 'kube-node-lease'

export const nodeLifecycleController = defineController({
  name: 'node-lifecycle',
  primary: nodes,
  watches: [
    // A renewed lease needs no run: the run that was planned for its end looks at it.
    watch({
      resource: leases,
      matters: () => false,
      keysOf: ({ metadata }) => (metadata.namespace === leaseNamespace ? [metadata.name] : []),
    }),
  ],
  reconciler: reconcileNodes,
})

function reconcileNodes({ client, clock, recorder }: ControllerContext): Reconciler {
  const informer = client.informer(nodes)
  const podsOn = podsByNode(client)
  const leaseInformer = client.informer(leases)
  const firstSeenMs = new Map<string, number>()

  return async function reconcile(name): Promise<Outcome> {
    const node = informer.get({ name })
    if (node === undefined) {
      firstSeenMs.delete(name)
      return 'done'
    }
    const heartbeatMs = lastHeartbeatMs(node)
    const silent = await markSilent(node, heartbeatMs)
    await writeTaints(silent)
    const leftMs = heartbeatMs + graceMs + 1000 - clock.now()
    return { requeueAfterMs: leftMs > 0 ? Math.max(100, leftMs) : graceMs }
  }

  /** The newest sign of life: the lease, the status, or that we have only just met. */
  function lastHeartbeatMs(node: Node): number {
    const { name } = node.metadata
    const met = firstSeenMs.get(name) ?? clock.now()
    firstSeenMs.set(name, met)
    const renewed = Date.parse(leaseInformer.get({ namespace: leaseNamespace, name })?.spec.renewTime ?? '')
    const posted = Math.max(
      0,
      ...(node.status.conditions ?? []).map(condition => Date.parse(condition.lastHeartbeatTime ?? '') || 0),
    )
    return Math.max(met, renewed || 0, posted)
  }

  async function markSilent(node: Node, heartbeatMs: number): Promise<Node> {
    const conditions = planConditions(node, heartbeatMs, clock.now())
    if (conditions === undefined) return node
    recorder.recordEvent(node, 'Normal', 'NodeNotReady', `Node ${node.metadata.name} status is now: NodeNotReady`)
    const written = await client.update(
      nodes,
      { ...node, status: { ...node.status, conditions } },
      { subresource: 'status' },
    )
    await Promise.all(podsOn(node.metadata.name).map(markPodNotReady))
    return written
  }

  async function markPodNotReady(pod: Pod): Promise<void> {
    if (!pod.status.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True')) return
    const condition = { type: 'Ready', status: 'False', lastTransitionTime: formatTime(clock.now()) }
    await unlessNotFound(
      client.patch(
        pods,
        pod.metadata,
        { type: 'strategic', value: { status: { conditions: [condition] } } },
        { subresource: 'status' },
      ),
    )
  }

  async function writeTaints(node: Node): Promise<void> {
    const taints = planTaints(node, clock.now())
    if (!sameSet(taints, node.spec.taints ?? []))
      await client.update(nodes, { ...node, spec: { ...node.spec, taints } })
  }
}

const sameSet = (left: readonly Taint[], right: readonly Taint[]): boolean =>
  left.length === right.length &&
  left.every(taint => right.some(other => other.key === taint.key && other.effect === taint.effect))
