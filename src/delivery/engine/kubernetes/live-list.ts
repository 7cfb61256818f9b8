// Objects of a query as they are now, from a list and then a watch, for as long as somebody looks. A server that is
// away for a while, a connection that breaks and a revision that is too old only mean another list.
import { ApiError, isExpired } from '../../../api/api-error.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { Resource } from '../../../api/resource.ts'
import type { Client, ListOptions } from '../../../client/client.ts'
import type { Clock } from '../../../lib/clock.ts'
import { pause } from '../pause.ts'
import { isAway } from './patiently.ts'

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

/** What comes is only read, so that any trouble of the server may be waited for. */
const isPassing = (error: unknown): boolean =>
  isAway(error) || (error instanceof ApiError && (error.code >= 500 || isExpired(error)))
