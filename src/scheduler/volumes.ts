// What a pod's claims mean for where it can go: whether they can be had at all, on which nodes, and what has to
// be bound or made once a node is chosen. Pure.
// Source: pkg/scheduler/framework/plugins/volumebinding and volumerestrictions of Kubernetes.
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  TopologySelectorTerm,
} from '../api/generated/models.ts'
import {
  claimKeysOf,
  claimNameOf,
  classOfClaim,
  foreignClaim,
  isFullyBound,
  noProvisioner,
  requestedStorage,
  volumeAnnotations,
} from '../api/persistent-storage.ts'
import { compareQuantities } from '../api/quantity.ts'
import { matchingVolume, reaches } from '../control/volume-match.ts'
import { forGood, forNow, type Rule } from './rule.ts'
import type { Cluster, NodeInfo } from './snapshot.ts'

/** The storage of the cluster, with what pods on their way to a node are about to get. */
export interface StorageView {
  claim(namespace: string | undefined, name: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  volumesOf(className: string): readonly PersistentVolume[]
  storageClass(name: string): StorageClass | undefined
  /** The node that the claim's volume is made for. */
  nodeOf(claim: PersistentVolumeClaim): string | undefined
  /** Whether another claim is about to be bound to the volume. */
  isTaken(volumeName: string, claim: PersistentVolumeClaim): boolean
}

/** What is to be done before a pod may be bound to a node. */
export interface VolumePlan {
  readonly bind: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[]
  readonly provision: readonly PersistentVolumeClaim[]
}

const unreached = "node(s) didn't match PersistentVolume's node affinity"
const nothingToBind = "node(s) didn't find available persistent volumes to bind"
const volumeGone = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'
const inUseElsewhere = forNow(
  'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
)

/** Why no node will do before the claims have changed, as the pod's condition says it; undefined when there is nothing of the kind. */
export function claimObstacle(pod: Pod, storage: StorageView): string | undefined {
  const claims: PersistentVolumeClaim[] = []
  for (const volume of pod.spec.volumes ?? []) {
    const name = claimNameOf(pod, volume)
    if (name === undefined) continue
    const claim = storage.claim(pod.metadata.namespace, name)
    if (claim === undefined)
      return volume.ephemeral === undefined
        ? `persistentvolumeclaim "${name}" not found`
        : `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
    if (claim.status.phase === 'Lost')
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ''}"`
    if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${name}" is being deleted`
    const foreign = volume.ephemeral === undefined ? undefined : foreignClaim(pod, claim)
    if (foreign !== undefined) return foreign
    claims.push(claim)
  }
  return claims.some(claim => !isFullyBound(claim) && !waitsForPod(claim, storage))
    ? 'pod has unbound immediate PersistentVolumeClaims'
    : undefined
}

/** A claim for which a user chose the volume waits for nobody. */
const waitsForPod = (claim: PersistentVolumeClaim, storage: StorageView): boolean =>
  !claim.spec.volumeName && storage.storageClass(classOfClaim(claim))?.volumeBindingMode === 'WaitForFirstConsumer'

/** In the order in which Kubernetes asks. None for pods without claims. */
export function volumeRules(pod: Pod, cluster: Cluster, storage: StorageView): Rule[] {
  const claims = claimsOf(pod, storage)
  if (claims.length === 0) return []
  const exclusive = new Set(
    claims
      .filter(claim => claim.spec.accessModes?.includes('ReadWriteOncePod'))
      .map(claim => `${pod.metadata.namespace}/${claim.metadata.name}`),
  )
  return [
    ...(exclusive.size > 0 ? [exclusiveRule(pod, exclusive, cluster)] : []),
    info => bindingObstacle(claims, info, storage),
  ]
}

function claimsOf(pod: Pod, storage: StorageView): PersistentVolumeClaim[] {
  const names = new Set((pod.spec.volumes ?? []).flatMap(volume => claimNameOf(pod, volume) ?? []))
  return [...names].flatMap(name => storage.claim(pod.metadata.namespace, name) ?? [])
}

function exclusiveRule(pod: Pod, exclusive: ReadonlySet<string>, cluster: Cluster): Rule {
  const isUser = (other: Pod): boolean =>
    other.metadata.uid !== pod.metadata.uid && claimKeysOf(other).some(key => exclusive.has(key))
  const inUse = cluster.nodes.values().some(info => info.pods.values().some(({ pod: other }) => isUser(other)))
  return () => (inUse ? inUseElsewhere : undefined)
}

function bindingObstacle(
  claims: readonly PersistentVolumeClaim[],
  { node }: NodeInfo,
  storage: StorageView,
): ReturnType<Rule> {
  const reasons: string[] = []
  const bound = claims.filter(isFullyBound).map(claim => storage.volume(claim.spec.volumeName!))
  if (bound.includes(undefined)) return forGood(volumeGone)
  if (bound.some(volume => !reaches(volume!, node))) reasons.push(unreached)
  if (planFor(claims, node, storage) === undefined) reasons.push(nothingToBind)
  return reasons.length === 0 ? undefined : { reasons, isResolvable: false }
}

/** What the pod's claims need on the node that was chosen; undefined when it turns out that they cannot have it. */
export const volumePlan = (pod: Pod, node: Node, storage: StorageView): VolumePlan | undefined =>
  planFor(claimsOf(pod, storage), node, storage)

/** Small claims choose first, so that they leave the large volumes to others. */
function planFor(claims: readonly PersistentVolumeClaim[], node: Node, storage: StorageView): VolumePlan | undefined {
  const waiting = claims
    .filter(claim => !isFullyBound(claim))
    .sort((a, b) => compareQuantities(requestedStorage(a), requestedStorage(b)))
  const bind: VolumePlan['bind'][number][] = []
  const provision: PersistentVolumeClaim[] = []
  for (const claim of waiting) {
    const chosen = storage.nodeOf(claim)
    if (chosen !== undefined && chosen !== node.metadata.name) return undefined
    const taken = (name: string): boolean =>
      storage.isTaken(name, claim) || bind.some(({ volume }) => volume.metadata.name === name)
    const volume =
      chosen === undefined ? matchingVolume(claim, storage.volumesOf(classOfClaim(claim)), { node, taken }) : undefined
    if (volume !== undefined) bind.push({ claim, volume })
    else if (chosen !== undefined || canBeMade(storage.storageClass(classOfClaim(claim)), node)) provision.push(claim)
    else return undefined
  }
  return { bind, provision }
}

function canBeMade(storageClass: StorageClass | undefined, node: Node): boolean {
  if (storageClass === undefined || storageClass.provisioner === '' || storageClass.provisioner === noProvisioner)
    return false
  const terms = storageClass.allowedTopologies ?? []
  return terms.length === 0 || terms.some(term => isAllowed(term, node))
}

const isAllowed = (
  { matchLabelExpressions = [] }: TopologySelectorTerm,
  { metadata: { labels = {} } }: Node,
): boolean => matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))

/** Of a claim that is not bound yet: the node that it was given to. */
export const selectedNode = ({ metadata }: PersistentVolumeClaim): string | undefined =>
  metadata.annotations?.[volumeAnnotations.selectedNode]
