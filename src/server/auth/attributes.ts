// What a request wants to do, in the terms that access rules are written in.
import { ApiError } from '../../api/api-error.ts'
import { groupResource } from '../../api/resource.ts'
import type { ApiPath } from '../http/api-path.ts'
import type { UserInfo } from '../request.ts'

export interface ResourceAttributes {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
}

export interface PathAttributes {
  readonly verb: string
  readonly path: string
}

export type Attributes = ResourceAttributes | PathAttributes

export const isPath = (attributes: Attributes): attributes is PathAttributes => 'path' in attributes

const verbs: Readonly<Record<string, string>> = { GET: 'get', HEAD: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

/** @param parts of the path, when it is that of a resource */
export function attributesOf(method: string, path: string, parts: ApiPath | undefined, query: URLSearchParams): Attributes {
  if (parts === undefined) return { verb: method.toLowerCase(), path }
  return {
    verb: verbOf(method, parts, query), group: parts.group, resource: parts.plural,
    subresource: parts.subresource, namespace: namespaceOf(parts), name: parts.name,
  }
}

/** A namespace object counts as being inside itself. */
const namespaceOf = ({ namespace, plural, group, name }: ApiPath): string | undefined => (group === '' && plural === 'namespaces' ? name : namespace)

function verbOf(method: string, { name, watch }: ApiPath, query: URLSearchParams): string {
  const verb = verbs[method] ?? method.toLowerCase()
  if (verb === 'get' && (watch || ['true', '1'].includes(query.get('watch') ?? ''))) return 'watch'
  if (name !== undefined) return verb
  if (verb === 'get') return 'list'
  return verb === 'delete' ? 'deletecollection' : verb
}

/** 403 in the words of Kubernetes. */
export function forbiddenTo(user: UserInfo, attributes: Attributes): ApiError {
  const who = `User ${JSON.stringify(user.username)}`
  if (isPath(attributes)) return new ApiError(403, 'Forbidden', `forbidden: ${who} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`, {})
  const { verb, group, resource, subresource, namespace, name } = attributes
  const subject = groupResource({ group, plural: resource })
  const what = `${subject}${name === undefined ? '' : ` ${JSON.stringify(name)}`}`
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  return new ApiError(403, 'Forbidden', `${what} is forbidden: ${who} cannot ${verb} resource ${JSON.stringify(whole)} in API group ${JSON.stringify(group)} ${where}`,
    { ...(name !== undefined && { name }), ...(group !== '' && { group }), kind: resource })
}
