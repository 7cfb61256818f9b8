// All current objects of one resource, in the order of their keys, with the recent changes for watchers
// that resume. Fed by the store's watch; read by lists, gets, watches and informers without a copy.
import type { CachedObject } from './cached-object.ts'

export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly revision: number
  /** For DELETED the last state, with the deletion's revision as resourceVersion. */
  readonly current: CachedObject
  readonly previous: CachedObject | undefined
}

/** Changes kept for watchers that resume from an older revision. */
const historyLength = 4096
/** How many more there may be before the oldest are dropped, together. */
const historySlack = 512

export class ResourceCache {
  private readonly entries = new Map<string, CachedObject>()
  private sorted: string[] | undefined = []
  private readonly history: CacheEvent[] = []
  /** Revision after which `history` is complete. */
  private historyFrom: number
  private readonly listeners = new Set<(event: CacheEvent) => void>()

  constructor(revision: number) {
    this.historyFrom = revision
  }

  get size(): number {
    return this.entries.size
  }

  get(key: string): CachedObject | undefined {
    return this.entries.get(key)
  }

  values(): Iterable<CachedObject> {
    return this.entries.values()
  }

  /** Those of one namespace (or all), in key order. */
  list(namespace?: string): CachedObject[] {
    const keys = this.sortedKeys()
    if (namespace === undefined) return keys.map(key => this.entries.get(key)!)
    const prefix = `${namespace}/`
    const found: CachedObject[] = []
    for (let index = lowerBound(keys, prefix); index < keys.length && keys[index]!.startsWith(prefix); index++)
      found.push(this.entries.get(keys[index]!)!)
    return found
  }

  /** Whether every change after `revision` is still known. */
  remembers(revision: number): boolean {
    return revision >= this.historyFrom
  }

  get oldestRevision(): number {
    return this.historyFrom
  }

  /** Changes after `revision`, in order. */
  since(revision: number): readonly CacheEvent[] {
    const first = this.history.findIndex(event => event.revision > revision)
    return first < 0 ? [] : this.history.slice(first)
  }

  subscribe(listener: (event: CacheEvent) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** Fills the cache at start, without telling anybody. */
  load(object: CachedObject): void {
    this.entries.set(object.key, object)
    this.sorted = undefined
  }

  /** Adds a change from before the start, in order, for watchers that resume. */
  remember(event: CacheEvent): void {
    this.history.push(event)
  }

  put(object: CachedObject): void {
    const previous = this.entries.get(object.key)
    this.entries.set(object.key, object)
    if (previous === undefined) this.sorted = undefined
    this.publish({
      type: previous === undefined ? 'ADDED' : 'MODIFIED',
      revision: object.revision,
      current: object,
      previous,
    })
  }

  /** @param last is the object's last state stamped with the revision of the deletion */
  delete(last: CachedObject): void {
    const previous = this.entries.get(last.key)
    if (!this.entries.delete(last.key)) return
    this.sorted = undefined
    this.publish({ type: 'DELETED', revision: last.revision, current: last, previous })
  }

  private publish(event: CacheEvent): void {
    this.history.push(event)
    if (this.history.length > historyLength + historySlack) {
      const dropped = this.history.splice(0, historySlack)
      this.historyFrom = dropped.at(-1)!.revision
    }
    for (const listener of this.listeners) listener(event)
  }

  private sortedKeys(): string[] {
    return (this.sorted ??= [...this.entries.keys()].sort((left, right) => (left < right ? -1 : left > right ? 1 : 0)))
  }
}

function lowerBound(keys: readonly string[], wanted: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
