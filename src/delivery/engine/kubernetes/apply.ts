// Server-side apply in the name of Sampan: what others set beside it stays, what it set before and does not any more goes.
import type { KubeObject } from '../../../api/object.ts'
import type { Client, WriteOptions } from '../../../client/client.ts'
import { fieldManager } from './labels.ts'
import type { TypedObject } from './typed-object.ts'

/** @returns what is there then, or would be with `dryRun` */
export function apply(
  client: Client,
  { resource, object }: TypedObject,
  options: Pick<WriteOptions, 'dryRun'> = {},
): Promise<KubeObject> {
  const { namespace, name = '' } = object.metadata
  return client.patch(
    resource,
    { namespace, name },
    { type: 'apply', value: object, force: true },
    { fieldManager, ...options },
  )
}
