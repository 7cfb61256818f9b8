// Which volume suits a claim. Pure; shared by the control loop that binds them and by the scheduler, which
// asks for one particular node. Source: component-helpers/storage/volume/pv_helpers.go of Kubernetes.
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../api/generated/models.ts'
import { matchesSelector } from '../api/label-selector.ts'
import { classOfClaim, classOfVolume, isSetAsideFor, requestedStorage } from '../api/persistent-storage.ts'
import { compareQuantities } from '../api/quantity.ts'
import { matchesTerm } from './node-match.ts'

export interface MatchOptions {
  /** Only volumes that this node reaches. */
  readonly node?: Node
  /** Volumes that others are about to get, by name. */
  readonly taken?: (volumeName: string) => boolean
  /** The class waits for a pod: until then only a volume that was set aside for the claim will do. */
  readonly waits?: boolean
}

/**
 * A volume that was set aside for the claim, or of those that suit it the one with the fewest access modes beside
 * the wanted ones, and of these the smallest.
 */
export function matchingVolume(
  claim: PersistentVolumeClaim,
  volumes: Iterable<PersistentVolume>,
  { node, taken, waits = false }: MatchOptions = {},
): PersistentVolume | undefined {
  let best: PersistentVolume | undefined
  for (const volume of volumes) {
    if (taken?.(volume.metadata.name) === true || volume.metadata.deletionTimestamp !== undefined) continue
    const isOwn = isSetAsideFor(volume, claim)
    if (
      (volume.spec.claimRef !== undefined && !isOwn) ||
      isTooSmall(volume, claim) ||
      !sameMode(volume, claim) ||
      !offersModes(volume, claim)
    )
      continue
    const isReached = node === undefined || reaches(volume, node)
    if (isOwn) return isReached ? volume : undefined
    if (waits || !isReached || volume.status.phase !== 'Available' || classOfVolume(volume) !== classOfClaim(claim))
      continue
    if (claim.spec.selector !== undefined && !matchesSelector(claim.spec.selector, volume.metadata.labels)) continue
    if (best === undefined || isBetter(volume, best)) best = volume
  }
  return best
}

/** Why a claim cannot have the volume that it names, as its event says; undefined when it can. */
export function unsuitable(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (isTooSmall(volume, claim)) return 'requested PV is too small'
  if (classOfVolume(volume) !== classOfClaim(claim)) return 'storageClassName does not match'
  if (!sameMode(volume, claim)) return 'incompatible volumeMode'
  return offersModes(volume, claim) ? undefined : 'incompatible accessMode'
}

/** Whether pods on the node can use the volume. */
export function reaches({ spec }: PersistentVolume, node: Node): boolean {
  const required = spec.nodeAffinity?.required
  return required === undefined || required.nodeSelectorTerms.some(term => matchesTerm(term, node))
}

const capacityOf = ({ spec }: PersistentVolume): string | undefined => spec.capacity?.['storage']
const isTooSmall = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  compareQuantities(capacityOf(volume), requestedStorage(claim)) < 0

export const sameMode = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (volume.spec.volumeMode ?? 'Filesystem') === (claim.spec.volumeMode ?? 'Filesystem')

const offersModes = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  (claim.spec.accessModes ?? []).every(mode => volume.spec.accessModes?.includes(mode))

const modesOf = ({ spec }: PersistentVolume): number => new Set(spec.accessModes).size

const isBetter = (one: PersistentVolume, other: PersistentVolume): boolean =>
  (modesOf(one) - modesOf(other) || compareQuantities(capacityOf(one), capacityOf(other))) < 0
