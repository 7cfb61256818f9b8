// What an object's owners mean for it. An owner is solid (exists), waiting (is being deleted in the
// foreground and waits for its dependents) or gone.
import type { OwnerReference } from '../../api/generated/models.ts'
import type { KubeObject } from '../../api/object.ts'

export type OwnerState = 'solid' | 'waiting' | 'gone'

export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

export const hasFinalizer = (object: KubeObject, finalizer: string): boolean =>
  object.metadata.finalizers?.includes(finalizer) ?? false
export const isDeleting = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined
/** Goes once its dependents are gone. */
export const isWaiting = (object: KubeObject): boolean =>
  isDeleting(object) && hasFinalizer(object, foregroundFinalizer)

export type Fate =
  | { readonly action: 'keep' }
  | { readonly action: 'disown'; readonly uids: readonly string[] }
  | { readonly action: 'delete'; readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan' }

/** An object stays while one owner stays, and forgets the others; without any it goes. */
export function planFate(
  object: KubeObject,
  stateOf: ReadonlyMap<OwnerReference, OwnerState>,
  hasDependents: boolean,
): Fate {
  const states = [...stateOf]
  if (states.length === 0 || isDeleting(object)) return { action: 'keep' }
  const lost = states.filter(([, state]) => state !== 'solid')
  if (lost.length === 0) return { action: 'keep' }
  if (lost.length < states.length) return { action: 'disown', uids: lost.map(([reference]) => reference.uid) }
  if (hasDependents && states.some(([, state]) => state === 'waiting'))
    return { action: 'delete', propagationPolicy: 'Foreground' }
  if (hasFinalizer(object, orphanFinalizer)) return { action: 'delete', propagationPolicy: 'Orphan' }
  return {
    action: 'delete',
    propagationPolicy: hasFinalizer(object, foregroundFinalizer) ? 'Foreground' : 'Background',
  }
}

/** Dependents that hold a foreground deletion up. */
export const blocks = (dependent: KubeObject, ownerUid: string): boolean =>
  dependent.metadata.ownerReferences?.some(
    reference => reference.uid === ownerUid && reference.blockOwnerDeletion === true,
  ) ?? false
