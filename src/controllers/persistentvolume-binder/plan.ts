// What becomes of a claim, and of a volume, next. Pure. A claim picks its volume; the volume then follows its
// claim: bound to it, released when it goes, given back when it took another one.
// Source: pkg/controller/volume/persistentvolume/pv_controller.go of Kubernetes.
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/models.ts'
import { choosesClass, classOfClaim, isSetAsideFor, volumeAnnotations } from '../../api/persistent-storage.ts'
import { matchingVolume, sameMode, unsuitable } from '../../control/volume-match.ts'

export interface Note {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export type ClaimStep =
  | { readonly step: 'bind'; readonly volume: PersistentVolume }
  /** Stays Pending. */
  | { readonly step: 'wait'; readonly note?: Note }
  /** What it was bound to is not there any more. */
  | { readonly step: 'lose'; readonly note: Note }
  /** Somebody is to make a volume. */
  | { readonly step: 'provision'; readonly provisioner: string; readonly note: Note }
  /** Gets the default class, which was not there when it was created. */
  | { readonly step: 'join-class'; readonly name: string }

/** What a claim can get. */
export interface Supply {
  readonly volume: (name: string) => PersistentVolume | undefined
  readonly volumes: () => Iterable<PersistentVolume>
  readonly storageClass: (name: string) => StorageClass | undefined
  readonly defaultClass: () => StorageClass | undefined
  /** Names of pods that use the claim and have no node yet. */
  readonly waitingPods: () => readonly string[]
}

const normal = (reason: string, message: string): Note => ({ type: 'Normal', reason, message })
const warning = (reason: string, message: string): Note => ({ type: 'Warning', reason, message })

export function planClaim(claim: PersistentVolumeClaim, supply: Supply): ClaimStep {
  if (claim.metadata.annotations?.[volumeAnnotations.bindCompleted] !== undefined) return planBound(claim, supply)
  return claim.spec.volumeName ? planNamed(claim, supply.volume(claim.spec.volumeName)) : planFree(claim, supply)
}

function planBound(claim: PersistentVolumeClaim, supply: Supply): ClaimStep {
  if (!claim.spec.volumeName)
    return {
      step: 'lose',
      note: warning('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!'),
    }
  const volume = supply.volume(claim.spec.volumeName)
  if (volume === undefined)
    return {
      step: 'lose',
      note: warning('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!'),
    }
  const { claimRef } = volume.spec
  if (claimRef === undefined || claimRef.uid === claim.metadata.uid) return { step: 'bind', volume }
  return {
    step: 'lose',
    note: warning('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly'),
  }
}

/** The user, or a provisioner, wrote down which volume it is to be. */
function planNamed(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): ClaimStep {
  if (volume === undefined) return { step: 'wait' }
  if (volume.spec.claimRef === undefined) {
    const why = unsuitable(volume, claim)
    return why === undefined
      ? { step: 'bind', volume }
      : {
          step: 'wait',
          note: warning('VolumeMismatch', `Cannot bind to requested volume "${volume.metadata.name}": ${why}`),
        }
  }
  return isSetAsideFor(volume, claim)
    ? { step: 'bind', volume }
    : {
        step: 'wait',
        note: warning('FailedBinding', `volume "${volume.metadata.name}" already bound to a different claim.`),
      }
}

function planFree(claim: PersistentVolumeClaim, supply: Supply): ClaimStep {
  const className = classOfClaim(claim)
  const storageClass = className === '' ? undefined : supply.storageClass(className)
  const waits = storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
  const volume = matchingVolume(claim, supply.volumes(), { waits })
  if (volume !== undefined) return { step: 'bind', volume }
  if (className === '') return planClassless(claim, supply)
  if (waits && claim.metadata.annotations?.[volumeAnnotations.selectedNode] === undefined)
    return { step: 'wait', note: waitingNote(supply.waitingPods()) }
  if (storageClass === undefined)
    return { step: 'wait', note: warning('ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`) }
  const { provisioner } = storageClass
  if (provisioner.startsWith('kubernetes.io/'))
    return { step: 'wait', note: warning('ProvisioningFailed', `no volume plugin matched name: ${provisioner}`) }
  return {
    step: 'provision',
    provisioner,
    note: normal(
      'ExternalProvisioning',
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
    ),
  }
}

function planClassless(claim: PersistentVolumeClaim, supply: Supply): ClaimStep {
  const standard = choosesClass(claim) ? undefined : supply.defaultClass()
  if (standard !== undefined) return { step: 'join-class', name: standard.metadata.name }
  return {
    step: 'wait',
    note: normal('FailedBinding', 'no persistent volumes available for this claim and no storage class is set'),
  }
}

function waitingNote(pods: readonly string[]): Note {
  if (pods.length === 0)
    return normal('WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  return normal(
    'WaitForPodScheduled',
    `waiting for ${pods.length === 1 ? 'pod' : 'pods'} ${pods.join(',')} to be scheduled`,
  )
}

export type VolumeStep =
  | { readonly step: 'show'; readonly phase: 'Available' | 'Bound' }
  /** Its claim is on its way to it. */
  | { readonly step: 'leave' }
  | { readonly step: 'mismatch'; readonly claim: PersistentVolumeClaim }
  /** Forgets the claim, which has another volume. */
  | { readonly step: 'give-back' }
  /** @param failure why what the reclaim policy wants cannot be done here */
  | { readonly step: 'release'; readonly failure?: Note }

/** @param named the claim with the name that the volume refers to */
export function planVolume(volume: PersistentVolume, named: PersistentVolumeClaim | undefined): VolumeStep {
  const { claimRef } = volume.spec
  if (!claimRef?.uid) return { step: 'show', phase: 'Available' }
  const claim = named?.metadata.uid === claimRef.uid ? named : undefined
  if (claim === undefined) return release(volume)
  if (!claim.spec.volumeName) return sameMode(volume, claim) ? { step: 'leave' } : { step: 'mismatch', claim }
  if (claim.spec.volumeName === volume.metadata.name) return { step: 'show', phase: 'Bound' }
  const isSpare =
    volume.metadata.annotations?.[volumeAnnotations.provisionedBy] !== undefined &&
    volume.spec.persistentVolumeReclaimPolicy === 'Delete'
  return isSpare ? release(volume) : { step: 'give-back' }
}

/** Whoever made the volume for its claim deletes it, too; nothing else is deleted or emptied by this control loop. */
function release({ metadata: { name, annotations }, spec }: PersistentVolume): VolumeStep {
  const provisioner = annotations?.[volumeAnnotations.provisionedBy] ?? ''
  if (spec.persistentVolumeReclaimPolicy === 'Recycle')
    return { step: 'release', failure: warning('VolumeFailedRecycle', 'No recycler plugin found for the volume!') }
  if (
    spec.persistentVolumeReclaimPolicy !== 'Delete' ||
    (provisioner !== '' && !provisioner.startsWith('kubernetes.io/'))
  )
    return { step: 'release' }
  const path = spec.hostPath?.path
  const why =
    path !== undefined && !/^\/tmp\/./.test(path)
      ? `host_path deleter only supports /tmp/.+ but received provided ${path}`
      : `error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`
  return { step: 'release', failure: warning('VolumeFailedDelete', why) }
}
