// The objects that parameterize a policy in one of its bindings.
import type { ParamKind, ParamRef } from '../../api/generated/models.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { matchesSelector } from '../../api/label-selector.ts'
import type { KubeObject } from '../../api/object.ts'
import { apiVersionOf } from '../../api/resource.ts'
import type { ServerContext } from '../server-context.ts'
import { findObject } from '../storage/kind-storage.ts'

/** Each to evaluate the policy with; undefined is an evaluation without parameters. Or what is wrong, in the words of Kubernetes. */
export type Params = { readonly params: readonly (KubeObject | undefined)[] } | { readonly problem: string }

export function findParams(
  paramKind: ParamKind | undefined,
  paramRef: ParamRef | undefined,
  namespace: string | undefined,
  context: ServerContext,
): Params {
  if (paramKind === undefined || paramRef === undefined) return { params: [undefined] }
  const kind = context.kinds
    .all()
    .find(({ resource }) => resource.kind === paramKind.kind && apiVersionOf(resource) === paramKind.apiVersion)
  if (kind === undefined)
    return {
      problem: `failed to find resource referenced by paramKind: '${paramKind.apiVersion ?? ''}, Kind=${paramKind.kind ?? ''}'`,
    }
  const isNamespaced = kind.resource.scope === 'Namespaced'
  if (!isNamespaced && paramRef.namespace)
    return { problem: 'paramRef.namespace must not be provided for a cluster-scoped `paramKind`' }
  const within = isNamespaced ? paramRef.namespace || namespace : undefined
  if (isNamespaced && within === undefined)
    return { problem: 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources' }
  const params = paramRef.name ? named(kind, within, paramRef.name, context) : selected(kind, within, paramRef, context)
  if (params.length === 0 && paramRef.parameterNotFoundAction === 'Deny')
    return { problem: 'no params found for policy binding with `Deny` parameterNotFoundAction' }
  return { params }
}

function named(
  kind: KindDefinition,
  namespace: string | undefined,
  name: string,
  { storage }: ServerContext,
): KubeObject[] {
  const found = findObject(storage, kind, namespace === undefined ? name : `${namespace}/${name}`)
  return found === undefined ? [] : [found.object]
}

function selected(
  kind: KindDefinition,
  namespace: string | undefined,
  { selector }: ParamRef,
  { storage }: ServerContext,
): KubeObject[] {
  const all = storage
    .cache(kind.storage?.resource ?? kind.resource)
    .list(namespace)
    .map(({ object }) => object)
  return all
    .filter(object => matchesSelector(selector, object.metadata.labels))
    .map(object => kind.storage?.fromStorage(object) ?? object)
}
