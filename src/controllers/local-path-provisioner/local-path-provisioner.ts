// Makes directories of one node for the claims that are to have their volumes there, and takes them away when
// the volumes are done with. Runs beside each node, with the rights of a provisioner. A directory has no size of
// its own, so a claim that grows has what it asks for at once.
import { isAlreadyExists } from '../../api/api-error.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/models.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import {
  classOfClaim,
  isFullyBound,
  provisionedVolumeFinalizer,
  requestedStorage,
  volumeAnnotations,
} from '../../api/persistent-storage.ts'
import { compareQuantities } from '../../api/quantity.ts'
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../api/resources.ts'
import {
  defineController,
  watch,
  type ControllerContext,
  type ControllerDefinition,
  type Reconciler,
} from '../../control/controller.ts'
import { unlessGone } from '../../control/ownership.ts'
import { writeStatus } from '../../control/write-status.ts'
import { errorText } from '../../lib/error-text.ts'
import { directoryOf, isDone, isOwn, isToBeMade, localPathProvisioner, refusal, volumeFor } from './volume.ts'

/** Where the volumes of a node are. */
export interface VolumeDirectories {
  /** Makes a directory that every user may write to, unless it is there. @returns its path */
  create(name: string): Promise<string>
  /** Deletes it with all it holds, if it is there. @throws when the path is not one that `create` returns */
  remove(path: string): Promise<void>
}

export interface ProvisionerOptions {
  readonly nodeName: string
  readonly directories: VolumeDirectories
}

/** Keys with a slash are claims, the others volumes. */
export function localPathProvisionerController(options: ProvisionerOptions): ControllerDefinition {
  const isMine = ({ metadata: { annotations } }: PersistentVolumeClaim): boolean =>
    annotations?.[volumeAnnotations.provisioner] === localPathProvisioner
  return defineController({
    name: localPathProvisioner,
    watches: [
      watch({ resource: persistentVolumeClaims, keysOf: claim => (isMine(claim) ? [keyOf(claim)] : []) }),
      watch({
        resource: persistentVolumes,
        keysOf: volume => (isOwn(volume, options.nodeName) ? [volume.metadata.name] : []),
      }),
    ],
    reconciler: context => provision(context, options),
  })
}

function provision({ client, recorder }: ControllerContext, { nodeName, directories }: ProvisionerOptions): Reconciler {
  const claims = client.informer(persistentVolumeClaims)
  const volumes = client.informer(persistentVolumes)
  const classes = client.informer(storageClasses)

  return async key => {
    const name = splitKey(key)
    if (name.namespace === undefined) {
      const volume = volumes.get(name)
      if (volume !== undefined && isOwn(volume, nodeName) && isDone(volume)) await takeAway(volume)
    } else {
      const claim = claims.get(name)
      if (claim !== undefined) await supply(claim)
    }
    return 'done'
  }

  async function supply(claim: PersistentVolumeClaim): Promise<void> {
    if (isFullyBound(claim)) return grow(claim)
    const storageClass = classes.get({ name: classOfClaim(claim) })
    if (
      storageClass === undefined ||
      !isToBeMade(claim, storageClass, nodeName) ||
      volumes.get({ name: `pvc-${claim.metadata.uid}` }) !== undefined
    )
      return
    const failed = (why: string): void =>
      recorder.recordEvent(
        claim,
        'Warning',
        'ProvisioningFailed',
        `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${why}`,
      )
    const why = refusal(claim)
    if (why !== undefined) return failed(why)
    recorder.recordEvent(
      claim,
      'Normal',
      'Provisioning',
      `External provisioner is provisioning volume for claim "${keyOf(claim)}"`,
    )
    try {
      const path = await directories.create(directoryOf(claim))
      const { metadata } = await client
        .create(persistentVolumes, volumeFor(claim, storageClass, path, nodeName))
        .catch(async (error: unknown) => {
          // Nothing can be in it yet.
          if (volumes.get({ name: `pvc-${claim.metadata.uid}` })?.spec.local?.path !== path)
            await directories.remove(path)
          throw error
        })
      recorder.recordEvent(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${metadata.name}`)
    } catch (error) {
      // The provisioner of another node was faster.
      if (isAlreadyExists(error)) return
      failed(errorText(error))
      throw error
    }
  }

  async function grow(claim: PersistentVolumeClaim): Promise<void> {
    const storage = requestedStorage(claim)
    const volume = volumes.get({ name: claim.spec.volumeName! })
    if (
      volume === undefined ||
      !isOwn(volume, nodeName) ||
      compareQuantities(storage, claim.status.capacity?.['storage']) <= 0 ||
      claim.status.phase !== 'Bound'
    )
      return
    if (compareQuantities(storage, volume.spec.capacity?.['storage']) > 0)
      await client.update(persistentVolumes, { ...volume, spec: { ...volume.spec, capacity: { storage } } })
    await writeStatus(client, persistentVolumeClaims, claim, {
      ...claim.status,
      capacity: { ...claim.status.capacity, storage },
    })
    recorder.recordEvent(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded')
  }

  async function takeAway(volume: PersistentVolume): Promise<void> {
    const isDeleting = volume.metadata.deletionTimestamp !== undefined
    if (volume.spec.persistentVolumeReclaimPolicy === 'Delete') {
      try {
        await directories.remove(volume.spec.local!.path)
      } catch (error) {
        recorder.recordEvent(volume, 'Warning', 'VolumeFailedDelete', errorText(error))
        throw error
      }
      if (!isDeleting)
        await unlessGone(
          client.delete(persistentVolumes, volume.metadata, { preconditions: { uid: volume.metadata.uid } }),
        )
    } else if (!isDeleting) return
    await letGo(volumes.get(volume.metadata))
  }

  async function letGo(volume: PersistentVolume | undefined): Promise<void> {
    const { finalizers = [], ...metadata } = volume?.metadata ?? {}
    const others = finalizers.filter(one => one !== provisionedVolumeFinalizer)
    if (volume === undefined || others.length === finalizers.length) return
    await unlessGone(
      client.update(persistentVolumes, {
        ...volume,
        metadata: { ...metadata, finalizers: others } as PersistentVolume['metadata'],
      }),
    )
  }
}
