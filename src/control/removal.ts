// Deleting objects that may have gone already: for a control loop that is as good as having deleted them.
import { isNotFound } from '../api/api-error.ts'
import type { KubeObject } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import type { Client, DeleteOptions } from '../client/client.ts'

/**
 * Deletes this very object, never a later one of the same name.
 * @returns false when there was nothing to delete any more
 * @throws ApiError Conflict when another object has taken its name
 */
export const removeObject = (
  client: Client,
  resource: Resource,
  { metadata }: KubeObject,
  options?: Omit<DeleteOptions, 'preconditions'>,
): Promise<boolean> =>
  unlessNotFound(client.delete(resource, metadata, { ...options, preconditions: { uid: metadata.uid } }))

/** Whether the object was still there. */
export async function unlessNotFound(request: Promise<unknown>): Promise<boolean> {
  try {
    await request
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}
