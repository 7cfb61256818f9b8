// Reading and writing objects in the form of a kind, also where another kind's form is what is stored
// (autoscaling/v1 over v2, events.k8s.io over core events). For every other kind these functions pass
// through.
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import type { Resource } from '../../api/resource.ts'
import { CachedObject, deepFreeze } from './cached-object.ts'
import { encodeForStore, withRevision } from './object-codec.ts'
import type { ObjectStorage, StoredWrite } from './object-storage.ts'

/** Each stored version is converted once for everybody. */
const converted = new WeakMap<KindDefinition, WeakMap<CachedObject, CachedObject>>()

export const storedResource = (kind: KindDefinition): Resource => kind.storage?.resource ?? kind.resource

export function asServed(kind: KindDefinition, stored: CachedObject): CachedObject {
  if (kind.storage === undefined) return stored
  let known = converted.get(kind)
  if (known === undefined) converted.set(kind, (known = new WeakMap()))
  let served = known.get(stored)
  if (served === undefined) known.set(stored, (served = convert(kind.storage.fromStorage(stored.object), stored)))
  return served
}

function convert(object: KubeObject, { key, revision }: CachedObject): CachedObject {
  return new CachedObject(key, revision, withRevision(encodeForStore(object), revision), deepFreeze(object))
}

export function findObject(storage: ObjectStorage, kind: KindDefinition, key: string): CachedObject | undefined {
  const stored = storage.get(storedResource(kind), key)
  return stored === undefined ? undefined : asServed(kind, stored)
}

export async function putObject(storage: ObjectStorage, kind: KindDefinition, key: string, draft: KubeObject, expectedRevision: number): Promise<StoredWrite> {
  const written = await storage.put(storedResource(kind), key, kind.storage?.toStorage(draft) ?? draft, expectedRevision)
  return written.ok ? { ok: true, object: asServed(kind, written.object) } : written
}

export async function deleteObject(storage: ObjectStorage, kind: KindDefinition, object: CachedObject): Promise<StoredWrite> {
  return storage.delete(storedResource(kind), object)
}
