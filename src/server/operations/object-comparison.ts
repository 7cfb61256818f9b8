// Structural equality of JSON values, and the two comparisons that writes need.
import type { KubeObject } from '../../api/object.ts'

export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left)) return Array.isArray(right) && left.length === right.length && left.every((item, index) => sameJson(item, right[index]))
  if (Array.isArray(right)) return false
  const leftFields = left as Record<string, unknown>
  const rightFields = right as Record<string, unknown>
  const keys = Object.keys(leftFields)
  return keys.length === Object.keys(rightFields).length && keys.every(key => key in rightFields && sameJson(leftFields[key], rightFields[key]))
}

/** Whether storing the draft would change nothing but its revision and the times in managedFields. */
export function sameContent(draft: KubeObject, old: KubeObject): boolean {
  const { metadata: draftMetadata, ...draftRest } = draft
  const { metadata: oldMetadata, ...oldRest } = old
  const { resourceVersion: _new, managedFields: newManaged, ...newMeta } = draftMetadata
  const { resourceVersion: _old, managedFields: oldManaged, ...oldMeta } = oldMetadata
  return sameJson(newMeta, oldMeta) && sameJson(draftRest, oldRest) && sameJson(untimed(newManaged), untimed(oldManaged))
}

function untimed(entries: KubeObject['metadata']['managedFields']): unknown {
  return entries?.map(({ time: _time, ...entry }) => entry)
}

/** Whether the generation stays: only metadata or status differ. */
export function sameIgnoringMetadataAndStatus(draft: KubeObject, old: KubeObject): boolean {
  const { metadata: _draftMetadata, status: _draftStatus, ...draftRest } = draft as KubeObject & { status?: unknown }
  const { metadata: _oldMetadata, status: _oldStatus, ...oldRest } = old as KubeObject & { status?: unknown }
  return sameJson(draftRest, oldRest)
}
