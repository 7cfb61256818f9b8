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

/**
 * Has objects converted of which `asServed` will be asked, all in one go. Undefined when there is nothing to
 * wait for, which is so for all kinds but custom ones with a conversion webhook.
 */
export function readyToServe(
  kind: KindDefinition,
  stored: readonly (CachedObject | undefined)[],
): Promise<void> | undefined {
  if (kind.storage?.convert === undefined) return undefined
  const known = convertedBy(kind)
  const own = apiVersionOf(kind.resource)
  const missing = stored.filter(
    object => object !== undefined && !known.has(object) && object.object.apiVersion !== own,
  ) as CachedObject[]
  return missing.length === 0 ? undefined : convertAll(kind, kind.storage, missing)
}

async function convertAll(
  kind: KindDefinition,
  { convert, fromStorage }: StorageForm,
  missing: readonly CachedObject[],
): Promise<void> {
  const objects = await convert!(
    missing.map(({ object }) => object),
    kind.resource,
  )
  const known = convertedBy(kind)
  for (const [index, { key, revision }] of missing.entries()) {
    const object = fromStorage(objects[index]!)
    known.set(
      missing[index]!,
      new CachedObject(key, revision, withRevision(encodeForStore(object), revision), deepFreeze(object)),
    )
  }
}

/** The same for what is stored under a key, whatever happens to it meanwhile. */
export async function readyToFind(storage: ObjectStorage, kind: KindDefinition, key: string): Promise<void> {
  for (let pending; (pending = readyToServe(kind, [storage.get(storedResource(kind), key)])) !== undefined;)
    await pending
}

export const isStored = (storage: ObjectStorage, kind: KindDefinition, key: string): boolean =>
  storage.get(storedResource(kind), key) !== undefined

export function findObject(storage: ObjectStorage, kind: KindDefinition, key: string): CachedObject | undefined {
  const stored = storage.get(storedResource(kind), key)
  return stored === undefined ? undefined : asServed(kind, stored)
}

export async function putObject(
  storage: ObjectStorage,
  kind: KindDefinition,
  key: string,
  draft: KubeObject,
  expectedRevision: number,
): Promise<StoredWrite> {
  const written = await storage.put(storedResource(kind), key, await storedForm(kind, draft), expectedRevision)
  if (!written.ok) return written
  await readyToServe(kind, [written.object])
  // What was just checked in this form need not be converted to be read.
  if (kind.storage?.resource === kind.resource) convertedBy(kind).set(written.object, written.object)
  return { ok: true, object: asServed(kind, written.object) }
}

async function storedForm({ storage, resource }: KindDefinition, draft: KubeObject): Promise<KubeObject> {
  if (storage === undefined) return draft
  return storage.convert === undefined || storage.resource === resource
    ? storage.toStorage(draft)
    : (await storage.convert([draft], storage.resource))[0]!
}

/** False when writing the object again would store it in another version. */
export function isStoredAsWritten(storage: ObjectStorage, kind: KindDefinition, { key }: CachedObject): boolean {
  if (kind.custom === undefined) return true
  const stored = storage.get(storedResource(kind), key)
  return stored?.object.apiVersion === apiVersionOf(storedResource(kind))
}

export async function deleteObject(
  storage: ObjectStorage,
  kind: KindDefinition,
  object: CachedObject,
): Promise<StoredWrite> {
  return storage.delete(storedResource(kind), object)
}
