// One watch: what happened since a revision, then what happens. With a selector an object that starts or
// stops to match appears as ADDED or DELETED, as clients expect.
import { ApiError, badRequest, tooLargeRevision } from '../../api/api-error.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { CacheEvent } from '../storage/resource-cache.ts'
import type { ObjectFilter } from './object-filter.ts'
import { asServed, readyToServe, storedResource } from '../storage/kind-storage.ts'

export interface WatchQuery {
  readonly namespace?: string | undefined
  readonly filter: ObjectFilter
  readonly resourceVersion?: string | undefined
  /** First everything there is as ADDED, then a bookmark that says so. */
  readonly sendInitialEvents?: boolean
  /** From time to time the revision that has been reached, though nothing happened. */
  readonly allowWatchBookmarks?: boolean
  /** Told when an object could not be converted; the watch has ended then. */
  readonly failed?: (error: unknown) => void
}

export interface Delivery {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: CachedObject
}

export interface StartedWatch {
  /** What there was, or happened, until the watch began; to be read once, before any later delivery. */
  readonly initial: Iterable<Delivery>
  /** Revision up to which the initial events are complete. */
  readonly revision: number
  close(): void
}

/** Calls `deliver` for what is committed after the initial events. */
export function watch(
  context: ServerContext,
  kind: KindDefinition,
  query: WatchQuery,
  deliver: (delivery: Delivery) => void,
): StartedWatch {
  const cache = context.storage.cache(storedResource(kind))
  const { filter } = query
  const inNamespace = namespaceTest(query.namespace)
  const deliveryOf = (event: CacheEvent): Delivery | undefined => {
    if (!inNamespace(event.current.key)) return undefined
    const served = servedEvent(kind, event)
    return filter.matchesAll ? { type: served.type, object: served.current } : selected(served, filter)
  }
  const since = startRevision(query)
  let initial: Iterable<Delivery>
  if (since === undefined) initial = currentState(kind, cache.list(query.namespace), filter)
  else {
    if (since > context.storage.revision) throw tooLargeRevision(since, context.storage.revision)
    if (!cache.remembers(since))
      throw new ApiError(410, 'Expired', `too old resource version: ${since} (${cache.oldestRevision})`)
    initial = cache.since(since).flatMap(event => deliveryOf(event) ?? [])
  }
  const pass = (event: CacheEvent): void => {
    const delivery = deliveryOf(event)
    if (delivery !== undefined) deliver(delivery)
  }
  const close = cache.subscribe(
    kind.storage?.convert === undefined
      ? pass
      : converting(kind, pass, error => {
          close()
          query.failed?.(error)
        }),
  )
  return { initial, revision: context.storage.revision, close }
}

/** Passes events on in their order, each when its objects are converted. */
function converting(
  kind: KindDefinition,
  pass: (event: CacheEvent) => void,
  failed: (error: unknown) => void,
): (event: CacheEvent) => void {
  let earlier: Promise<void> = Promise.resolve()
  return event => {
    earlier = earlier.then(() => readyToServe(kind, [event.current, event.previous])).then(() => pass(event))
    earlier.catch(failed)
  }
}

function* currentState(
  kind: KindDefinition,
  objects: readonly CachedObject[],
  filter: ObjectFilter,
): Generator<Delivery> {
  for (const stored of objects) {
    const object = asServed(kind, stored)
    if (filter.matchesAll || filter.matches(object)) yield { type: 'ADDED', object }
  }
}

function servedEvent(kind: KindDefinition, event: CacheEvent): CacheEvent {
  if (kind.storage === undefined) return event
  return {
    ...event,
    current: asServed(kind, event.current),
    previous: event.previous && asServed(kind, event.previous),
  }
}

/** undefined: begin with the current state. */
function startRevision({ resourceVersion, sendInitialEvents }: WatchQuery): number | undefined {
  if (sendInitialEvents || resourceVersion === undefined || resourceVersion === '' || resourceVersion === '0')
    return undefined
  const revision = Number(resourceVersion)
  if (!Number.isSafeInteger(revision) || revision < 0)
    throw badRequest(
      `resourceVersion: Invalid value: "${resourceVersion}": strconv.ParseUint: parsing "${resourceVersion}": invalid syntax`,
    )
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
