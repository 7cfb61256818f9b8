// Pods leave a node with a NoExecute taint that they do not tolerate, or not for ever: at once, or when the
// seconds they tolerate it are over. Whoever is to leave and may stay after all is told so.
import type { Node, Pod, Taint } from '../../api/generated/models.ts'
import { keyOf } from '../../api/object.ts'
import { nodes, pods } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { disruptionTarget, patchPodStatus } from '../../control/disruption-target.ts'
import { isTerminating, podsByNode } from '../../control/pods.ts'
import { removeObject } from '../../control/removal.ts'
import { evictionMs } from './plan.ts'

const isNoExecute = (taint: Taint): boolean => taint.effect === 'NoExecute'
const noExecute = ({ spec }: Node): Taint[] => (spec.taints ?? []).filter(isNoExecute)

export const taintEvictionController = defineController({
  name: 'taint-eviction',
  watches: [
    watch({
      resource: nodes,
      matters: (node, old) => !sameJson(noExecute(node), noExecute(old)),
      keysOf: ({ metadata }) => [metadata.name],
    }),
    watch({
      resource: pods,
      matters: (pod, old) =>
        pod.spec.nodeName !== old.spec.nodeName || !sameJson(pod.spec.tolerations, old.spec.tolerations),
      keysOf: ({ spec }) => (spec.nodeName ? [spec.nodeName] : []),
    }),
  ],
  reconciler: evictPods,
})

/** What is remembered of a node while it has such taints. */
interface Watched {
  /** When the taints were met that do not say since when they are there. */
  readonly met: ReadonlyMap<string, string>
  /** Pods whose time is running, by uid. */
  readonly waiting: Map<string, Pod>
}

function evictPods({ client, clock, recorder }: ControllerContext): Reconciler {
  const informer = client.informer(nodes)
  const podsOn = podsByNode(client)
  const watched = new Map<string, Watched>()

  return async function reconcile(name): Promise<Outcome> {
    const node = informer.get({ name })
    const taints = node === undefined ? [] : noExecute(node)
    const before = watched.get(name)
    if (taints.length === 0) {
      for (const pod of before?.waiting.values() ?? []) sayStays(pod)
      watched.delete(name)
      return 'done'
    }
    const dated = taints.map(taint => ({
      ...taint,
      timeAdded: taint.timeAdded ?? before?.met.get(taint.key) ?? new Date(clock.now()).toISOString(),
    }))
    const waiting = before?.waiting ?? new Map<string, Pod>()
    watched.set(name, { met: new Map(dated.map(({ key, timeAdded }) => [key, timeAdded])), waiting })
    return evictFrom(name, dated, waiting)
  }

  async function evictFrom(name: string, taints: readonly Taint[], waiting: Map<string, Pod>): Promise<Outcome> {
    const here = podsOn(name)
    const present = new Set(here.map(pod => pod.metadata.uid))
    for (const pod of waiting.values()) if (!present.has(pod.metadata.uid)) stays(pod, waiting)
    let nextMs = Infinity
    for (const pod of here) {
      if (isTerminating(pod)) continue
      const leaveMs = evictionMs(pod, taints, clock.now())
      if (leaveMs === undefined) stays(pod, waiting)
      else if (leaveMs > clock.now()) {
        waiting.set(pod.metadata.uid, pod)
        nextMs = Math.min(nextMs, leaveMs)
      } else {
        waiting.delete(pod.metadata.uid)
        await evict(pod)
      }
    }
    return nextMs === Infinity ? 'done' : { requeueAfterMs: Math.max(1, nextMs - clock.now()) }
  }

  function stays(pod: Pod, waiting: Map<string, Pod>): void {
    if (waiting.delete(pod.metadata.uid)) sayStays(pod)
  }

  function sayStays(pod: Pod): void {
    recorder.recordEvent(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${keyOf(pod)}`)
  }

  async function evict(pod: Pod): Promise<void> {
    recorder.recordEvent(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${keyOf(pod)}`)
    const condition = disruptionTarget(
      pod,
      { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' },
      clock.now(),
    )
    if (await patchPodStatus(client, pod, { conditions: [condition] })) await removeObject(client, pods, pod)
  }
}
