// What controllers, scheduler, node agent, gateway and delivery see of the API: typed verbs over a
// resource. In one process the transport is a function call, elsewhere HTTPS; nothing that uses a
// `Client` can tell. Objects that come out are frozen and shared: copy before changing.
// Promise: once a write's promise resolves, the informers of the same client show that write.
import type { KubeList, KubeObject, New, ObjectName, WatchEvent } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'

export interface ListOptions {
  readonly namespace?: string
  /** Kubernetes' label selector grammar. */
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
}

export interface WatchOptions extends ListOptions {
  readonly signal?: AbortSignal
}

export interface WriteOptions {
  readonly fieldManager?: string
  readonly dryRun?: boolean
  readonly subresource?: string
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

export type Patch =
  | { readonly type: 'json'; readonly operations: readonly unknown[] }
  | { readonly type: 'merge' | 'strategic'; readonly value: unknown }
  | { readonly type: 'apply'; readonly value: unknown; readonly force?: boolean }

export interface Client {
  /** @throws ApiError NotFound */
  get<T extends KubeObject>(resource: Resource<T>, name: ObjectName): Promise<T>
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<KubeList<T>>
  /** Ends when the signal fires or the server closes; @throws ApiError Expired when the revision is too old. */
  watch<T extends KubeObject>(resource: Resource<T>, options?: WatchOptions): AsyncIterable<WatchEvent<T>>
  /** @throws ApiError AlreadyExists, Invalid */
  create<T extends KubeObject>(resource: Resource<T>, object: New<T>, options?: WriteOptions): Promise<T>
  /** Replaces; with a resourceVersion in the object only if that is still the current one. @throws ApiError Conflict, NotFound, Invalid */
  update<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>
  patch<T extends KubeObject>(resource: Resource<T>, name: ObjectName, patch: Patch, options?: WriteOptions): Promise<T>
  /** @throws ApiError NotFound, Conflict (preconditions) */
  delete(resource: Resource, name: ObjectName, options?: DeleteOptions): Promise<void>
  /** POSTs to a subresource such as `binding`, `eviction` or `token` and returns the answer. */
  post<T extends KubeObject>(resource: Resource, name: ObjectName, subresource: string, body: New<T>): Promise<T>
  /** The one shared, live view of a resource. The first call starts it. */
  informer<T extends KubeObject>(resource: Resource<T>): Informer<T>
}

export type Change<T extends KubeObject> =
  | { readonly type: 'ADDED'; readonly object: T; readonly old?: undefined }
  | { readonly type: 'MODIFIED'; readonly object: T; readonly old: T }
  /** `object` is the last known state. */
  | { readonly type: 'DELETED'; readonly object: T; readonly old?: undefined }

export interface Informer<T extends KubeObject> {
  /** Resolves when the first complete list is in. Reads before that see a part. */
  readonly synced: Promise<void>
  get(name: ObjectName): T | undefined
  /** All, or those of one namespace. Not in a particular order. */
  list(namespace?: string): readonly T[]
  /**
   * An index kept up to date from now on. `keysOf` returns the values an object is found under; the
   * result looks one value up. Calling it twice with the same name returns the same index.
   */
  index(name: string, keysOf: (object: T) => readonly string[]): (value: string) => readonly T[]
  /** Calls the listener with every object there is as ADDED (before returning), then with every change. Returns how to stop. */
  subscribe(listener: (change: Change<T>) => void): () => void
}
