// Makes the claims of ephemeral volumes, each owned by its pod and gone with it.
import type { PersistentVolumeClaim, Pod } from '../../api/generated/models.ts'
import { keyOf, splitKey, type New } from '../../api/object.ts'
import { claimNameOf, foreignClaim } from '../../api/persistent-storage.ts'
import { persistentVolumeClaims, pods } from '../../api/resources.ts'
import { defineController, ownerKeys, watch } from '../../control/controller.ts'
import { isNamespaceTerminating } from '../../control/namespace-terminating.ts'
import { controllerReference } from '../../control/ownership.ts'
import { isActive } from '../../control/pods.ts'

const ephemeralVolumes = ({ spec }: Pod) => (spec.volumes ?? []).filter(volume => volume.ephemeral !== undefined)

type EphemeralVolume = ReturnType<typeof ephemeralVolumes>[number]

export const ephemeralVolumeController = defineController<Pod>({
  name: 'ephemeral-volume',
  watches: [
    watch({ resource: pods, keysOf: pod => (ephemeralVolumes(pod).length > 0 ? [keyOf(pod)] : []), matters: () => false }),
    watch({ resource: persistentVolumeClaims, keysOf: claim => ownerKeys(claim, pods), matters: () => false, ignoresNew: true }),
  ],
  reconciler: ({ client, recorder }) => {
    const informer = client.informer(pods)
    const claims = client.informer(persistentVolumeClaims)

    async function ensure(pod: Pod, volume: EphemeralVolume): Promise<void> {
      const name = claimNameOf(pod, volume)!
      const present = claims.get({ namespace: pod.metadata.namespace, name })
      const foreign = present && foreignClaim(pod, present)
      if (foreign !== undefined) throw new Error(foreign)
      if (present !== undefined) return
      try {
        await client.create(persistentVolumeClaims, claimFor(pod, volume, name))
      } catch (error) {
        if (isNamespaceTerminating(error)) return
        throw new Error(`create PVC ${name}: ${(error as Error).message}`)
      }
    }

    return async key => {
      const pod = informer.get(splitKey(key))
      if (pod === undefined || !isActive(pod)) return 'done'
      for (const volume of ephemeralVolumes(pod)) {
        try {
          await ensure(pod, volume)
        } catch (error) {
          const message = `ephemeral volume ${volume.name}: ${(error as Error).message}`
          recorder.recordEvent(pod, 'Warning', 'FailedBinding', message)
          throw new Error(`pod ${key}, ${message}`)
        }
      }
      return 'done'
    }
  },
})

function claimFor(pod: Pod, { ephemeral }: EphemeralVolume, name: string): New<PersistentVolumeClaim> {
  const { metadata: { annotations, labels } = {}, spec } = ephemeral!.volumeClaimTemplate!
  return {
    metadata: { namespace: pod.metadata.namespace, name, ownerReferences: [controllerReference(pod, pods)], ...(annotations && { annotations }), ...(labels && { labels }) },
    spec,
  }
}
