// Writing a status only when it says something new, so that a control loop does not wake itself for ever.
import type { KubeObject } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { sameJson } from '../api/validation/scalars.ts'
import type { Client } from '../client/client.ts'

/**
 * @param object as it was when the status was made
 * @param newest what the status is written over; a status that must not be made from old facts leaves it out
 * @returns what is stored now
 * @throws ApiError Conflict when what it is written over has changed, NotFound
 */
export async function writeStatus<T extends KubeObject & { status?: unknown }>(
  client: Client,
  resource: Resource<T>,
  object: T,
  status: T['status'],
  newest = object,
): Promise<T> {
  if (sameJson(status, object.status ?? {})) return object
  return client.update(resource, { ...newest, status }, { subresource: 'status' })
}
