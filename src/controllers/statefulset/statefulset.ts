// Keeps the numbered pods of StatefulSets, and their claims.
import type { Pod, StatefulSet } from '../../api/generated/models.ts'
import { matchesSelector } from '../../api/label-selector.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import { controllerRevisions, persistentVolumeClaims, pods, statefulSets } from '../../api/resources.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, ownerKeys, watch } from '../../control/controller.ts'
import { hashOf, revisionKeeper, templateOf, type RevisionHistory } from '../../control/controller-revisions.ts'
import { isNamespaceTerminating } from '../../control/namespace-terminating.ts'
import { byController, claim, controllerOf } from '../../control/ownership.ts'
import { removeObject } from '../../control/removal.ts'
import { writeStatus } from '../../control/write-status.ts'
import { errorText } from '../../lib/error-text.ts'
import { planStatefulSet, type Revisions } from './plan.ts'
import { podClaims, unlessThere } from './pod-claims.ts'
import { isClaimOf, ordinalOf, podFor, podName } from './stateful-pod.ts'

export const statefulSetController = defineController({
  name: 'statefulset',
  primary: statefulSets,
  owns: [controllerRevisions],
  watches: [
    watch({
      resource: pods,
      keysOf: (pod, client) =>
        controllerOf(pod) !== undefined
          ? ownerKeys(pod, statefulSets)
          : client
              .informer(statefulSets)
              .list(pod.metadata.namespace)
              .filter(set => isMember(set, pod))
              .map(keyOf),
    }),
    watch({
      // One that has gone may be what a pod waits for.
      resource: persistentVolumeClaims,
      ignoresNew: true,
      matters: () => false,
      keysOf: (claim, client) =>
        client
          .informer(statefulSets)
          .list(claim.metadata.namespace)
          .filter(set => isClaimOf(set, claim))
          .map(keyOf),
    }),
  ],
  reconciler: reconcileStatefulSets,
})

const isMember = (set: StatefulSet, pod: Pod): boolean =>
  ordinalOf(set, pod.metadata.name) !== undefined && matchesSelector(set.spec.selector, pod.metadata.labels)

function reconcileStatefulSets(context: ControllerContext): Reconciler {
  const { client, clock, recorder } = context
  const sets = client.informer(statefulSets)
  const claims = podClaims(context)
  const podsOf = byController(client.informer(pods))
  const revisions = revisionKeeper(client, { owner: statefulSets, hashLabel: 'controller.kubernetes.io/hash' })

  return async function reconcile(key): Promise<Outcome> {
    const set = sets.get(splitKey(key))
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return 'done'
    const history = await revisions.follow(set)
    const mine = await claim({
      client,
      owner: set,
      ownerResource: statefulSets,
      resource: pods,
      matches: pod => isMember(set, pod),
      owned: podsOf.of(set),
      orphans: podsOf.orphans(set.metadata.namespace ?? ''),
    })
    const names = revisionNames(set, history)
    const plan = planStatefulSet(set, mine, names, clock.now())
    // First the status: it tells a start that was interrupted which revision comes first.
    await writeStatus(client, statefulSets, set, plan.status, sets.get(set.metadata))
    for (const pod of mine) await claims.follow(set, pod)
    for (const { ordinal, revision } of plan.create) await create(set, ordinal, revision, history)
    await Promise.all(plan.remove.map(pod => remove(set, pod, plan.ended.includes(pod))))
    await revisions.prune(set, history, new Set([names.current, names.update, ...mine.map(pod => hashOf(pod) ?? '')]))
    return plan.recheckAtMs === undefined ? 'done' : { requeueAfterMs: plan.recheckAtMs - clock.now() }
  }

  async function create(
    set: StatefulSet,
    ordinal: number,
    revision: string,
    { all, current }: RevisionHistory,
  ): Promise<void> {
    const name = podName(set, ordinal)
    try {
      if (!(await claims.prepare(set, ordinal))) return
      const template = templateOf(all.find(one => one.metadata.name === revision) ?? current)
      await unlessThere(client.create(pods, podFor(set, ordinal, template, revision)))
      recorder.recordEvent(
        set,
        'Normal',
        'SuccessfulCreate',
        `create Pod ${name} in StatefulSet ${set.metadata.name} successful`,
      )
    } catch (error) {
      if (isNamespaceTerminating(error)) return
      recorder.recordEvent(
        set,
        'Warning',
        'FailedCreate',
        `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${errorText(error)}`,
      )
      throw error
    }
  }

  async function remove(set: StatefulSet, pod: Pod, ended: boolean): Promise<void> {
    const { name } = pod.metadata
    if (ended)
      recorder.recordEvent(
        set,
        'Warning',
        pod.status.phase === 'Failed' ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod',
        `StatefulSet ${set.metadata.namespace}/${set.metadata.name} is recreating ${pod.status.phase === 'Failed' ? 'failed' : 'terminated'} Pod ${name}`,
      )
    if (await removeObject(client, pods, pod))
      recorder.recordEvent(
        set,
        'Normal',
        'SuccessfulDelete',
        `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`,
      )
  }
}

/** The revision that the set's pods come from: the one of the status, while it exists. */
function revisionNames({ status }: StatefulSet, { current, all }: RevisionHistory): Revisions {
  const update = current.metadata.name
  const known = all.some(revision => revision.metadata.name === status.currentRevision)
  return { current: known ? status.currentRevision! : update, update }
}
