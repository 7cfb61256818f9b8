// Watches the heartbeats of nodes: marks silent ones, keeps the taints in step with the conditions, and
// evicts pods that do not tolerate them (any longer).
import type { Node, Pod, Taint } from '../../api/generated/models.ts'
import { leases, nodes, pods } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { isTerminating, podsByNode } from '../../control/pods.ts'
import { removeObject, unlessNotFound } from '../../control/removal.ts'
import { formatTime } from '../../lib/clock.ts'
import { evictionMs, graceMs, planConditions, planTaints } from './plan.ts'

const leaseNamespace = 'kube-node-lease'

export const nodeLifecycleController = defineController({
  name: 'node-lifecycle',
  primary: nodes,
  watches: [
    // A renewed lease needs no run: the run that was planned for its end looks at it.
    watch({ resource: leases, matters: () => false, keysOf: ({ metadata }) => (metadata.namespace === leaseNamespace ? [metadata.name] : []) }),
    watch({ resource: pods, matters: (pod, old) => pod.spec.nodeName !== old.spec.nodeName || !sameJson(pod.spec.tolerations, old.spec.tolerations), keysOf: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []) }),
  ],
  reconciler: reconcileNodes,
})

function reconcileNodes({ client, clock, recorder }: ControllerContext): Reconciler {
  const informer = client.informer(nodes)
  const podsOn = podsByNode(client)
  const leaseInformer = client.informer(leases)
  const firstSeenMs = new Map<string, number>()
  /** Of each node, when the taints were met that do not say since when they are there. */
  const taintsMet = new Map<string, ReadonlyMap<string, string>>()

  return async function reconcile(name): Promise<Outcome> {
    const node = informer.get({ name })
    if (node === undefined) {
      firstSeenMs.delete(name)
      taintsMet.delete(name)
      return 'done'
    }
    const heartbeatMs = lastHeartbeatMs(node)
    const silent = await markSilent(node, heartbeatMs)
    const tainted = await writeTaints(silent)
    const nextEvictionMs = await evict(tainted)
    return { requeueAfterMs: Math.max(100, Math.min(nextEvictionMs, heartbeatMs + graceMs + 1000 <= clock.now() ? graceMs : heartbeatMs + graceMs + 1000 - clock.now())) }
  }

  /** The newest sign of life: the lease, the status, or that we have only just met. */
  function lastHeartbeatMs(node: Node): number {
    const { name } = node.metadata
    const met = firstSeenMs.get(name) ?? clock.now()
    firstSeenMs.set(name, met)
    const renewed = Date.parse(leaseInformer.get({ namespace: leaseNamespace, name })?.spec.renewTime ?? '')
    const posted = Math.max(0, ...(node.status.conditions ?? []).map(condition => Date.parse(condition.lastHeartbeatTime ?? '') || 0))
    return Math.max(met, renewed || 0, posted)
  }

  async function markSilent(node: Node, heartbeatMs: number): Promise<Node> {
    const conditions = planConditions(node, heartbeatMs, clock.now())
    if (conditions === undefined) return node
    recorder.recordEvent(node, 'Normal', 'NodeNotReady', `Node ${node.metadata.name} status is now: NodeNotReady`)
    const written = await client.update(nodes, { ...node, status: { ...node.status, conditions } }, { subresource: 'status' })
    await Promise.all(podsOn(node.metadata.name).map(markPodNotReady))
    return written
  }

  async function markPodNotReady(pod: Pod): Promise<void> {
    if (!pod.status.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True')) return
    const condition = { type: 'Ready', status: 'False', lastTransitionTime: formatTime(clock.now()) }
    await unlessNotFound(client.patch(pods, pod.metadata, { type: 'strategic', value: { status: { conditions: [condition] } } }, { subresource: 'status' }))
  }

  async function writeTaints(node: Node): Promise<Node> {
    const taints = planTaints(node, clock.now())
    if (sameSet(taints, node.spec.taints ?? [])) return node
    return client.update(nodes, { ...node, spec: { ...node.spec, taints } })
  }

  /** Returns how long until the next pod has to leave. */
  async function evict({ metadata, spec }: Node): Promise<number> {
    let nextMs = Infinity
    const taints = dated(metadata.name, (spec.taints ?? []).filter(taint => taint.effect === 'NoExecute'))
    if (taints.length === 0) return nextMs
    for (const pod of podsOn(metadata.name)) {
      const leaveMs = isTerminating(pod) ? undefined : evictionMs(pod, taints, clock.now())
      if (leaveMs === undefined) continue
      if (leaveMs > clock.now()) nextMs = Math.min(nextMs, leaveMs - clock.now())
      else await evictPod(pod)
    }
    return nextMs
  }

  function dated(node: string, taints: readonly Taint[]): Taint[] {
    const before = taintsMet.get(node)
    const found = taints.map(taint => ({ ...taint, timeAdded: taint.timeAdded ?? before?.get(taint.key) ?? new Date(clock.now()).toISOString() }))
    if (found.length === 0) taintsMet.delete(node)
    else taintsMet.set(node, new Map(found.map(({ key, timeAdded }) => [key, timeAdded])))
    return found
  }

  async function evictPod(pod: Pod): Promise<void> {
    recorder.recordEvent(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`)
    await removeObject(client, pods, pod)
  }
}

const sameSet = (left: readonly Taint[], right: readonly Taint[]): boolean =>
  left.length === right.length && left.every(taint => right.some(other => other.key === taint.key && other.effect === taint.effect))
