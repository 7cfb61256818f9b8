// One write as the variables of CEL expressions. Loads CEL: import it where the first expression is.
import { AuthorizerValue, resourceCheck, type AuthorizeUser } from '../../api/cel/library/authorizer.ts'
import type { AdmissionVariables } from '../../api/cel/admission-expressions.ts'
import { fromJson } from '../../api/cel/json-values.ts'
import type { Value } from '../../api/cel/values.ts'
import type { Namespace } from '../../api/generated/models.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { namespaceSchema } from './namespace-schema.ts'
import type { Attributes } from '../auth/attributes.ts'
import type { Authorizer } from '../auth/authorizer.ts'
import type { UserInfo } from '../request.ts'
import type { AdmissionRequest, ServerContext } from '../server-context.ts'
import { requestFields } from './request-fields.ts'
import { namespaceOf } from './resource-rules.ts'

/**
 * Values are made when they are read, and once.
 * @param kind as which the request matched
 */
export function admissionVariables(
  request: AdmissionRequest,
  kind: KindDefinition,
  context: ServerContext,
  params?: KubeObject,
): AdmissionVariables {
  const known = new Map<string, Value>()
  const make = (name: string): Value => {
    switch (name) {
      case 'object':
        return fromJson(inFormOf(kind, request.target.kind, request.object))
      case 'oldObject':
        return fromJson(inFormOf(kind, request.target.kind, request.old))
      case 'request':
        return fromJson(requestFields(request, kind))
      case 'namespaceObject':
        return namespaceValue(namespaceOf(request, context))
      case 'params':
        return fromJson(params ?? null)
      case 'authorizer':
        return authorizerFor(request.caller.user, context.authorizer)
      case 'authorizer.requestResource':
      default:
        return resourceCheck(authorizerFor(request.caller.user, context.authorizer), resourceOf(request))
    }
  }
  return name => {
    if (!known.has(name)) known.set(name, make(name))
    return known.get(name)!
  }
}

/** The object as another kind shows it. */
export function inFormOf(
  wanted: KindDefinition,
  given: KindDefinition,
  object: KubeObject | undefined,
): KubeObject | undefined {
  if (object === undefined || wanted === given) return object
  const stored = given.storage?.toStorage(object) ?? object
  return wanted.storage?.fromStorage(stored) ?? stored
}

function resourceOf({
  target: { kind, namespace, name, subresource },
}: AdmissionRequest): Parameters<typeof resourceCheck>[1] {
  const { group, plural } = kind.resource
  return {
    group,
    resource: plural,
    ...(namespace !== undefined && { namespace }),
    ...(name !== '' && { name }),
    ...(subresource !== undefined && { subresource }),
  }
}

const namespaceValue = (namespace: Namespace | undefined): Value =>
  namespace === undefined
    ? null
    : fromJson({ ...namespace, metadata: { ...namespace.metadata, UID: namespace.metadata.uid } }, namespaceSchema)

function authorizerFor(user: UserInfo, authorizer: Authorizer): AuthorizerValue {
  const asUser =
    (who: UserInfo): AuthorizeUser =>
    question =>
      authorizer.authorize(who, attributesOf(question))
  return new AuthorizerValue(asUser(user), (namespace, name) =>
    asUser({
      username: `system:serviceaccount:${namespace}:${name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    }),
  )
}

function attributesOf({
  verb,
  path,
  group = '',
  resource = '',
  subresource,
  namespace,
  name,
  fieldSelector,
}: Parameters<AuthorizeUser>[0]): Attributes {
  return path === undefined ? { verb, group, resource, subresource, namespace, name, fieldSelector } : { verb, path }
}
