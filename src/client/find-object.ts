// Asks the server for an object that may not be there.
import { isNotFound } from '../api/api-error.ts'
import type { KubeObject, ObjectName } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import type { Client } from './client.ts'

/** @throws ApiError for every other reason than that there is none */
export async function findObject<T extends KubeObject>(
  client: Pick<Client, 'get'>,
  resource: Resource<T>,
  name: ObjectName,
): Promise<T | undefined> {
  try {
    return await client.get(resource, name)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
