// Reading one object.
import { notFound } from '../../api/api-error.ts'
import { keyOfTarget, type Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import { findObject } from '../storage/kind-storage.ts'

/** @throws ApiError NotFound */
export function current({ storage }: ServerContext, target: Target): CachedObject {
  const found = findObject(storage, target.kind, keyOfTarget(target))
  if (found === undefined) throw notFound(target.kind.resource, target.name)
  return found
}
