// Owners that are named twice are named once, and whoever names them so is told
// (apiserver pkg/endpoints/handlers/create.go, dedupOwnerReferences).
import type { KubeObject } from '../../api/object.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { Caller } from '../request.ts'

/** Changes the draft. Only references that are the same in everything count as one. */
export function mergeEqualOwners({ metadata }: KubeObject, { warnings }: Pick<Caller, 'warnings'>): void {
  const owners = metadata.ownerReferences ?? []
  if (owners.length < 2) return
  const repeated = owners.filter((owner, index) => owners.findIndex(other => sameJson(other, owner)) < index)
  if (repeated.length === 0) return
  metadata.ownerReferences = owners.filter(owner => !repeated.includes(owner))
  const uids = repeated.map(({ uid }) => uid).join(', ')
  warnings.push(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`,
  )
}
