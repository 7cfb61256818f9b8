import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import type { UserInfo } from '../request.ts'
import type { Attributes } from './attributes.ts'
import type { Authorizer } from './authorizer.ts'
import { impersonated } from './impersonate.ts'

const caller: UserInfo = { username: 'real', groups: [] }

/** Who the headers make of the caller, and what he had to be allowed for it. */
function actAs(headers: Record<string, string[]>): { user: UserInfo; asked: string[] } {
  const asked: string[] = []
  const authorizer = {
    assertAllowed(_: UserInfo, attributes: Attributes) {
      const { verb, group, resource, subresource, name } = attributes as unknown as Record<string, string | undefined>
      asked.push(
        `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`} ${name}`,
      )
      return { allowed: true }
    },
  } as unknown as Authorizer
  const request = {
    headers: Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values.join(', ')])),
    headersDistinct: headers,
  } as Pick<IncomingMessage, 'headers' | 'headersDistinct'>
  return { user: impersonated(caller, request, authorizer), asked }
}

test('each part of somebody else needs its own right', () => {
  expect(
    actAs({
      'impersonate-user': ['u'],
      'impersonate-uid': ['7'],
      'impersonate-group': ['g'],
      'impersonate-extra-example.com%2fscope': ['a, b', 'c'],
    }),
  ).toEqual({
    user: {
      username: 'u',
      uid: '7',
      groups: ['g', 'system:authenticated'],
      extra: { 'example.com/scope': ['a, b', 'c'] },
    },
    asked: [
      'impersonate users u',
      'impersonate groups g',
      'impersonate userextras/example.com/scope.authentication.k8s.io a, b',
      'impersonate userextras/example.com/scope.authentication.k8s.io c',
      'impersonate uids.authentication.k8s.io 7',
    ],
  })
})

test.each<[string, string[], string[]]>([
  ['u', [], ['system:authenticated']],
  ['u', ['system:unauthenticated'], ['system:unauthenticated']],
  ['u', ['system:authenticated', 'g'], ['system:authenticated', 'g']],
  ['system:anonymous', [], ['system:unauthenticated']],
  ['system:serviceaccount:ns:s', [], ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated']],
])('%s with groups %j is in %j', (username, groups, expected) => {
  expect(
    actAs({ 'impersonate-user': [username], ...(groups.length > 0 && { 'impersonate-group': groups }) }).user.groups,
  ).toEqual(expected)
})

test('without a user there is nobody to be', () => {
  expect(() => actAs({ 'impersonate-uid': ['7'] })).toThrow(
    'requested group, uid or extra impersonation without impersonating a user',
  )
})

test('an escape that means nothing is taken as it is', () => {
  expect(actAs({ 'impersonate-user': ['u'], 'impersonate-extra-%zz': ['a'] }).user.extra).toEqual({ '%zz': ['a'] })
})
