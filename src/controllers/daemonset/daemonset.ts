// Keeps one pod of each DaemonSet on every node that fits, and rolls out new templates.
import type { DaemonSet, Node, Pod } from '../../api/generated/models.ts'
import { matchesSelector } from '../../api/label-selector.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import { controllerRevisions, daemonSets, nodes, pods } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import { slowStart } from '../../control/batches.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, ownerKeys, watch } from '../../control/controller.ts'
import { hashOf, revisionKeeper } from '../../control/controller-revisions.ts'
import { isNamespaceTerminating } from '../../control/namespace-terminating.ts'
import { byController, claim, controllerOf } from '../../control/ownership.ts'
import { removeObject } from '../../control/removal.ts'
import { writeStatus } from '../../control/write-status.ts'
import { errorText } from '../../lib/error-text.ts'
import { podFor } from './daemon-pod.ts'
import { planDaemons } from './plan.ts'

const hashLabel = 'controller-revision-hash'

/** Nodes tell their state every few seconds; only what decides about pods counts. */
const decides = ({ metadata, spec }: Node, { metadata: before, spec: specBefore }: Node): boolean =>
  !sameJson(metadata.labels, before.labels) || !sameJson(spec, specBefore)

export const daemonSetController = defineController({
  name: 'daemonset',
  primary: daemonSets,
  owns: [controllerRevisions],
  watches: [
    watch({
      resource: pods,
      keysOf: (pod, client) =>
        controllerOf(pod) !== undefined
          ? ownerKeys(pod, daemonSets)
          : client
              .informer(daemonSets)
              .list(pod.metadata.namespace)
              .filter(set => matchesSelector(set.spec.selector, pod.metadata.labels))
              .map(keyOf),
    }),
    watch({
      resource: nodes,
      keysOf: (_node, client) => client.informer(daemonSets).list().map(keyOf),
      matters: decides,
    }),
  ],
  reconciler: reconcileDaemonSets,
})

function reconcileDaemonSets(context: ControllerContext): Reconciler {
  const { client, clock, recorder } = context
  const sets = client.informer(daemonSets)
  const nodeInformer = client.informer(nodes)
  const podsOf = byController(client.informer(pods))
  const revisions = revisionKeeper(client, { owner: daemonSets, hashLabel })

  return async function reconcile(key): Promise<Outcome> {
    const set = sets.get(splitKey(key))
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return 'done'
    const history = await revisions.follow(set)
    const hash = history.current.metadata.labels?.[hashLabel] ?? ''
    const mine = await claim({
      client,
      owner: set,
      ownerResource: daemonSets,
      resource: pods,
      matches: pod => matchesSelector(set.spec.selector, pod.metadata.labels),
      owned: podsOf.of(set),
      orphans: podsOf.orphans(set.metadata.namespace ?? ''),
    })
    const plan = planDaemons(set, nodeInformer.list(), mine, hash, clock.now())
    await Promise.all(plan.remove.map(pod => remove(set, pod, plan.failed.includes(pod))))
    await create(set, plan.create, hash)
    await writeStatus(client, daemonSets, set, plan.status, sets.get(set.metadata))
    const inUse = new Set([history.current.metadata.name, ...mine.map(pod => `${set.metadata.name}-${hashOf(pod)}`)])
    await revisions.prune(set, history, inUse)
    return plan.recheckAtMs === undefined ? 'done' : { requeueAfterMs: plan.recheckAtMs - clock.now() }
  }

  async function create(set: DaemonSet, nodeNames: readonly string[], hash: string): Promise<void> {
    try {
      await slowStart(nodeNames.length, async index => {
        const pod = await client.create(pods, podFor(set, nodeNames[index]!, hash))
        recorder.recordEvent(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
      })
    } catch (error) {
      if (isNamespaceTerminating(error)) return
      recorder.recordEvent(set, 'Warning', 'FailedCreate', `Error creating: ${errorText(error)}`)
      throw error
    }
  }

  async function remove(set: DaemonSet, pod: Pod, failed: boolean): Promise<void> {
    if (failed) {
      const name = `${pod.metadata.namespace}/${pod.metadata.name}`
      if (pod.status.phase === 'Failed')
        recorder.recordEvent(
          set,
          'Warning',
          'FailedDaemonPod',
          `Found failed daemon pod ${name} on node ${pod.spec.nodeName}, will try to kill it`,
        )
      else
        recorder.recordEvent(
          set,
          'Normal',
          'SucceededDaemonPod',
          `Found succeeded daemon pod ${name} on node ${pod.spec.nodeName}, will try to delete it`,
        )
    }
    if (await removeObject(client, pods, pod))
      recorder.recordEvent(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
  }
}
