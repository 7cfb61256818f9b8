// Makes the claims of ephemeral volumes, each owned by its pod and gone with it.
import type { PersistentVolumeClaim, Pod } from '../../api/generated/models.ts'
import { keyOf, splitKey, type New } from '../../api/object.ts'
import { claimNameOf, foreignClaim } from '../../api/persistent-storage.ts'
import { persistentVolumeClaims, pods } from '../../api/resources.ts'
import type { Client } from '../../client/client.ts'
import { defineController, watch } from '../../control/controller.ts'
import { isNamespaceTerminating } from '../../control/namespace-terminating.ts'
import { controllerReference } from '../../control/ownership.ts'
import { isActive } from '../../control/pods.ts'
import { errorText } from '../../lib/error-text.ts'

const ephemeralVolumes = ({ spec }: Pod) => (spec.volumes ?? []).filter(volume => volume.ephemeral !== undefined)

type EphemeralVolume = ReturnType<typeof ephemeralVolumes>[number]

/** Also of claims that somebody else made under a name that the pod needs. */
const usersOf = (client: Client) =>
  client
    .informer(pods)
    .index('ephemeral claims', pod =>
      ephemeralVolumes(pod).map(volume => `${pod.metadata.namespace}/${claimNameOf(pod, volume)}`),
    )

export const ephemeralVolumeController = defineController<Pod>({
  name: 'ephemeral-volume',
  watches: [
    watch({
      resource: pods,
      keysOf: pod => (ephemeralVolumes(pod).length > 0 ? [keyOf(pod)] : []),
      matters: () => false,
    }),
    watch({
      resource: persistentVolumeClaims,
      keysOf: (claim, client) => usersOf(client)(keyOf(claim)).map(keyOf),
      matters: () => false,
      ignoresNew: true,
    }),
  ],
  reconciler: ({ client, recorder }) => {
    const informer = client.informer(pods)
    const claims = client.informer(persistentVolumeClaims)

    async function ensure(pod: Pod, volume: EphemeralVolume): Promise<void> {
      const name = claimNameOf(pod, volume)!
      const failed = (why: string): void =>
        recorder.recordEvent(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${why}`)
      const present = claims.get({ namespace: pod.metadata.namespace, name })
      const foreign = present && foreignClaim(pod, present)
      if (foreign !== undefined) return failed(foreign)
      if (present !== undefined) return
      try {
        await client.create(persistentVolumeClaims, claimFor(pod, volume, name))
      } catch (error) {
        if (isNamespaceTerminating(error)) return
        failed(`create PVC ${name}: ${errorText(error)}`)
        throw error
      }
    }

    return async key => {
      const pod = informer.get(splitKey(key))
      if (pod !== undefined && isActive(pod)) for (const volume of ephemeralVolumes(pod)) await ensure(pod, volume)
      return 'done'
    }
  },
})

function claimFor(pod: Pod, { ephemeral }: EphemeralVolume, name: string): New<PersistentVolumeClaim> {
  const { metadata: { annotations, labels } = {}, spec } = ephemeral!.volumeClaimTemplate!
  return {
    metadata: {
      namespace: pod.metadata.namespace,
      name,
      ownerReferences: [controllerReference(pod, pods)],
      ...(annotations && { annotations }),
      ...(labels && { labels }),
    },
    spec,
  }
}
