// Claims and volumes that are in use are not deleted: while they are, a finalizer holds them.
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/generated/models.ts'
import { keyOf, splitKey, type KubeObject } from '../../api/object.ts'
import { claimKeysOf } from '../../api/persistent-storage.ts'
import type { Resource } from '../../api/resource.ts'
import { persistentVolumeClaims, persistentVolumes, pods } from '../../api/resources.ts'
import type { Client } from '../../client/client.ts'
import { defineController, watch } from '../../control/controller.ts'
import { isFinished } from '../../control/pods.ts'
import { unlessGone } from '../../control/ownership.ts'

const claimFinalizer = 'kubernetes.io/pvc-protection'
const volumeFinalizer = 'kubernetes.io/pv-protection'

/** A pod uses its claims from when it is bound to a node until it has ended. */
const isUser = (pod: Pod): boolean => Boolean(pod.spec.nodeName) && !isFinished(pod)
const uses = (pod: Pod): string[] => (isUser(pod) ? claimKeysOf(pod) : [])

/** Only what is being deleted is let go; everything else is held. */
async function hold<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  object: T,
  finalizer: string,
  inUse: boolean,
): Promise<void> {
  const {
    metadata: { finalizers = [], deletionTimestamp, resourceVersion, uid },
  } = object
  const wanted = deletionTimestamp === undefined || inUse
  if (wanted === finalizers.includes(finalizer) || (wanted && deletionTimestamp !== undefined)) return
  const others = finalizers.filter(one => one !== finalizer)
  await unlessGone(
    client.patch(resource, object.metadata, {
      type: 'merge',
      value: {
        metadata: {
          uid,
          resourceVersion,
          finalizers: wanted ? [...others, finalizer] : others.length === 0 ? null : others,
        },
      },
    }),
  )
}

export const claimProtectionController = defineController<PersistentVolumeClaim>({
  name: 'persistentvolumeclaim-protection',
  primary: persistentVolumeClaims,
  watches: [watch({ resource: pods, keysOf: claimKeysOf, matters: (pod, old) => isUser(pod) !== isUser(old) })],
  reconciler: ({ client }) => {
    const claims = client.informer(persistentVolumeClaims)
    const usersOf = client.informer(pods).index('claims in use', uses)
    return async key => {
      const claim = claims.get(splitKey(key))
      if (claim !== undefined)
        await hold(client, persistentVolumeClaims, claim, claimFinalizer, usersOf(keyOf(claim)).length > 0)
      return 'done'
    }
  },
})

export const volumeProtectionController = defineController<PersistentVolume>({
  name: 'persistentvolume-protection',
  primary: persistentVolumes,
  reconciler: ({ client }) => {
    const volumes = client.informer(persistentVolumes)
    return async key => {
      const volume = volumes.get(splitKey(key))
      if (volume !== undefined)
        await hold(client, persistentVolumes, volume, volumeFinalizer, volume.status.phase === 'Bound')
      return 'done'
    }
  },
})
