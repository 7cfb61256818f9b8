// Removes pods that nobody else would: those of nodes that are gone, those deleted before they had a
// node, and the oldest finished ones when there are too many.
import type { Pod } from '../../api/generated/models.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import { nodes, pods } from '../../api/resources.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { disruptionTarget, patchPodStatus } from '../../control/disruption-target.ts'
import { isFinished, isTerminating, podsByNode } from '../../control/pods.ts'
import { removeObject } from '../../control/removal.ts'

/** A node may come back under its name. */
const graceForNodeMs = 40_000
const finishedLimit = 12_500

export const podGarbageCollector = defineController({
  name: 'pod-garbage-collector',
  watches: [
    watch({
      resource: pods,
      matters: (pod, old) =>
        pod.spec.nodeName !== old.spec.nodeName ||
        isTerminating(pod) !== isTerminating(old) ||
        isFinished(pod) !== isFinished(old),
      keysOf: pod => [keyOf(pod)],
    }),
    watch({
      resource: nodes,
      matters: () => false,
      keysOf: ({ metadata }, client) => podsByNode(client)(metadata.name).map(keyOf),
    }),
  ],
  reconciler: collectPods,
})

function collectPods({ client, clock, logger }: ControllerContext): Reconciler {
  const podInformer = client.informer(pods)
  const nodeInformer = client.informer(nodes)
  const missingSinceMs = new Map<string, number>()

  return async function reconcile(key): Promise<Outcome> {
    const pod = podInformer.get(splitKey(key))
    if (pod === undefined) return forget(key)
    if (!pod.spec.nodeName) return isTerminating(pod) ? remove(pod) : forget(key)
    if (nodeInformer.get({ name: pod.spec.nodeName }) === undefined) return collectOrphan(key, pod)
    missingSinceMs.delete(key)
    if (isFinished(pod) && !isTerminating(pod)) await trimFinished()
    return 'done'
  }

  function forget(key: string): Outcome {
    missingSinceMs.delete(key)
    return 'done'
  }

  async function collectOrphan(key: string, pod: Pod): Promise<Outcome> {
    await nodeInformer.synced
    const since = missingSinceMs.get(key) ?? clock.now()
    missingSinceMs.set(key, since)
    const waitMs = since + graceForNodeMs - clock.now()
    if (waitMs > 0) return { requeueAfterMs: waitMs }
    missingSinceMs.delete(key)
    logger.info('pod of a node that is gone is removed', { pod: key, node: pod.spec.nodeName })
    if (!isFinished(pod)) await markFailed(pod)
    return remove(pod)
  }

  async function markFailed(pod: Pod): Promise<void> {
    const condition = disruptionTarget(
      pod,
      { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' },
      clock.now(),
    )
    await patchPodStatus(client, pod, { phase: 'Failed', conditions: [condition] })
  }

  async function remove(pod: Pod): Promise<Outcome> {
    await removeObject(client, pods, pod, { gracePeriodSeconds: 0 })
    return 'done'
  }

  async function trimFinished(): Promise<void> {
    if (podInformer.list().length <= finishedLimit) return
    const finished = podInformer.list().filter(pod => isFinished(pod) && !isTerminating(pod))
    const oldest = finished
      .sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1))
      .slice(0, Math.max(0, finished.length - finishedLimit))
    await Promise.all(oldest.map(remove))
  }
}
