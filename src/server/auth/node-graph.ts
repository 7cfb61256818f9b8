// Which objects have to do with which node: those that the pods bound to it refer to. Kept up to date by
// the caches, so that a request is answered by looking one name up.
// Source: plugin/pkg/auth/authorizer/node/graph.go.
import type { PersistentVolume, Pod, ResourceSlice, VolumeAttachment } from '../../api/generated/models.ts'
import { keyOf } from '../../api/object.ts'
import { podReferences } from '../../api/pod-references.ts'
import { persistentVolumes, pods, resourceSlices, volumeAttachments } from '../../api/resources.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'

export type RelatedKind =
  | 'pods'
  | 'secrets'
  | 'configmaps'
  | 'persistentvolumeclaims'
  | 'serviceaccounts'
  | 'resourceclaims'
  | 'persistentvolumes'
  | 'volumeattachments'
  | 'resourceslices'

const mirrorAnnotation = 'kubernetes.io/config.mirror'

export class NodeGraph {
  private readonly storage: ObjectStorage
  /** By `kind namespace/name`: how many pods of each node refer to it. */
  private readonly byObject = new Map<string, Map<string, number>>()
  /** By `namespace/name` of a secret: the volumes that need it on a node. */
  private readonly volumesBySecret = new Map<string, Set<string>>()

  constructor(storage: ObjectStorage) {
    this.storage = storage
    for (const { object } of storage.cache(pods).values()) this.count(object as Pod, 1)
    for (const { object } of storage.cache(persistentVolumes).values())
      this.noteVolume(object as PersistentVolume, true)
    storage.cache(pods).subscribe(({ type, current, previous }) => {
      if (
        previous !== undefined &&
        type === 'MODIFIED' &&
        sameReferences(previous.object as Pod, current.object as Pod)
      )
        return
      if (previous !== undefined) this.count(previous.object as Pod, -1)
      if (type !== 'DELETED') this.count(current.object as Pod, 1)
    })
    storage.cache(persistentVolumes).subscribe(({ type, current, previous }) => {
      if (previous !== undefined) this.noteVolume(previous.object as PersistentVolume, false)
      if (type !== 'DELETED') this.noteVolume(current.object as PersistentVolume, true)
    })
  }

  /** @param name `namespace/name`, or `name` of what is in no namespace */
  isRelated(node: string, kind: RelatedKind, name: string): boolean {
    switch (kind) {
      case 'persistentvolumes':
        return this.hasVolume(node, name)
      case 'volumeattachments':
        return (
          (this.storage.get(volumeAttachments, name)?.object as VolumeAttachment | undefined)?.spec.nodeName === node
        )
      case 'resourceslices':
        return (this.storage.get(resourceSlices, name)?.object as ResourceSlice | undefined)?.spec.nodeName === node
      default: {
        if (this.byObject.get(`${kind} ${name}`)?.has(node) === true) return true
        return (
          kind === 'secrets' && [...(this.volumesBySecret.get(name) ?? [])].some(volume => this.hasVolume(node, volume))
        )
      }
    }
  }

  private hasVolume(node: string, volume: string): boolean {
    const claim = (this.storage.get(persistentVolumes, volume)?.object as PersistentVolume | undefined)?.spec?.claimRef
    return claim !== undefined && this.isRelated(node, 'persistentvolumeclaims', `${claim.namespace}/${claim.name}`)
  }

  private count(pod: Pod, step: 1 | -1): void {
    const node = pod.spec.nodeName
    if (!node) return
    for (const key of relatedKeys(pod)) {
      let nodes = this.byObject.get(key)
      if (nodes === undefined) this.byObject.set(key, (nodes = new Map()))
      const left = (nodes.get(node) ?? 0) + step
      if (left > 0) nodes.set(node, left)
      else nodes.delete(node)
      if (nodes.size === 0) this.byObject.delete(key)
    }
  }

  private noteVolume(volume: PersistentVolume, present: boolean): void {
    for (const secret of volumeSecrets(volume)) {
      const volumes = this.volumesBySecret.get(secret) ?? new Set()
      if (present) this.volumesBySecret.set(secret, volumes.add(volume.metadata.name))
      else if (volumes.delete(volume.metadata.name) && volumes.size === 0) this.volumesBySecret.delete(secret)
    }
  }
}

/** Most changes of a pod are to its status alone. */
function sameReferences(before: Pod, after: Pod): boolean {
  return (
    before.metadata.uid === after.metadata.uid &&
    before.spec.nodeName === after.spec.nodeName &&
    (before.spec.ephemeralContainers?.length ?? 0) === (after.spec.ephemeralContainers?.length ?? 0) &&
    (before.status?.resourceClaimStatuses?.length ?? 0) === (after.status?.resourceClaimStatuses?.length ?? 0)
  )
}

function* relatedKeys(pod: Pod): Iterable<string> {
  const { metadata, spec } = pod
  yield `pods ${keyOf(pod)}`
  // What a node made up itself gives it no right to anything.
  if (metadata.annotations?.[mirrorAnnotation] !== undefined) return
  const within = (kind: RelatedKind, name: string): string => `${kind} ${metadata.namespace}/${name}`
  if (spec.serviceAccountName) yield within('serviceaccounts', spec.serviceAccountName)
  const { secrets, configMaps, claims, resourceClaims } = podReferences(pod)
  for (const name of secrets) yield within('secrets', name)
  for (const name of configMaps) yield within('configmaps', name)
  for (const name of claims) yield within('persistentvolumeclaims', name)
  for (const name of resourceClaims) yield within('resourceclaims', name)
}

/** The secrets that mounting the volume takes, where the volume is bound; by default in its claim's namespace. */
function volumeSecrets({ spec }: PersistentVolume): string[] {
  const { claimRef, csi, azureFile, cephfs, flexVolume, iscsi, rbd, scaleIO, storageos } = spec ?? {}
  if (claimRef === undefined) return []
  const references = [
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodeExpandSecretRef,
    ...[cephfs, flexVolume, iscsi, rbd, scaleIO, storageos].map(source => source?.secretRef),
    azureFile && { name: azureFile.secretName, namespace: azureFile.secretNamespace },
  ]
  return references.flatMap(reference =>
    reference?.name ? [`${reference.namespace || claimRef.namespace}/${reference.name}`] : [],
  )
}
