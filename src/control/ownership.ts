// Who owns what: controller references, and the claiming of objects by selector (orphans that match are
// adopted, owned objects that no longer match are released).
import { isConflict, isNotFound } from '../api/api-error.ts'
import type { OwnerReference } from '../api/generated/models.ts'
import type { KubeObject } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { apiVersionOf } from '../api/resource.ts'
import type { Client, Informer } from '../client/client.ts'

export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find(reference => reference.controller === true)

export const controllerReference = (owner: KubeObject, resource: Resource): OwnerReference => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
})

/** Objects by the uid of their controller; those without one under `orphans(namespace)`. */
export function byController<T extends KubeObject>(
  informer: Informer<T>,
): { of: (owner: KubeObject) => readonly T[]; orphans: (namespace: string) => readonly T[] } {
  const find = informer.index('controller', object => [
    controllerOf(object)?.uid ?? orphanKey(object.metadata.namespace ?? ''),
  ])
  return { of: owner => find(owner.metadata.uid), orphans: namespace => find(orphanKey(namespace)) }
}

const orphanKey = (namespace: string): string => `orphan/${namespace}`

export interface ClaimOptions<T extends KubeObject> {
  readonly client: Client
  readonly owner: KubeObject
  readonly ownerResource: Resource
  readonly resource: Resource<T>
  readonly owned: readonly T[]
  readonly orphans: readonly T[]
  readonly matches: (object: T) => boolean
}

/** The objects that belong to the owner after adopting and releasing. */
export async function claim<T extends KubeObject>(options: ClaimOptions<T>): Promise<T[]> {
  const { owned, orphans, matches, owner } = options
  const kept = owned.filter(object => matches(object))
  if (owner.metadata.deletionTimestamp !== undefined) return kept
  const strangers = owned.filter(object => !matches(object))
  const wanted = orphans.filter(object => object.metadata.deletionTimestamp === undefined && matches(object))
  if (strangers.length === 0 && wanted.length === 0) return kept
  await Promise.all(strangers.map(object => release(object, options)))
  const adopted = await Promise.all(wanted.map(object => adopt(object, options)))
  return [...kept, ...adopted.filter(object => object !== undefined)]
}

function adopt<T extends KubeObject>(
  object: T,
  { client, owner, ownerResource, resource }: ClaimOptions<T>,
): Promise<T | undefined> {
  const value = { metadata: { uid: object.metadata.uid, ownerReferences: [controllerReference(owner, ownerResource)] } }
  return unlessGone(client.patch(resource, object.metadata, { type: 'strategic', value }))
}

function release<T extends KubeObject>(
  object: T,
  { client, owner, resource }: ClaimOptions<T>,
): Promise<T | undefined> {
  const value = {
    metadata: { uid: object.metadata.uid, ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }] },
  }
  return unlessGone(client.patch(resource, object.metadata, { type: 'strategic', value }))
}

/** Undefined when the object has gone, or has become another, meanwhile. */
export async function unlessGone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return undefined
    throw error
  }
}
