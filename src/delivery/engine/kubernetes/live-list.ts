// Objects of a query as they are now, from a list and then a watch, for as long as somebody looks. A server that is
// away for a while, a connection that breaks and a revision that is too old only mean another list.
import { ApiError, isExpired } from '../../../api/api-error.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { Resource } from '../../../api/resource.ts'
import type { Client, ListOptions } from '../../../client/client.ts'
import type { Clock } from '../../../lib/clock.ts'
import { pause } from '../pause.ts'

export interface LiveQuery<T extends KubeObject> extends Pick<ListOptions, 'labelSelector' | 'fieldSelector'> {
  readonly resource: Resource<T>
  readonly namespace: string
}

export interface LiveOptions {
  readonly client: Client
  readonly clock: Clock
  readonly signal: AbortSignal
}

const againMs = 500

/**
 * Calls back with all objects at every change until the signal fires.
 * @throws ApiError when the query is refused
 */
export async function keepLive<T extends KubeObject>(
  { client, clock, signal }: LiveOptions,
  { resource, ...selection }: LiveQuery<T>,
  changed: (objects: readonly T[]) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const list = await client.list(resource, selection)
      if (signal.aborted) return
      const found = new Map(list.items.map(object => [object.metadata.uid, object]))
      changed([...found.values()])
      const { resourceVersion } = list.metadata
      for await (const { type, object } of client.watch(resource, { ...selection, resourceVersion, signal })) {
        if (signal.aborted) return
        if (type === 'BOOKMARK') continue
        if (type === 'DELETED') found.delete(object.metadata.uid)
        else found.set(object.metadata.uid, object)
        changed([...found.values()])
      }
    } catch (error) {
      if (signal.aborted) return
      if (!isPassing(error)) throw error
    }
    await pause(clock, againMs, signal)
  }
}

/** A server that is away or has too much to do, and a connection that breaks while it is read. */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.code >= 500 || error.code === 429 || isExpired(error)
  return typeof (error as NodeJS.ErrnoException).code === 'string'
}
