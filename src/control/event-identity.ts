// What every recorder of events says in the same way: which object an event is about, and what the event
// itself is called.
import type { ObjectReference } from '../api/generated/models.ts'
import type { KubeObject } from '../api/object.ts'
import type { Clock } from '../lib/clock.ts'

/** @param fieldPath the part of the object that it is about, e.g. `spec.containers{web}` */
export function referenceTo(object: KubeObject, fieldPath?: string): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    ...(namespace && { namespace }),
    name,
    uid,
    resourceVersion,
    ...(fieldPath && { fieldPath }),
  }
}

/**
 * Names as Kubernetes gives them: the object's, and nanoseconds in hexadecimal. A serial tells those of one
 * millisecond apart.
 * @param source who records; different ones start apart, so that their events of one moment do not collide
 */
export function eventNames(source: string, clock: Clock): (objectName: string) => string {
  let serial = 0
  for (let index = 0; index < source.length; index++) serial = (serial * 31 + source.charCodeAt(index)) % 1_000_000
  return objectName => `${objectName}.${(BigInt(clock.now()) * 1_000_000n + BigInt(serial++ % 1_000_000)).toString(16)}`
}

/** Keeps the newest; the oldest makes room. */
export function remember<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= rememberedLimit && !map.has(key)) map.delete(map.keys().next().value!)
  map.set(key, value)
}

const rememberedLimit = 4_096
