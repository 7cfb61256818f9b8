// Writes an object of the server's own, past admission, which asks for a namespace that may be made in the
// same moment.
import type { KubeObject } from '../api/object.ts'
import { keyOf } from '../api/object.ts'
import { deepEqual } from '../api/patch/json-value.ts'
import { apiVersionOf, type Resource } from '../api/resource.ts'
import { formatTime } from '../lib/clock.ts'
import type { ServerContext } from './server-context.ts'

/** Creates the object unless it is there. @param owned names the field that is brought up to date if it is */
export async function publishObject(
  { storage, clock, random }: Pick<ServerContext, 'storage' | 'clock' | 'random'>,
  resource: Resource,
  content: object,
  owned?: string,
): Promise<void> {
  const fresh = { kind: resource.kind, apiVersion: apiVersionOf(resource), ...content } as unknown as KubeObject &
    Record<string, unknown>
  const key = keyOf(fresh)
  const stored = storage.get(resource, key)
  if (stored === undefined) {
    await storage.put(
      resource,
      key,
      { ...fresh, metadata: { ...fresh.metadata, uid: random.uuid(), creationTimestamp: formatTime(clock.now()) } },
      0,
    )
  } else if (owned !== undefined && !deepEqual((stored.object as typeof fresh)[owned], fresh[owned])) {
    await storage.put(
      resource,
      key,
      { ...structuredClone(stored.object), [owned]: fresh[owned] } as KubeObject,
      stored.revision,
    )
  }
}
