// Reading and writing objects in the form of a kind, also where another kind's form is what is stored
// (autoscaling/v1 over v2, events.k8s.io over core events). For every other kind these functions pass
// through.
import type { KindDefinition, StorageForm } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { apiVersionOf, type Resource } from '../../api/resource.ts'
import { CachedObject, deepFreeze } from './cached-object.ts'
import { encodeForStore, withRevision } from './object-codec.ts'
import type { ObjectStorage, StoredWrite } from './object-storage.ts'

/** Each stored version is converted once for everybody. */
const converted = new WeakMap<KindDefinition, WeakMap<CachedObject, CachedObject>>()

export const storedResource = (kind: KindDefinition): Resource => kind.storage?.resource ?? kind.resource

export function asServed(kind: KindDefinition, stored: CachedObject): CachedObject {
  if (kind.storage === undefined) return stored
  const known = convertedBy(kind)
  let served = known.get(stored)
  if (served === undefined) known.set(stored, (served = convert(kind.storage.fromStorage, stored)))
  return served
}

function convertedBy(kind: KindDefinition): WeakMap<CachedObject, CachedObject> {
  let known = converted.get(kind)
  if (known === undefined) converted.set(kind, (known = new WeakMap()))
  return known
}

function convert(fromStorage: StorageForm['fromStorage'], stored: CachedObject): CachedObject {
  const before = stored.object
  const object = fromStorage(before)
  if (object === before) return stored
  const { key, revision } = stored
  return new CachedObject(key, revision, withRevision(encodeForStore(object), revision), deepFreeze(object))
}

export function findObject(storage: ObjectStorage, kind: KindDefinition, key: string): CachedObject | undefined {
  const stored = storage.get(storedResource(kind), key)
  return stored === undefined ? undefined : asServed(kind, stored)
}

export async function putObject(storage: ObjectStorage, kind: KindDefinition, key: string, draft: KubeObject, expectedRevision: number): Promise<StoredWrite> {
  const written = await storage.put(storedResource(kind), key, kind.storage?.toStorage(draft) ?? draft, expectedRevision)
  if (!written.ok) return written
  // What was just checked in this form need not be converted to be read.
  if (kind.storage?.resource === kind.resource) convertedBy(kind).set(written.object, written.object)
  return { ok: true, object: asServed(kind, written.object) }
}

/** False when writing the object again would store it in another version. */
export function isStoredAsWritten(storage: ObjectStorage, kind: KindDefinition, { key }: CachedObject): boolean {
  if (kind.custom === undefined) return true
  const stored = storage.get(storedResource(kind), key)
  return stored?.object.apiVersion === apiVersionOf(storedResource(kind))
}

export async function deleteObject(storage: ObjectStorage, kind: KindDefinition, object: CachedObject): Promise<StoredWrite> {
  return storage.delete(storedResource(kind), object)
}
