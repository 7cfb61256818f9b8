// One watch: what happened since a revision, then what happens. With a selector an object that starts or
// stops to match appears as ADDED or DELETED, as clients expect.
import { ApiError, badRequest, tooLargeRevision } from '../../api/api-error.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { CacheEvent } from '../storage/resource-cache.ts'
import type { ObjectFilter } from './object-filter.ts'
import { asServed, storedResource } from '../storage/kind-storage.ts'

export interface WatchQuery {
  readonly namespace?: string | undefined
  readonly filter: ObjectFilter
  readonly resourceVersion?: string | undefined
  /** First everything there is as ADDED, then a bookmark that says so. */
  readonly sendInitialEvents?: boolean
}

export interface Delivery {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: CachedObject
}

export interface StartedWatch {
  /** Revision up to which the initial events are complete. */
  readonly revision: number
  close(): void
}

/** Calls `deliver` for the initial events before it returns, and for later ones as they are committed. */
export function watch(context: ServerContext, kind: KindDefinition, query: WatchQuery, deliver: (delivery: Delivery) => void): StartedWatch {
  const cache = context.storage.cache(storedResource(kind))
  const { filter } = query
  const inNamespace = namespaceTest(query.namespace)
  const pass = (event: CacheEvent): void => {
    if (!inNamespace(event.current.key)) return
    const served = servedEvent(kind, event)
    const delivery = filter.matchesAll ? { type: served.type, object: served.current } : selected(served, filter)
    if (delivery !== undefined) deliver(delivery)
  }
  const since = startRevision(query)
  if (since === undefined) {
    for (const stored of cache.list(query.namespace)) {
      const object = asServed(kind, stored)
      if (filter.matchesAll || filter.matches(object)) deliver({ type: 'ADDED', object })
    }
  } else {
    if (since > context.storage.revision) throw tooLargeRevision(since, context.storage.revision)
    if (!cache.remembers(since)) throw new ApiError(410, 'Expired', `too old resource version: ${since} (${cache.oldestRevision})`)
    for (const event of cache.since(since)) pass(event)
  }
  return { revision: context.storage.revision, close: cache.subscribe(pass) }
}

function servedEvent(kind: KindDefinition, event: CacheEvent): CacheEvent {
  if (kind.storage === undefined) return event
  return { ...event, current: asServed(kind, event.current), previous: event.previous && asServed(kind, event.previous) }
}

/** undefined: begin with the current state. */
function startRevision({ resourceVersion, sendInitialEvents }: WatchQuery): number | undefined {
  if (sendInitialEvents || resourceVersion === undefined || resourceVersion === '' || resourceVersion === '0') return undefined
  const revision = Number(resourceVersion)
  if (!Number.isSafeInteger(revision) || revision < 0) throw badRequest(`resourceVersion: Invalid value: "${resourceVersion}": strconv.ParseUint: parsing "${resourceVersion}": invalid syntax`)
  return revision
}

function namespaceTest(namespace: string | undefined): (key: string) => boolean {
  if (namespace === undefined) return () => true
  const prefix = `${namespace}/`
  return key => key.startsWith(prefix)
}

function selected(event: CacheEvent, filter: ObjectFilter): Delivery | undefined {
  const matched = event.previous !== undefined && filter.matches(event.previous)
  if (event.type === 'DELETED') return matched ? { type: 'DELETED', object: event.current } : undefined
  const matches = filter.matches(event.current)
  if (matches) return { type: matched ? 'MODIFIED' : 'ADDED', object: event.current }
  return matched ? { type: 'DELETED', object: event.current } : undefined
}
