// `kubectl --as`: a caller who may impersonate acts as somebody else.
import type { IncomingHttpHeaders } from 'node:http'
import { badRequest } from '../../api/api-error.ts'
import type { UserInfo } from '../request.ts'
import type { ResourceAttributes } from './attributes.ts'
import type { Authorizer } from './authorizer.ts'

const extraPrefix = 'impersonate-extra-'

/** The user whose name the request asks for, or the caller when it asks for none. @throws ApiError Forbidden */
export function impersonated(caller: UserInfo, headers: IncomingHttpHeaders, authorizer: Authorizer): UserInfo {
  const username = headers['impersonate-user']
  const groups = listOf(headers['impersonate-group'])
  const extra = Object.entries(headers).filter(([name]) => name.startsWith(extraPrefix))
  if (typeof username !== 'string' || username === '') {
    if (groups.length > 0 || extra.length > 0 || headers['impersonate-uid'] !== undefined) throw badRequest('requested group, uid or extra impersonation without impersonating a user')
    return caller
  }
  const check = (attributes: Omit<ResourceAttributes, 'verb'>): void => {
    authorizer.assertAllowed(caller, { ...attributes, verb: 'impersonate' })
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username)
  if (account === null) check({ group: '', resource: 'users', name: username })
  else check({ group: '', resource: 'serviceaccounts', namespace: account[1], name: account[2] })
  for (const group of groups) check({ group: '', resource: 'groups', name: group })
  for (const [name, value] of extra) for (const one of listOf(value)) check({ group: 'authentication.k8s.io', resource: 'userextras', subresource: decodeURIComponent(name.slice(extraPrefix.length)), name: one })
  const implied = account === null ? [] : ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`]
  return {
    username,
    groups: [...new Set([...(groups.length > 0 ? groups : implied), username === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated'])],
    ...(extra.length > 0 && { extra: Object.fromEntries(extra.map(([name, value]) => [decodeURIComponent(name.slice(extraPrefix.length)), listOf(value)])) }),
  }
}

function listOf(value: string | string[] | undefined): string[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : value.split(',').map(text => text.trim()).filter(text => text !== '')
}
