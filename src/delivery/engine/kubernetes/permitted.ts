// Questions whose answer may be that one may not ask: people with rights in one namespace alone see less, and that is
// no reason to fail.
import { ApiError, isNotFound } from '../../../api/api-error.ts'
import type { KubeList, KubeObject } from '../../../api/object.ts'

export const isForbidden = (error: unknown): boolean => error instanceof ApiError && error.code === 403

/** undefined: it is not to be known, or the cluster has nothing of the kind. */
export async function ifPermitted<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isForbidden(error) || isNotFound(error)) return undefined
    throw error
  }
}

export const itemsIfPermitted = async <T extends KubeObject>(list: Promise<KubeList<T>>): Promise<readonly T[]> =>
  (await ifPermitted(list))?.items ?? []
