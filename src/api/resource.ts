// A resource names what a client talks about: group, version, plural, kind, scope. The type parameter
// is the object's shape; at run time it is plain data. The well-known ones are in resources.ts; custom
// ones are made with `resource()`.
import type { KubeObject } from './object.ts'

export type Scope = 'Namespaced' | 'Cluster'

export interface Resource<T extends KubeObject = KubeObject> {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly scope: Scope
  /** Never set; carries the type. */
  readonly shape?: T
}

export function resource<T extends KubeObject>(
  group: string,
  version: string,
  plural: string,
  kind: string,
  scope: Scope = 'Namespaced',
): Resource<T> {
  return Object.freeze({ group, version, plural, kind, scope })
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(resource: { readonly group: string; readonly version: string }): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
}

/** What objects say of themselves. */
export interface TypeMeta {
  readonly apiVersion: string
  readonly kind: string
}

export const typeMetaOf = (resource: Pick<Resource, 'group' | 'version' | 'kind'>): TypeMeta => ({
  apiVersion: apiVersionOf(resource),
  kind: resource.kind,
})

/** `pods`, `deployments.apps`: how Kubernetes names a resource in messages. */
export function groupResource(resource: { readonly group: string; readonly plural: string }): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`
}
