// A live view of a resource over the network: list, then watch, then again when the watch ends.
import { isExpired } from '../api/api-error.ts'
import { keyOf, type KubeObject, type ObjectName } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { BackOff } from '../lib/back-off.ts'
import type { Clock } from '../lib/clock.ts'
import type { Change, Client, Informer } from './client.ts'
import { ObjectIndex } from './object-index.ts'

/** A write is not held back longer than this by a view that lags behind. */
const longestWaitMs = 5000
const reconnect = { initialMs: 100, maximumMs: 10_000, resetAfterMs: 60_000 } as const

export class RemoteInformer<T extends KubeObject> implements Informer<T> {
  readonly synced: Promise<void>
  private readonly objects = new Map<string, T>()
  private readonly indexes = new Map<string, ObjectIndex<T>>()
  private readonly listeners = new Set<(change: Change<T>) => void>()
  private readonly abort = new AbortController()
  /** Those who wait until a write is seen here. */
  private readonly waiting = new Set<() => void>()

  constructor(client: Client, resource: Resource<T>, clock: Clock) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.synced = promise
    void this.run(client, resource, clock, resolve)
  }

  get({ namespace, name }: ObjectName): T | undefined {
    return this.objects.get(namespace === undefined || namespace === '' ? name : `${namespace}/${name}`)
  }

  list(namespace?: string): readonly T[] {
    const all = [...this.objects.values()]
    return namespace === undefined ? all : all.filter(object => object.metadata.namespace === namespace)
  }

  index(name: string, keysOf: (object: T) => readonly string[]): (value: string) => readonly T[] {
    let index = this.indexes.get(name)
    if (index === undefined) {
      index = new ObjectIndex(keysOf)
      for (const object of this.objects.values()) index.apply({ type: 'ADDED', object })
      this.indexes.set(name, index)
    }
    return index.lookUp
  }

  subscribe(listener: (change: Change<T>) => void): () => void {
    for (const object of this.objects.values()) listener({ type: 'ADDED', object })
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /**
   * Resolves once this view shows the write that `written` is the answer of: that version of the object or a
   * later one, or, for a deletion, its absence. Gives up after a while, when no watch is to be had.
   */
  async shows(
    clock: Clock,
    name: ObjectName,
    written: { readonly revision?: string; readonly uid?: string },
  ): Promise<void> {
    const seen = (): boolean => {
      const present = this.get(name)
      if (written.revision === undefined)
        return present === undefined || (written.uid !== undefined && present.metadata.uid !== written.uid)
      return present === undefined
        ? this.newest >= Number(written.revision)
        : Number(present.metadata.resourceVersion) >= Number(written.revision)
    }
    if (seen()) return
    await new Promise<void>(resolve => {
      const look = (): void => {
        if (!seen()) return
        finish()
      }
      const finish = (): void => {
        this.waiting.delete(look)
        limit.cancel()
        resolve()
      }
      const limit = clock.after(longestWaitMs, finish)
      this.waiting.add(look)
    })
  }

  stop(): void {
    this.abort.abort()
  }

  private newest = 0

  private noteRevision(revision: string): void {
    this.newest = Math.max(this.newest, Number(revision) || 0)
    for (const look of this.waiting) look()
  }

  private async run(client: Client, resource: Resource<T>, clock: Clock, synced: () => void): Promise<void> {
    const backOff = new BackOff<string>(reconnect)
    let revision: string | undefined
    while (!this.abort.signal.aborted) {
      try {
        if (revision === undefined) {
          revision = await this.relist(client, resource)
          this.noteRevision(revision)
          synced()
        }
        for await (const event of client.watch(resource, { resourceVersion: revision, signal: this.abort.signal })) {
          revision = event.object.metadata.resourceVersion
          if (event.type === 'DELETED') this.remove(event.object)
          else if (event.type !== 'BOOKMARK') this.put(event.object)
          this.noteRevision(revision)
        }
      } catch (error) {
        if (isExpired(error)) revision = undefined
        await new Promise<void>(resolve => {
          clock.after(backOff.next('', clock.now()), resolve)
        })
      }
    }
  }

  private async relist(client: Client, resource: Resource<T>): Promise<string> {
    const { items, metadata } = await client.list(resource)
    const present = new Set(items.map(item => keyOf(item)))
    for (const [key, object] of this.objects) if (!present.has(key)) this.remove(object)
    for (const item of items)
      if (this.objects.get(keyOf(item))?.metadata.resourceVersion !== item.metadata.resourceVersion) this.put(item)
    return metadata.resourceVersion
  }

  private put(object: T): void {
    const key = keyOf(object)
    const old = this.objects.get(key)
    this.objects.set(key, object)
    this.tell(old === undefined ? { type: 'ADDED', object } : { type: 'MODIFIED', object, old })
  }

  private remove(object: T): void {
    const key = keyOf(object)
    const last = this.objects.get(key)
    if (last === undefined) return
    this.objects.delete(key)
    this.tell({ type: 'DELETED', object: last })
  }

  private tell(change: Change<T>): void {
    for (const index of this.indexes.values()) index.apply(change)
    for (const listener of this.listeners) listener(change)
  }
}
