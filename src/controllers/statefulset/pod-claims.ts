// The claims of a StatefulSet's pods: made before their pod, made again when they vanish before it runs, and
// owned by whoever is to take them along when it goes.
// Source: pkg/controller/statefulset/stateful_set_utils.go and stateful_pod_control.go of Kubernetes.
import { isAlreadyExists } from '../../api/api-error.ts'
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../../api/generated/models.ts'
import { persistentVolumeClaims } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { ControllerContext } from '../../control/controller.ts'
import { unlessGone } from '../../control/ownership.ts'
import { isTerminating } from '../../control/pods.ts'
import { claimOwner, claimsFor, ordinalOf, podName } from './stateful-pod.ts'

export interface PodClaims {
  /** Makes what is missing. @returns false when a claim is to go first, with the pod that was there before */
  prepare(set: StatefulSet, ordinal: number): Promise<boolean>
  /** Keeps the claims of a pod that exists. */
  follow(set: StatefulSet, pod: Pod): Promise<void>
}

export function podClaims({ client, recorder }: ControllerContext): PodClaims {
  const informer = client.informer(persistentVolumeClaims)
  const find = (wanted: { metadata: { namespace?: string; name?: string } }): PersistentVolumeClaim | undefined =>
    informer.get({ namespace: wanted.metadata.namespace, name: wanted.metadata.name! })

  async function make(set: StatefulSet, ordinal: number): Promise<void> {
    for (const wanted of claimsFor(set, ordinal)) {
      if (find(wanted) !== undefined) continue
      await unlessThere(client.create(persistentVolumeClaims, wanted))
      recorder.recordEvent(
        set,
        'Normal',
        'SuccessfulCreate',
        `create Claim ${wanted.metadata.name} Pod ${podName(set, ordinal)} in StatefulSet ${set.metadata.name} success`,
      )
    }
  }

  return {
    async prepare(set, ordinal) {
      const goesWithPod = (claim: PersistentVolumeClaim | undefined): boolean =>
        claim?.metadata.ownerReferences?.some(({ kind, name }) => kind === 'Pod' && name === podName(set, ordinal)) ===
        true
      if (claimsFor(set, ordinal).some(wanted => goesWithPod(find(wanted)))) return false
      await make(set, ordinal)
      return true
    },
    async follow(set, pod) {
      const ordinal = ordinalOf(set, pod.metadata.name)!
      if (pod.status.phase === 'Pending' && !isTerminating(pod)) await make(set, ordinal)
      for (const claim of claimsFor(set, ordinal).flatMap(wanted => find(wanted) ?? [])) {
        const ownerReferences = ownersOf(claim, set, pod, ordinal)
        if (sameJson(ownerReferences, claim.metadata.ownerReferences ?? [])) continue
        await unlessGone(
          client.update(persistentVolumeClaims, { ...claim, metadata: { ...claim.metadata, ownerReferences } }),
        )
      }
    },
  }
}

/** Those of others stay, and a claim that somebody else controls is left to him. */
function ownersOf(
  { metadata: { ownerReferences = [] } }: PersistentVolumeClaim,
  set: StatefulSet,
  pod: Pod,
  ordinal: number,
): NonNullable<PersistentVolumeClaim['metadata']['ownerReferences']> {
  const others = ownerReferences.filter(({ uid }) => uid !== set.metadata.uid && uid !== pod.metadata.uid)
  const owner = others.some(({ controller }) => controller === true) ? undefined : claimOwner(set, ordinal, pod)
  if (owner === undefined) return others
  return [...others, ownerReferences.find(reference => sameJson(reference, owner)) ?? owner]
}

export async function unlessThere(promise: Promise<unknown>): Promise<void> {
  try {
    await promise
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}
