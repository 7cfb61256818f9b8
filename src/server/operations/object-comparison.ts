// The two comparisons that writes need.
import type { KubeObject } from '../../api/object.ts'
import { deepEqual } from '../../api/patch/json-value.ts'

/** Whether storing the draft would change nothing but its revision and the times in managedFields. */
export function sameContent(draft: KubeObject, old: KubeObject): boolean {
  const { metadata: draftMetadata, ...draftRest } = draft
  const { metadata: oldMetadata, ...oldRest } = old
  const { resourceVersion: _new, managedFields: newManaged, ...newMeta } = draftMetadata
  const { resourceVersion: _old, managedFields: oldManaged, ...oldMeta } = oldMetadata
  return (
    deepEqual(newMeta, oldMeta) && deepEqual(draftRest, oldRest) && deepEqual(untimed(newManaged), untimed(oldManaged))
  )
}

function untimed(entries: KubeObject['metadata']['managedFields']): unknown {
  return entries?.map(({ time: _time, ...entry }) => entry)
}

export function sameIgnoringMetadata(draft: KubeObject, old: KubeObject): boolean {
  const { metadata: _draft, ...draftRest } = draft
  const { metadata: _old, ...oldRest } = old
  return deepEqual(draftRest, oldRest)
}

/** Whether the generation stays: only metadata or status differ. */
export function sameIgnoringMetadataAndStatus(draft: KubeObject, old: KubeObject): boolean {
  const { metadata: _draftMetadata, status: _draftStatus, ...draftRest } = draft as KubeObject & { status?: unknown }
  const { metadata: _oldMetadata, status: _oldStatus, ...oldRest } = old as KubeObject & { status?: unknown }
  return deepEqual(draftRest, oldRest)
}
