// The shapes every part of Sampan shares: a stored object, a list, a watch event, an object's name.
// Objects that come out of a cache are frozen; whoever wants to change one copies it first
// (`structuredClone`).
import type { ObjectMeta } from './generated/models.ts'

export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** An object as a client sends it to be created: the server adds uid, revision, defaults and status. */
export type New<T extends KubeObject> = Omit<T, 'apiVersion' | 'kind' | 'metadata' | 'status' | 'spec'> & {
  apiVersion?: string
  kind?: string
  metadata: Partial<ObjectMeta>
} & (T extends { spec: infer Spec } ? { spec?: Spec } : unknown) &
  (T extends { status: infer Status } ? { status?: Status } : unknown)

export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion: string
  kind: string
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  items: T[]
}

/** Namespace is absent for cluster-scoped kinds. */
export interface ObjectName {
  readonly namespace?: string | undefined
  readonly name: string
}

export type WatchEvent<T extends KubeObject = KubeObject> = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: T
}

/** `namespace/name`, or `name` alone for cluster-scoped objects: the key of queues and indexes. */
export function keyOf(object: { readonly metadata: { readonly namespace?: string; readonly name: string } }): string {
  const { namespace, name } = object.metadata
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`
}

export function splitKey(key: string): ObjectName {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
