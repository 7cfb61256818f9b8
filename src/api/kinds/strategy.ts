// The usual strategy of kinds with a status: a client's create and update do not touch it, and an
// update of the status touches nothing else of the object than its status and its metadata.
import type { KubeObject } from '../object.ts'
import type { FieldError } from '../field-error.ts'
import type { ClientMetadata, KindDefinition } from '../kind.ts'

type WithStatus = KubeObject & { spec?: unknown; status?: unknown }

export const keepStatus = <T extends WithStatus>(draft: T, old: T): void => {
  draft.status = old.status
}

/** All that clients write of the metadata. */
export const clientMetadata: readonly ClientMetadata[] = ['labels', 'annotations', 'finalizers', 'ownerReferences']

/**
 * The `status` subresource; `validate` sees both states.
 * @param keeps the metadata that stays as it is: with most kinds a write of the status may change all of it
 */
export function statusOnly<T extends WithStatus>(
  validate?: (object: T, old: T) => FieldError[],
  keeps?: readonly ClientMetadata[],
): NonNullable<KindDefinition<T>['subresources']> {
  return {
    status: {
      prepare(draft, old) {
        if ('spec' in old) draft.spec = old.spec
      },
      ...(validate && { validate }),
      ...(keeps && { keeps }),
    },
  }
}
