// `kubectl --as`: a caller who may impersonate acts as somebody else.
import type { IncomingMessage } from 'node:http'
import { badRequest } from '../../api/api-error.ts'
import { percentDecoded } from '../../lib/percent-decoded.ts'
import type { UserInfo } from '../request.ts'
import type { ResourceAttributes } from './attributes.ts'
import type { Authorizer } from './authorizer.ts'

const extraPrefix = 'impersonate-extra-'

/** The user whose name the request asks for, or the caller when it asks for none. @throws ApiError Forbidden */
export function impersonated(
  caller: UserInfo,
  request: Pick<IncomingMessage, 'headers' | 'headersDistinct'>,
  authorizer: Authorizer,
): UserInfo {
  const { headers } = request
  const username = headers['impersonate-user']
  const uid = headers['impersonate-uid']
  const extraNames = Object.keys(headers).filter(name => name.startsWith(extraPrefix))
  if (typeof username !== 'string' || username === '') {
    if (headers['impersonate-group'] !== undefined || extraNames.length > 0 || uid !== undefined)
      throw badRequest('requested group, uid or extra impersonation without impersonating a user')
    return caller
  }
  // One header for each value: what is in a value, commas included, belongs to it.
  const { headersDistinct } = request
  const asked = headersDistinct['impersonate-group'] ?? []
  const extra = extraNames.map(
    name => [percentDecoded(name.slice(extraPrefix.length)), headersDistinct[name] ?? []] as const,
  )
  const check = (attributes: Omit<ResourceAttributes, 'verb'>): void => {
    authorizer.assertAllowed(caller, { ...attributes, verb: 'impersonate' })
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username)
  if (account === null) check({ group: '', resource: 'users', name: username })
  else check({ group: '', resource: 'serviceaccounts', namespace: account[1], name: account[2] })
  for (const group of asked) check({ group: '', resource: 'groups', name: group })
  for (const [name, values] of extra)
    for (const value of values)
      check({ group: 'authentication.k8s.io', resource: 'userextras', subresource: name, name: value })
  if (typeof uid === 'string') check({ group: 'authentication.k8s.io', resource: 'uids', name: uid })
  const implied = account === null ? [] : ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`]
  return {
    username,
    ...(typeof uid === 'string' && { uid }),
    groups: withAuthenticated(username, asked.length > 0 ? asked : implied),
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  }
}

const authenticated = 'system:authenticated'
const unauthenticated = 'system:unauthenticated'

/** Everybody is in one of the two, in which one the request may say. */
function withAuthenticated(username: string, groups: readonly string[]): readonly string[] {
  if (groups.includes(unauthenticated)) return groups
  if (username === 'system:anonymous') return [...groups, unauthenticated]
  return groups.includes(authenticated) ? groups : [...groups, authenticated]
}
