// The usual strategy of kinds with a status: a client's create and update do not touch it, and an
// update of the status touches nothing else of the object than its status and its metadata.
import type { KubeObject } from '../object.ts'
import type { FieldError } from '../field-error.ts'
import type { KindDefinition } from '../kind.ts'

type WithStatus = KubeObject & { spec?: unknown; status?: unknown }

export const keepStatus = <T extends WithStatus>(draft: T, old: T): void => {
  draft.status = old.status
}

/** The `status` subresource; `validate` sees both states. */
export function statusOnly<T extends WithStatus>(
  validate?: (object: T, old: T) => FieldError[],
): NonNullable<KindDefinition<T>['subresources']> {
  return {
    status: {
      prepare(draft, old) {
        if ('spec' in old) draft.spec = old.spec
        draft.metadata.ownerReferences = old.metadata.ownerReferences
      },
      ...(validate && { validate }),
    },
  }
}
