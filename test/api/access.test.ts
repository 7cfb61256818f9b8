// Who may do what: roles, bindings, service accounts, impersonation, and rights that nobody can give away.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRoleBindings, roleBindings, roles, serviceAccounts } from '../../src/api/resources.ts'
import { startTestServer, type Answer, type CallOptions, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
let token: string
beforeAll(async () => {
  server = await startTestServer()
  await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'robot' } })
  token = (await server.call('POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', { body: { spec: {} } }))
    .json.status.token
})
afterAll(() => server.close())

const asRobot = (method: string, path: string, options: CallOptions = {}): Promise<Answer> =>
  server.call(method, path, {
    ...options,
    anonymous: true,
    headers: { ...options.headers, Authorization: `Bearer ${token}` },
  })
const asUser = (user: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  server.call(method, path, { body, headers: { 'Impersonate-User': user } })
const pods = '/api/v1/namespaces/default/pods'

describe('a service account', () => {
  test('may look around in the API, and nothing else', async () => {
    expect((await asRobot('GET', '/apis')).status).toBe(200)
    const refused = await asRobot('GET', pods)
    expect([refused.status, refused.json.reason, refused.json.message]).toEqual([
      403,
      'Forbidden',
      'pods is forbidden: User "system:serviceaccount:default:robot" cannot list resource "pods" in API group "" in the namespace "default"',
    ])
    expect((await asRobot('GET', '/api/v1/nodes')).json.message).toContain('at the cluster scope')
    expect((await asRobot('GET', '/nowhere')).json.message).toBe(
      'forbidden: User "system:serviceaccount:default:robot" cannot get path "/nowhere"',
    )
  })

  test('may what a role in its namespace says, from the moment it is bound until it is not', async () => {
    await server.local.create(roles, {
      metadata: { namespace: 'default', name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }],
    } as never)
    await server.local.create(roleBindings, {
      metadata: { namespace: 'default', name: 'robot' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace: 'default' }],
    } as never)
    expect((await asRobot('GET', pods)).status).toBe(200)
    expect((await asRobot('GET', `${pods}?watch=true&timeoutSeconds=1`)).status).toBe(403)
    expect((await asRobot('GET', '/api/v1/namespaces/kube-system/pods')).status).toBe(403)
    expect((await asRobot('DELETE', `${pods}/x`)).json.message).toContain('pods "x" is forbidden')
    await server.local.delete(roleBindings, { namespace: 'default', name: 'robot' })
    expect((await asRobot('GET', pods)).status).toBe(403)
  })
})

describe('the role', () => {
  test.each([
    ['view', 'GET', pods, 200],
    ['view', 'GET', '/api/v1/namespaces/default/secrets', 403],
    ['edit', 'GET', '/api/v1/namespaces/default/secrets', 200],
    ['edit', 'GET', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', 403],
    ['admin', 'GET', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', 200],
    ['cluster-admin', 'GET', '/api/v1/nodes', 200],
  ])('%s: %s %s is answered with %d', async (role, method, path, status) => {
    await server.local.create(clusterRoleBindings, {
      metadata: { name: `as-${role}-${status}-${path.length}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: `user-${role}` }],
    } as never)
    expect((await asUser(`user-${role}`, method, path)).status).toBe(status)
  })
})

describe('impersonation', () => {
  test('needs the right to it', async () => {
    const refused = await asRobot('GET', pods, { headers: { 'Impersonate-User': 'jane' } })
    expect(refused.json.message).toBe(
      'users "jane" is forbidden: User "system:serviceaccount:default:robot" cannot impersonate resource "users" in API group "" at the cluster scope',
    )
  })

  test('acts with the rights of the other', async () => {
    expect((await asUser('jane', 'GET', pods)).json.message).toContain('User "jane" cannot list')
    const groups = await server.call('GET', pods, {
      headers: { 'Impersonate-User': 'jane', 'Impersonate-Group': 'system:masters' },
    })
    expect(groups.status).toBe(200)
  })
})

describe('rights', () => {
  const role = (verbs: string[]): object => ({
    metadata: { name: 'given' },
    rules: [{ apiGroups: [''], resources: ['secrets'], verbs }],
  })

  test('cannot be given away by who does not have them', async () => {
    await server.local.create(clusterRoleBindings, {
      metadata: { name: 'jane-admin' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
    } as never)
    const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles'
    expect((await asUser('jane', 'POST', path, role(['get']))).status).toBe(201)
    const refused = await asUser('jane', 'POST', path, {
      metadata: { name: 'more' },
      rules: [{ apiGroups: ['storage.k8s.io'], resources: ['csinodes'], verbs: ['get'] }],
    })
    expect(refused.status).toBe(403)
    expect(refused.json.message).toContain(
      'is attempting to grant RBAC permissions not currently held:\n{APIGroups:["storage.k8s.io"], Resources:["csinodes"], Verbs:["get"]}',
    )
    const binding = {
      metadata: { name: 'more' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
    }
    expect(
      (await asUser('jane', 'POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', binding))
        .status,
    ).toBe(403)
  })
})

test('kubectl auth can-i gets the answer and the reason', async () => {
  const review = (user: string): Promise<Answer> =>
    server.call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      body: { spec: { user, groups: ['system:authenticated'], nonResourceAttributes: { verb: 'get', path: '/api' } } },
    })
  expect((await review('somebody')).json.status).toEqual({
    allowed: true,
    reason:
      'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated"',
  })
  const denied = await server.call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    body: { spec: { user: 'somebody', resourceAttributes: { verb: 'get', resource: 'nodes' } } },
  })
  expect(denied.json.status).toEqual({ allowed: false })
})
