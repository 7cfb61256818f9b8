// Server-side apply in the name of Sampan: what others set beside it stays, what it set before and does not any more goes.
import type { KubeObject } from '../../../api/object.ts'
import type { Client, WriteOptions } from '../../../client/client.ts'
import { fieldManager } from './labels.ts'
import type { TypedObject } from './typed-object.ts'

export interface ApplyOptions extends Pick<WriteOptions, 'dryRun'> {
  /** Fails with a conflict when there is another one by now. */
  readonly resourceVersion?: string | undefined
}

/** @returns what is there then, or would be with `dryRun` */
export function apply(
  client: Client,
  { resource, object }: TypedObject,
  { resourceVersion, ...options }: ApplyOptions = {},
): Promise<KubeObject> {
  const { namespace, name = '' } = object.metadata
  const value =
    resourceVersion === undefined ? object : { ...object, metadata: { ...object.metadata, resourceVersion } }
  return client.patch(
    resource,
    { namespace, name },
    { type: 'apply', value, force: true },
    { fieldManager, ...options },
  )
}
