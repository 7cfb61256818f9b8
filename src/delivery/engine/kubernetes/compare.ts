// Asks the cluster what would change if a part was applied, and changes nothing.
import { isInvalid } from '../../../api/api-error.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { Client } from '../../../client/client.ts'
import { findObject } from '../../../client/find-object.ts'
import type { Difference } from '../engine.ts'
import { apply } from './apply.ts'
import { differencesOf } from './differences.ts'
import type { TypedObject } from './typed-object.ts'

/**
 * The first object is the part itself, the others stand beside it.
 * @returns undefined when the part is not there
 */
export async function compare(
  client: Client,
  [main, ...beside]: readonly [TypedObject, ...TypedObject[]],
): Promise<readonly Difference[] | undefined> {
  const [differences, ...others] = await Promise.all([main, ...beside].map(object => compareObject(client, object)))
  if (differences === undefined) return undefined
  return [
    ...differences,
    ...others.flatMap((found, index) => found ?? [{ field: beside[index]!.resource.kind, is: 'none', wanted: 'one' }]),
  ]
}

async function compareObject(client: Client, wanted: TypedObject): Promise<readonly Difference[] | undefined> {
  const { namespace, name = '' } = wanted.object.metadata
  const current: KubeObject | undefined = await findObject(client, wanted.resource, { namespace, name })
  if (current === undefined) return undefined
  try {
    return differencesOf(current, await apply(client, wanted, { dryRun: true }))
  } catch (error) {
    if (!isInvalid(error)) throw error
    return [{ field: wanted.resource.kind, is: 'there, and cannot be changed so', wanted: (error as Error).message }]
  }
}
