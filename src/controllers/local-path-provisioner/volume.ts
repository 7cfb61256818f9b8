// Which claims and volumes the provisioner of one node looks after, and what it makes of a claim. Pure.
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/models.ts'
import type { New } from '../../api/object.ts'
import {
  claimReference,
  classOfClaim,
  provisionedVolumeFinalizer,
  requestedStorage,
  volumeAnnotations,
} from '../../api/persistent-storage.ts'

export const localPathProvisioner = 'sampan.dev/local-path'

const hostnameLabel = 'kubernetes.io/hostname'
const longestFileName = 255

/** Whether a volume is to be made for the claim on this node. A claim that waits for nobody may get it on any. */
export function isToBeMade(
  { metadata, spec }: PersistentVolumeClaim,
  { provisioner, volumeBindingMode }: StorageClass,
  nodeName: string,
): boolean {
  const { annotations = {}, deletionTimestamp } = metadata
  if (
    spec.volumeName ||
    deletionTimestamp !== undefined ||
    provisioner !== localPathProvisioner ||
    annotations[volumeAnnotations.provisioner] !== localPathProvisioner
  )
    return false
  const selected =
    annotations[volumeAnnotations.selectedNode] ?? (volumeBindingMode === 'Immediate' ? nodeName : undefined)
  return selected === nodeName
}

/** Why no directory can be what the claim asks for; undefined when one can. */
export function refusal({ spec }: PersistentVolumeClaim): string | undefined {
  if (spec.volumeMode === 'Block') return 'expected volumeMode Filesystem, found Block: a directory is no block device'
  if (spec.selector !== undefined)
    return 'claim.Spec.Selector is not supported: a new directory has no labels that it could match'
  return spec.dataSource === undefined && spec.dataSourceRef === undefined
    ? undefined
    : 'a data source is not supported: a new directory is empty'
}

/** Unique by the claim's uid; the names are there for people. */
export const directoryOf = ({ metadata: { uid, namespace, name } }: PersistentVolumeClaim): string =>
  `pvc-${uid}_${namespace}_${name}`.slice(0, longestFileName)

export function volumeFor(
  claim: PersistentVolumeClaim,
  { reclaimPolicy, mountOptions }: StorageClass,
  path: string,
  nodeName: string,
): New<PersistentVolume> {
  return {
    metadata: {
      name: `pvc-${claim.metadata.uid}`,
      annotations: { [volumeAnnotations.provisionedBy]: localPathProvisioner },
      finalizers: [provisionedVolumeFinalizer],
    },
    spec: {
      accessModes: claim.spec.accessModes ?? [],
      capacity: { storage: requestedStorage(claim) },
      claimRef: claimReference(claim),
      local: { path },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: hostnameLabel, operator: 'In', values: [nodeName] }] }],
        },
      },
      persistentVolumeReclaimPolicy: reclaimPolicy ?? 'Delete',
      storageClassName: classOfClaim(claim),
      volumeMode: 'Filesystem',
      ...(mountOptions && { mountOptions }),
    },
  }
}

/** Whether the volume is a directory of this node that the provisioner made. */
export function isOwn({ metadata, spec }: PersistentVolume, nodeName: string): boolean {
  const [term] = spec.nodeAffinity?.required?.nodeSelectorTerms ?? []
  return (
    metadata.annotations?.[volumeAnnotations.provisionedBy] === localPathProvisioner &&
    spec.local !== undefined &&
    term?.matchExpressions?.some(({ key, values }) => key === hostnameLabel && values?.includes(nodeName)) === true
  )
}

/** Released, or deleted by somebody while no claim holds it. */
export const isDone = ({ metadata, status }: PersistentVolume): boolean =>
  status.phase === 'Released' || (metadata.deletionTimestamp !== undefined && status.phase !== 'Bound')
