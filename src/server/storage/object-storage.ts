// The bridge between objects and the store: one cache per resource, kept current by the store's watch.
// A write resolves after the cache shows it, so whoever awaited a write reads it.
import type { KubeObject } from '../../api/object.ts'
import type { Resource } from '../../api/resource.ts'
import type { Entry, HistoryEvent, RangeResult, Store, StoreEvent } from '../../store/store.ts'
import { CachedObject, deepFreeze } from './cached-object.ts'
import { encodeForStore, withOtherRevision, withRevision } from './object-codec.ts'
import { ResourceCache, type CacheEvent } from './resource-cache.ts'

const root = '/registry/'

/** How far back changes from before the start are read, for watches that resume over a restart. */
const rememberedRevisions = 4096
const pageSize = 1000

type ResourceName = Pick<Resource, 'group' | 'plural'>

export type StoredWrite =
  | { readonly ok: true; readonly object: CachedObject }
  | { readonly ok: false; readonly current: CachedObject | undefined }

const nameOf = ({ group, plural }: ResourceName): string => `${group === '' ? 'core' : group}/${plural}`
const prefixOf = (resource: ResourceName): string => `${root}${nameOf(resource)}/`

/** Under which key of the store an object is. @param key is NAMESPACE/NAME, or NAME */
export const storeKeyOf = (resource: ResourceName, key: string): string => prefixOf(resource) + key

export class ObjectStorage {
  private readonly caches = new Map<string, ResourceCache>()
  /** What a value that this process is writing was encoded from, so that it need not be parsed again. */
  private readonly sources = new WeakMap<Uint8Array, KubeObject>()
  private currentRevision: number
  private readonly store: Store

  /** Every change after this revision is known, from before the start as well. */
  private readonly historyFrom: number

  private constructor(store: Store, revision: number, historyFrom: number) {
    this.store = store
    this.currentRevision = revision
    this.historyFrom = historyFrom
  }

  static async open(store: Store): Promise<ObjectStorage> {
    // In pages, so that the store's own copies of the values never add up.
    let page = await store.range(root, { limit: pageSize })
    const { revision } = page
    const history = await store.history(root, revision, rememberedRevisions)
    const storage = new ObjectStorage(store, revision, history.afterRevision)
    for (;;) {
      for (const entry of page.entries) {
        const { cache, key } = storage.locate(entry.key)
        cache.load(fromEntry(key, entry))
      }
      if (!page.more) break
      page = await store.range(root, { limit: pageSize, revision, from: `${page.entries.at(-1)!.key}\0` })
    }
    const newestSeen = new Map<string, CachedObject>()
    for (const event of history.events) storage.remember(event, newestSeen)
    await store.watch(root, revision, events => storage.observe(events))
    return storage
  }

  /** Revision of the newest committed write. */
  get revision(): number {
    return this.currentRevision
  }

  cache(resource: ResourceName): ResourceCache {
    return this.cacheNamed(nameOf(resource))
  }

  get(resource: ResourceName, key: string): CachedObject | undefined {
    return this.cache(resource).get(key)
  }

  /** Stores the draft if the key's revision is `expectedRevision` (0: must not exist). The draft becomes the cached object. */
  async put(resource: ResourceName, key: string, draft: KubeObject, expectedRevision: number): Promise<StoredWrite> {
    const stored = encodeForStore(draft)
    this.sources.set(stored, draft)
    const result = await this.store.put(prefixOf(resource) + key, stored, expectedRevision)
    const current = this.cache(resource).get(key)
    if (!result.ok) return { ok: false, current }
    // Somebody may have written again since; the caller still gets the version it wrote.
    if (current?.revision === result.revision) return { ok: true, object: current }
    return { ok: true, object: this.cachedObject(key, stored, result.revision) }
  }

  async delete(resource: ResourceName, object: CachedObject): Promise<StoredWrite> {
    const result = await this.store.delete(prefixOf(resource) + object.key, object.revision)
    if (!result.ok) return { ok: false, current: this.cache(resource).get(object.key) }
    return { ok: true, object: stamp(object, result.revision) }
  }

  /** Reads one page as of an older revision, past the cache. @throws CompactedError */
  async listAt(
    resource: ResourceName,
    revision: number,
    options: { namespace?: string; fromKey?: string; limit: number },
  ): Promise<{ objects: CachedObject[]; range: RangeResult }> {
    const prefix = prefixOf(resource)
    const range = await this.store.range(prefix + (options.namespace === undefined ? '' : `${options.namespace}/`), {
      revision,
      limit: options.limit,
      ...(options.fromKey !== undefined && { from: prefix + options.fromKey }),
    })
    return {
      objects: range.entries.map(
        entry =>
          new CachedObject(entry.key.slice(prefix.length), entry.revision, withRevision(entry.value, entry.revision)),
      ),
      range,
    }
  }

  /** @param newestSeen of each store key the newest version among the events before; versions are shared, not built twice */
  private remember(event: HistoryEvent, newestSeen: Map<string, CachedObject>): void {
    const { cache, key } = this.locate(event.entry.key)
    const seen = newestSeen.get(event.entry.key)
    const previous = seen?.revision === event.previousRevision ? seen : event.previous && fromEntry(key, event.previous)
    const remembered = pastEvent(event, key, previous, cache.get(key))
    if (remembered === undefined) return
    newestSeen.set(event.entry.key, remembered.current)
    cache.remember(remembered)
  }

  private observe(events: readonly StoreEvent[]): void {
    for (const { type, entry } of events) {
      this.currentRevision = entry.revision
      const { cache, key } = this.locate(entry.key)
      if (type === 'put') cache.put(this.cachedObject(key, entry.value, entry.revision))
      else {
        const last = cache.get(key)
        if (last !== undefined) cache.delete(stamp(last, entry.revision))
      }
    }
  }

  private cachedObject(key: string, stored: Uint8Array, revision: number): CachedObject {
    const source = this.sources.get(stored)
    if (source !== undefined) {
      if (!Object.isFrozen(source)) source.metadata.resourceVersion = String(revision)
      deepFreeze(source)
    }
    return new CachedObject(key, revision, withRevision(stored, revision), source)
  }

  private locate(storeKey: string): { cache: ResourceCache; key: string } {
    const afterGroup = storeKey.indexOf('/', root.length)
    const afterPlural = storeKey.indexOf('/', afterGroup + 1)
    return { cache: this.cacheNamed(storeKey.slice(root.length, afterPlural)), key: storeKey.slice(afterPlural + 1) }
  }

  private cacheNamed(name: string): ResourceCache {
    let cache = this.caches.get(name)
    if (cache === undefined) this.caches.set(name, (cache = new ResourceCache(this.historyFrom)))
    return cache
  }
}

const fromEntry = (key: string, entry: Entry): CachedObject =>
  new CachedObject(key, entry.revision, withRevision(entry.value, entry.revision))

function pastEvent(
  { type, entry }: HistoryEvent,
  key: string,
  previous: CachedObject | undefined,
  now: CachedObject | undefined,
): CacheEvent | undefined {
  const { revision } = entry
  if (type === 'delete')
    return previous === undefined
      ? undefined
      : { type: 'DELETED', revision, current: stamp(previous, revision), previous }
  const current = now?.revision === revision ? now : fromEntry(key, entry)
  return { type: previous === undefined ? 'ADDED' : 'MODIFIED', revision, current, previous }
}

/** The same state under another revision: what a DELETED event carries. */
function stamp(object: CachedObject, revision: number): CachedObject {
  return new CachedObject(object.key, revision, () => withOtherRevision(object.bytes, object.revision, revision))
}
