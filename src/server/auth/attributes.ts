// What a request wants to do, in the terms that access rules are written in.
import { ApiError } from '../../api/api-error.ts'
import { groupResource } from '../../api/resource.ts'
import { parseFieldSelector } from '../../api/selectors.ts'
import type { ApiPath } from '../http/api-path.ts'
import { queryFlag } from '../query-flag.ts'
import type { UserInfo } from '../request.ts'

export interface ResourceAttributes {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  /** As text; of list, watch and deletecollection. Need not be one. */
  readonly fieldSelector?: string | undefined
}

export interface PathAttributes {
  readonly verb: string
  readonly path: string
}

export type Attributes = ResourceAttributes | PathAttributes

export interface Decision {
  readonly allowed: boolean
  /** Why, for those who ask. */
  readonly reason: string
}

export const isPath = (attributes: Attributes): attributes is PathAttributes => 'path' in attributes

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** @param parts of the path, when it is that of a resource */
export function attributesOf(
  method: string,
  path: string,
  parts: ApiPath | undefined,
  query: URLSearchParams,
): Attributes {
  if (parts === undefined) return { verb: method.toLowerCase(), path }
  const verb = verbOf(method, parts, query)
  const fieldSelector = collectionVerbs.has(verb) ? query.get('fieldSelector') || undefined : undefined
  return {
    verb,
    group: parts.group,
    resource: parts.plural,
    subresource: parts.subresource,
    namespace: namespaceOf(parts),
    name: parts.name ?? (verb === 'deletecollection' ? undefined : selectedName(fieldSelector)),
    fieldSelector,
  }
}

const collectionVerbs = new Set(['list', 'watch', 'deletecollection'])

/** A list or watch of one object by its name counts as being about that object. */
function selectedName(fieldSelector: string | undefined): string | undefined {
  if (fieldSelector?.includes('metadata.name') !== true) return undefined
  return (
    fieldTerms(fieldSelector)?.find(({ field, operator }) => field === 'metadata.name' && operator === '=')?.value ||
    undefined
  )
}

/** undefined: there is no selector, or it is none; then access is decided without it. */
export function fieldTerms(fieldSelector: string | undefined): ReturnType<typeof parseFieldSelector> | undefined {
  if (!fieldSelector) return undefined
  try {
    return parseFieldSelector(fieldSelector)
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}

/** A namespace object counts as being inside itself. */
const namespaceOf = ({ namespace, plural, group, name }: ApiPath): string | undefined =>
  group === '' && plural === 'namespaces' ? name : namespace

function verbOf(method: string, { name, watch }: ApiPath, query: URLSearchParams): string {
  const verb = verbs[method] ?? method.toLowerCase()
  if (verb === 'get' && (watch || queryFlag(query, 'watch'))) return 'watch'
  if (name !== undefined) return verb
  if (verb === 'get') return 'list'
  return verb === 'delete' ? 'deletecollection' : verb
}

/** 403 in the words of Kubernetes. @param reason of the authorizers, if they gave one */
export function forbiddenTo(user: UserInfo, attributes: Attributes, reason = ''): ApiError {
  const because = reason === '' ? '' : `: ${reason}`
  const who = `User ${JSON.stringify(user.username)}`
  if (isPath(attributes))
    return new ApiError(
      403,
      'Forbidden',
      `forbidden: ${who} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}${because}`,
      {},
    )
  const { verb, group, resource, subresource, namespace, name } = attributes
  const subject = groupResource({ group, plural: resource })
  const what = `${subject}${name === undefined ? '' : ` ${JSON.stringify(name)}`}`
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  return new ApiError(
    403,
    'Forbidden',
    `${what} is forbidden: ${who} cannot ${verb} resource ${JSON.stringify(whole)} in API group ${JSON.stringify(group)} ${where}${because}`,
    { ...(name !== undefined && { name }), ...(group !== '' && { group }), kind: resource },
  )
}
