// The directory behind a claim: its volume has to be bound to it, and of a kind that this node offers. A local
// volume is given to the pod's group the first time that the pod gets it.
// Source: pkg/kubelet/volumemanager/populator and pkg/volume/local of Kubernetes.
import { mkdir, stat } from 'node:fs/promises'
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../api/generated/models.ts'
import { claimNameOf, foreignClaim } from '../api/persistent-storage.ts'
import { persistentVolumeClaims, persistentVolumes } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { giveToGroup, type GroupPolicy } from '../host/group-ownership.ts'
import { errorText } from '../lib/error-text.ts'
import { hostPath } from './host-path.ts'
import type { PodDirectories } from './pod-directories.ts'
import { allContainersOf } from './pod-facts.ts'

/** The volume cannot be had; the message is the whole text of the event, as the kubelet has it. */
export class MountFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MountFailure'
  }
}

/** @returns the path on the host @throws MountFailure */
export async function claimedVolume(
  pod: Pod,
  volume: Volume,
  client: Client,
  directories: PodDirectories,
): Promise<string> {
  const source = await volumeBehind(pod, volume, client).catch((error: unknown) => {
    const claim = `${pod.metadata.namespace}/${claimNameOf(pod, volume)}`
    throw new MountFailure(
      `Unable to attach or mount volumes: unmounted volumes=[${volume.name}], unattached volumes=[], failed to process volumes=[${volume.name}]: error processing PVC ${claim}: ${errorText(error)}`,
    )
  })
  const {
    metadata: { name },
    spec,
  } = source
  try {
    if (spec.hostPath !== undefined) return await hostPath(spec.hostPath)
    if (spec.local === undefined)
      throw new Error(`expected a PersistentVolume that this node offers (hostPath or local), found another kind`)
    return await localVolume(pod, source, volume.persistentVolumeClaim?.readOnly ?? false, directories)
  } catch (error) {
    throw error instanceof MountFailure
      ? error
      : new MountFailure(`MountVolume.SetUp failed for volume "${name}" : ${errorText(error)}`)
  }
}

/** @throws Error with what follows the name of the claim in the event */
async function volumeBehind(pod: Pod, volume: Volume, client: Client): Promise<PersistentVolume> {
  const name = claimNameOf(pod, volume)!
  const claim = await client
    .get(persistentVolumeClaims, { namespace: pod.metadata.namespace, name })
    .catch((error: unknown) => {
      throw new Error(`failed to fetch PVC from API server: ${errorText(error)}`)
    })
  const foreign = volume.ephemeral === undefined ? undefined : foreignClaim(pod, claim)
  if (foreign !== undefined) throw new Error(foreign)
  if (claim.metadata.deletionTimestamp !== undefined) throw new Error('PVC is being deleted')
  if (!claim.spec.volumeName || claim.status.phase !== 'Bound') throw new Error('PVC is not bound')
  checkMode(pod, volume, claim)
  const bound = await client.get(persistentVolumes, { name: claim.spec.volumeName })
  if (bound.spec.claimRef?.uid !== claim.metadata.uid)
    throw new Error(
      `found PV object ${bound.metadata.name} but its pv.Spec.ClaimRef.UID ${bound.spec.claimRef?.uid ?? ''} does not point to claim.UID ${claim.metadata.uid}`,
    )
  return bound
}

function checkMode(pod: Pod, { name }: Volume, { spec }: PersistentVolumeClaim): void {
  const containers = allContainersOf(pod)
  const isMounted = containers.some(container => container.volumeMounts?.some(mount => mount.name === name))
  const isDevice = containers.some(container => container.volumeDevices?.some(device => device.name === name))
  if (spec.volumeMode === 'Block')
    throw new Error(
      isMounted
        ? `volume ${name} has volumeMode Block, but is specified in volumeMounts`
        : `expected volumeMode Filesystem, found Block, which this node does not offer`,
    )
  if (isDevice) throw new Error(`volume ${name} has volumeMode Filesystem, but is specified in volumeDevices`)
}

async function localVolume(
  pod: Pod,
  { metadata: { name }, spec }: PersistentVolume,
  readOnly: boolean,
  directories: PodDirectories,
): Promise<string> {
  const { path } = spec.local!
  const entry = await stat(path).catch(() => undefined)
  if (entry === undefined)
    throw new MountFailure(
      `MountVolume.NewMounter initialization failed for volume "${name}" : path "${path}" does not exist`,
    )
  const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext ?? {}
  if (fsGroup === undefined || readOnly) return path
  // Says that it was done, also to the next agent: what runs is not changed under its feet.
  const mark = directories.volume('local-volume', name)
  if (
    await stat(mark).then(
      () => true,
      () => false,
    )
  )
    return path
  await giveToGroup(path, Number(fsGroup), (fsGroupChangePolicy ?? 'Always') as GroupPolicy)
  await mkdir(mark, { recursive: true })
  return path
}
