// Questions that are answered and not stored.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serviceAccounts } from '../../src/api/resources.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

test('who am I', async () => {
  const { status, json } = await server.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { body: {} })
  expect(status).toBe(201)
  expect(json).toMatchObject({
    kind: 'SelfSubjectReview',
    status: { userInfo: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] } },
  })
})

test('may I: a master may everything', async () => {
  const { json } = await server.call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    body: { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
  })
  expect(json.status).toEqual({ allowed: true })
  const rules = await server.call('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    body: { spec: { namespace: 'default' } },
  })
  expect(rules.json.status).toMatchObject({
    incomplete: false,
    resourceRules: expect.arrayContaining([{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]) as unknown,
  })
  const empty = await server.call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { body: { spec: {} } })
  expect(empty.status).toBe(422)
})

test('whose token is this', async () => {
  await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'robot' } })
  const {
    json: {
      status: { token },
    },
  } = await server.call('POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', { body: { spec: {} } })
  const path = '/apis/authentication.k8s.io/v1/tokenreviews'
  expect((await server.call('POST', path, { body: { spec: { token } } })).json.status).toMatchObject({
    authenticated: true,
    user: { username: 'system:serviceaccount:default:robot' },
  })
  expect((await server.call('POST', path, { body: { spec: { token: 'nonsense' } } })).json.status).toEqual({
    user: {},
    error: 'invalid bearer token',
  })
})

test('component statuses', async () => {
  const { json } = await server.call('GET', '/api/v1/componentstatuses')
  expect(json.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toContain('scheduler')
  expect((await server.call('GET', '/api/v1/componentstatuses/scheduler')).json.conditions[0].status).toBe('True')
  expect((await server.call('GET', '/api/v1/componentstatuses/nope')).status).toBe(404)
})
