// Options that Kubernetes refuses, in its words (apimachinery pkg/apis/meta/v1/validation), and options of deletions
// in the body and in the query.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

const path = '/api/v1/namespaces/default/configmaps'
let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.call('POST', path, { body: { metadata: { name: 'a' } } })
})
afterAll(() => server.close())

const patchAs = (type: string) => ({ body: { apiVersion: 'v1', kind: 'ConfigMap' }, headers: { 'Content-Type': type } })
const merge = patchAs('application/merge-patch+json')

test.each<[string, string, string, object, number, string]>([
  [
    'force without apply',
    'PATCH',
    '?force=true',
    merge,
    422,
    'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  ],
  [
    'an unprintable manager',
    'PATCH',
    '?fieldManager=a%00',
    merge,
    422,
    String.raw`PatchOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\x00": invalid character U+0000 (at position 1)`,
  ],
  [
    'an apply of another version',
    'PATCH',
    '?fieldManager=m',
    { ...patchAs('application/apply-patch+yaml'), body: { apiVersion: 'v2', kind: 'ConfigMap' } },
    400,
    'Incorrect version specified in apply patch. Specified patch version: v2, expected: v1',
  ],
  [
    'an apply without a version',
    'PATCH',
    '?fieldManager=m',
    { ...patchAs('application/apply-patch+yaml'), body: {} },
    400,
    'Incorrect version specified in apply patch. Specified patch version: , expected: v1',
  ],
  [
    'a dry run that is none, in the body',
    'DELETE',
    '',
    { body: { dryRun: ['Some'] } },
    422,
    'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
  ],
  [
    'orphans twice',
    'DELETE',
    '?orphanDependents=1&propagationPolicy=Orphan',
    {},
    422,
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
  ],
])('%s is refused', async (_, method, query, options, status, message) => {
  const answer = await server.call(method, `${path}/a${query}`, options)
  expect([answer.status, answer.json.message]).toEqual([status, message])
})

test('a collection is deleted dry, too, when the body says so', async () => {
  expect((await server.call('DELETE', path, { body: { dryRun: ['All'] } })).status).toBe(200)
  expect((await server.call('GET', `${path}/a`)).status).toBe(200)
})

test('dependents are orphaned in the words of old clients', async () => {
  await server.call('POST', path, { body: { metadata: { name: 'old' } } })
  const deleted = await server.call('DELETE', `${path}/old?orphanDependents=1`)
  expect([deleted.status, deleted.json.metadata.finalizers]).toEqual([200, ['orphan']])
})

test('an apply that names a uid creates nothing', async () => {
  const answer = await server.call('PATCH', `${path}/new?fieldManager=m`, {
    ...patchAs('application/apply-patch+yaml'),
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { uid: 'abc' } },
  })
  expect([answer.status, answer.json.message]).toEqual([
    409,
    'Operation cannot be fulfilled on configmaps "new": uid mismatch: the provided object specified uid abc, and no existing object was found',
  ])
})

test.each([
  ['GET', '/pods/a/eviction'],
  ['PATCH', '/pods/a/eviction'],
  ['GET', '/pods/a/binding'],
  ['GET', '/serviceaccounts/a/token'],
  ['PUT', '/serviceaccounts/a/token'],
  ['POST', '/pods/a/log'],
])('%s %s is not allowed', async (method, part) => {
  expect(
    (await server.call(method, `/api/v1/namespaces/default${part}`, method === 'GET' ? {} : { body: {} })).status,
  ).toBe(405)
})

test.each([
  ['policy/v1beta1', 404, 'pods "a" not found'],
  [
    'policy/v2',
    400,
    'Eviction in version "v2" cannot be handled as a Eviction: no kind "Eviction" is registered for version "policy/v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
  ],
])('an eviction of version %s', async (apiVersion, status, message) => {
  const answer = await server.call('POST', '/api/v1/namespaces/default/pods/a/eviction', {
    body: { apiVersion, kind: 'Eviction', metadata: { name: 'a' } },
  })
  expect([answer.status, answer.json.message]).toEqual([status, message])
})
