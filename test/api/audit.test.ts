// The audit log: which requests are in it, at which stages, and how much of them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAuditPolicy } from '../../src/api/audit-policy.ts'
import { namespaces, serviceAccounts } from '../../src/api/resources.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- events of every shape
const lines: any[] = []
let server: TestServer

beforeAll(async () => {
  const policy = readAuditPolicy({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'None', users: ['quiet'] },
      { level: 'Metadata', resources: [{ group: '', resources: ['secrets'] }] },
      { level: 'Metadata', verbs: ['watch'] },
      { level: 'RequestResponse', resources: [{ group: '', resources: ['configmaps'] }], omitManagedFields: true },
      {
        level: 'Request',
        resources: [{ group: '', resources: ['pods', 'pods/status', 'serviceaccounts'] }, { group: 'apps' }],
        omitStages: [],
      },
      { level: 'Metadata', nonResourceURLs: ['/version', '/apis*'] },
      { level: 'Metadata', userGroups: ['system:unauthenticated'] },
    ],
  })
  server = await startTestServer({
    audit: { policy, sink: { append: line => void lines.push(JSON.parse(line)), close: async () => {} } },
  })
  await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } })
})
afterAll(() => server.close())

const core = '/api/v1/namespaces/default'
// oxlint-disable-next-line typescript/no-explicit-any -- see above
async function event(matches: (line: any) => boolean): Promise<any> {
  return eventually('event', () => lines.find(matches))
}

test('metadata tells who did what, from where, with which answer, and not with what', async () => {
  await server.call('POST', `${core}/secrets`, {
    body: { metadata: { name: 's' }, data: { a: 'c2VjcmV0' } },
    headers: { 'Impersonate-User': 'jane', 'Impersonate-Group': 'system:masters', 'User-Agent': 'tool/1' },
  })
  const found = await event(line => line.objectRef?.resource === 'secrets')
  expect(found).toMatchObject({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    stage: 'ResponseComplete',
    requestURI: `${core}/secrets`,
    verb: 'create',
    user: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
    impersonatedUser: { username: 'jane' },
    userAgent: 'tool/1',
    objectRef: { resource: 'secrets', namespace: 'default', name: 's', apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: 201 },
    annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
  })
  expect(found.sourceIPs[0]).toContain('127.0.0.1')
  expect(found.requestReceivedTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  expect(JSON.stringify(lines)).not.toContain('c2VjcmV0')
})

test('objects are there when the policy asks for them', async () => {
  const answer = await server.call('POST', `${core}/configmaps`, {
    body: { metadata: { name: 'c' }, data: { a: 'b' } },
    headers: { 'Accept-Encoding': 'gzip', 'Audit-ID': 'my-own' },
  })
  expect(answer.headers['audit-id']).toBe('my-own')
  const found = await event(line => line.auditID === 'my-own')
  expect(found.requestObject).toEqual({ metadata: { name: 'c' }, data: { a: 'b' } })
  expect(found.responseObject).toMatchObject({ kind: 'ConfigMap', data: { a: 'b' } })
  expect(found.responseObject.metadata.managedFields).toBeUndefined()
  await server.call('GET', `${core}/configmaps`)
  expect(
    (await event(line => line.verb === 'list' && line.objectRef.resource === 'configmaps')).responseObject,
  ).toMatchObject({ kind: 'ConfigMapList', items: [{ metadata: { name: 'c' } }] })
  await server.call('PATCH', `${core}/configmaps/c`, {
    body: { data: { a: 'd' } },
    headers: { 'Content-Type': 'application/merge-patch+json' },
  })
  expect((await event(line => line.verb === 'patch')).requestObject).toEqual({ data: { a: 'd' } })
})

test('refusals are told with their reason', async () => {
  await server.call('GET', `${core}/pods`, { headers: { 'Impersonate-User': 'joe' } })
  expect(await event(line => line.annotations?.['authorization.k8s.io/decision'] === 'forbid')).toMatchObject({
    impersonatedUser: { username: 'joe' },
    responseStatus: {
      status: 'Failure',
      reason: 'Forbidden',
      code: 403,
      message: expect.stringContaining('User "joe" cannot list'),
    },
  })
  await server.call('POST', `${core}/serviceaccounts`, { body: { metadata: { name: 'Wrong' } } })
  expect(await event(line => line.responseStatus?.code === 422)).toMatchObject({
    level: 'Request',
    requestObject: { metadata: { name: 'Wrong' } },
    responseStatus: { reason: 'Invalid' },
  })
  await server.call('GET', '/apis', { anonymous: true, headers: { Authorization: 'Bearer wrong' } })
  expect(await event(line => line.responseStatus?.code === 401)).toMatchObject({
    stage: 'ResponseStarted',
    user: {},
    requestURI: '/apis',
    responseStatus: { message: 'Authentication failed, attempted: bearer', reason: 'Unauthorized' },
  })
  expect(JSON.stringify(lines)).not.toContain('wrong"')
})

test('streams are told of when they start and when they end', async () => {
  await server.call('GET', `${core}/configmaps?watch=true&timeoutSeconds=1`)
  const ended = await event(line => line.verb === 'watch' && line.stage === 'ResponseComplete')
  expect(ended.level).toBe('Metadata')
  expect(lines.filter(line => line.auditID === ended.auditID).map(line => line.stage)).toEqual([
    'ResponseStarted',
    'ResponseComplete',
  ])
})

test('what no rule asks for is not there', async () => {
  const before = lines.length
  await server.call('GET', '/api/v1/nodes')
  await server.call('GET', `${core}/secrets`, { headers: { 'Impersonate-User': 'x' } })
  await event(line => line.verb === 'list' && line.objectRef.resource === 'secrets')
  expect(lines.slice(before).map(line => line.objectRef?.resource)).toEqual(['secrets'])
})

test('PodSecurity notes what it would refuse', async () => {
  await server.local.create(namespaces, {
    metadata: { name: 'watched', labels: { 'pod-security.kubernetes.io/audit': 'baseline' } },
  })
  await server.local.create(serviceAccounts, { metadata: { namespace: 'watched', name: 'default' } })
  const made = await server.call('POST', '/api/v1/namespaces/watched/pods', {
    body: { metadata: { name: 'p' }, spec: { hostNetwork: true, containers: [{ name: 'main', image: 'i' }] } },
  })
  expect([made.status, made.headers['warning']]).toEqual([201, undefined])
  expect((await event(line => line.objectRef?.namespace === 'watched')).annotations).toMatchObject({
    'pod-security.kubernetes.io/enforce-policy': 'privileged:latest',
    'pod-security.kubernetes.io/audit-violations': expect.stringContaining(
      'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    ),
  })
})

test('admission policies add what they found', async () => {
  const group = '/apis/admissionregistration.k8s.io/v1'
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }]
  await server.call('POST', `${group}/validatingadmissionpolicies`, {
    body: {
      metadata: { name: 'p' },
      spec: {
        matchConstraints: { resourceRules: rules },
        validations: [{ expression: 'true' }, { expression: 'false', message: 'hm' }],
        auditAnnotations: [{ key: 'who', valueExpression: '"name is " + object.metadata.name' }],
      },
    },
  })
  await server.call('POST', `${group}/validatingadmissionpolicybindings`, {
    body: { metadata: { name: 'b' }, spec: { policyName: 'p', validationActions: ['Audit'] } },
  })
  await server.call('POST', `${core}/configmaps`, { body: { metadata: { name: 'noted' } } })
  const { annotations } = await event(line => line.objectRef?.name === 'noted')
  expect(JSON.parse(annotations['validation.policy.admission.k8s.io/validation_failure'])).toEqual([
    { message: 'hm', policy: 'p', binding: 'b', expressionIndex: 1, validationActions: ['Audit'] },
  ])
  expect(annotations['p/who']).toBe('name is noted')
})

describe('a policy', () => {
  const policy = (...rules: object[]): object => ({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules })

  test.each<[unknown, string]>([
    ['text', 'expected a Policy of audit.k8s.io/v1'],
    [
      { apiVersion: 'audit.k8s.io/v1beta1', kind: 'Policy' },
      'expected apiVersion audit.k8s.io/v1 and kind Policy, found audit.k8s.io/v1beta1 and Policy',
    ],
    [policy(), 'rules: expected at least one rule'],
    [
      policy({ level: 'Everything' }),
      'rules[0].level: expected one of None, Metadata, Request, RequestResponse, found "Everything"',
    ],
    [policy({ level: 'None' }, { level: 'None', verb: 'get' }), 'rules[1].verb: unknown field'],
    [policy({ level: 'None', omitStages: ['Start'] }), 'rules[0].omitStages: expected some of'],
    [policy({ level: 'None', nonResourceURLs: ['/a'], namespaces: ['b'] }), 'rules cannot apply to both'],
    [
      policy({ level: 'None', resources: [{ group: '', resourceNames: ['a'] }] }),
      'using resourceNames requires at least one resource',
    ],
  ])('%j is refused', (document, message) => {
    expect(() => readAuditPolicy(document)).toThrow(message)
  })
})
