// An object that is to be in the cluster, with the resource it is one of. Pure.
import type { KubeObject, New } from '../../../api/object.ts'
import type { Resource } from '../../../api/resource.ts'

export interface TypedObject {
  readonly resource: Resource
  readonly object: New<KubeObject>
}

export const typed = <T extends KubeObject>(resource: Resource<T>, object: New<T>): TypedObject => ({
  resource: resource as unknown as Resource,
  object: object as New<KubeObject>,
})
