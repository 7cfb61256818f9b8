// How pods, claims, volumes and classes of storage refer to each other: the annotations that say so, and the
// questions that admission, control loops, the scheduler and nodes ask alike. Pure.
// Source: component-helpers/storage of Kubernetes.
import type {
  ObjectReference,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  Volume,
} from './generated/models.ts'
import { isDefaultStorageClass } from './kinds/storage-class.ts'

export const volumeAnnotations = {
  /** Of a claim: it has been bound; what is missing from now on is lost. */
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  /** Of both: the other side was chosen by the control loop, not by a user. */
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  /** Of a volume: who made it for a claim. */
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  /** Of a claim: where the volume is to be made. */
  selectedNode: 'volume.kubernetes.io/selected-node',
  /** Of a claim: who is to make a volume for it. */
  provisioner: 'volume.kubernetes.io/storage-provisioner',
  /** The older name of the same, which provisioners still look for. */
  betaProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
} as const

/** Holds a volume that is deleted until its provisioner has taken away what is behind it. */
export const provisionedVolumeFinalizer = 'external-provisioner.volume.kubernetes.io/finalizer'

/** The provisioner of classes whose volumes people make. */
export const noProvisioner = 'kubernetes.io/no-provisioner'

const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

/** Empty when it names none. */
export const classOfClaim = ({ metadata, spec }: PersistentVolumeClaim): string =>
  metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? ''
export const classOfVolume = ({ metadata, spec }: PersistentVolume): string =>
  metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? ''

/** An empty name is a choice as well: no class. */
export const choosesClass = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  spec.storageClassName !== undefined || metadata.annotations?.[classAnnotation] !== undefined

/** Of those marked as default the newest, of equally old ones the first by name. */
export function defaultClassOf(classes: readonly StorageClass[]): StorageClass | undefined {
  const [first] = classes
    .filter(isDefaultStorageClass)
    .sort((a, b) =>
      a.metadata.creationTimestamp === b.metadata.creationTimestamp
        ? a.metadata.name < b.metadata.name
          ? -1
          : 1
        : a.metadata.creationTimestamp > b.metadata.creationTimestamp
          ? -1
          : 1,
    )
  return first
}

/** The name of the claim behind a pod's volume; undefined for volumes of other kinds. */
export const claimNameOf = (
  { metadata }: Pod,
  { persistentVolumeClaim, ephemeral, name }: Volume,
): string | undefined =>
  persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? undefined : `${metadata.name}-${name}`)

/** Keys (`namespace/name`) of the claims that a pod names, or gets by ephemeral volumes of its own. */
export function claimKeysOf(pod: Pod): string[] {
  return (pod.spec.volumes ?? []).flatMap(volume => {
    const name = claimNameOf(pod, volume)
    return name === undefined ? [] : [`${pod.metadata.namespace}/${name}`]
  })
}

/** Why a claim with the name that an ephemeral volume of the pod gives is not the pod's; undefined when it is. */
export function foreignClaim(pod: Pod, claim: PersistentVolumeClaim): string | undefined {
  const isOwner =
    claim.metadata.ownerReferences?.some(({ controller, uid }) => controller === true && uid === pod.metadata.uid) ===
    true
  return isOwner
    ? undefined
    : `PVC ${claim.metadata.namespace}/${claim.metadata.name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`
}

/** Both sides of the binding are written. */
export const isFullyBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec.volumeName) && metadata.annotations?.[volumeAnnotations.bindCompleted] !== undefined

/** Whether the volume is bound to the claim or set aside for it. */
export function isSetAsideFor({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  return (
    claimRef !== undefined &&
    claimRef.name === metadata.name &&
    claimRef.namespace === metadata.namespace &&
    (!claimRef.uid || claimRef.uid === metadata.uid)
  )
}

export const claimReference = ({
  metadata: { namespace = '', name, uid, resourceVersion },
}: PersistentVolumeClaim): ObjectReference => ({
  kind: 'PersistentVolumeClaim',
  apiVersion: 'v1',
  namespace,
  name,
  uid,
  resourceVersion,
})

/** What the volume has to hold, as a quantity. */
export const requestedStorage = ({ spec }: PersistentVolumeClaim): string =>
  spec.resources?.requests?.['storage'] ?? '0'

/** The volume as it is to be written to set it aside for a claim; the very same object when it is already. */
export function setAside(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const wasMeant = isSetAsideFor(volume, claim)
  if (wasMeant && volume.spec.claimRef?.uid === claim.metadata.uid) return volume
  const annotations = wasMeant
    ? volume.metadata.annotations
    : { ...volume.metadata.annotations, [volumeAnnotations.boundByController]: 'yes' }
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(annotations && { annotations }) },
    spec: { ...volume.spec, claimRef: claimReference(claim) },
  }
}
