// Bodies at the limit of three mebibytes, above it, and nested as deeply as fits: never an internal error.
// Source: kubernetes test/integration/apiserver (TestMaxResourceSize, TestMaxJSONPatchOperations).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

const limit = 3 * 1024 * 1024
const path = '/api/v1/namespaces/default/secrets'
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const half = limit / 2 - 500
let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.call('POST', path, { body: { metadata: { name: 'test' } } })
})
afterAll(() => server.close())

const json = 'application/json'
const patch = (type: string): string => `application/${type}-patch+${type === 'apply' ? 'yaml' : 'json'}`

test.each<[string, string, string, string, string, number[]]>([
  ['a new object above the limit', 'POST', path, json, 'x'.repeat(limit + 1), [413]],
  ['an update above the limit', 'PUT', `${path}/test`, json, 'x'.repeat(limit + 1), [413]],
  ['a patch above the limit', 'PATCH', `${path}/test`, patch('json'), 'x'.repeat(limit + 1), [413]],
  ['a deletion above the limit', 'DELETE', `${path}/test`, json, 'x'.repeat(limit + 1), [413]],
  [
    'a JSON patch, nested',
    'PATCH',
    `${path}/test`,
    patch('json'),
    `[{"op":"add","path":"/foo","value":${nested(half)}}]`,
    [200, 400],
  ],
  [
    'a JSON patch',
    'PATCH',
    `${path}/test`,
    patch('json'),
    `[{"op":"add","path":"/foo","value":0${' '.repeat(limit - 100)}}]`,
    [200],
  ],
  ['a merge patch, nested', 'PATCH', `${path}/test`, patch('merge'), `{"value":${nested(half)}}`, [200, 400]],
  ['a merge patch', 'PATCH', `${path}/test`, patch('merge'), `{"value":0${' '.repeat(limit - 100)}}`, [200]],
  [
    'a strategic merge patch, nested',
    'PATCH',
    `${path}/test`,
    patch('strategic-merge'),
    `{"value":${nested(half)}}`,
    [200, 400],
  ],
  [
    'a strategic merge patch',
    'PATCH',
    `${path}/test`,
    patch('strategic-merge'),
    `{"value":0${' '.repeat(limit - 100)}}`,
    [200],
  ],
  ['an apply, nested', 'PATCH', `${path}/test?fieldManager=test`, patch('apply'), `{"value":${nested(half)}}`, [400]],
  [
    'an apply',
    'PATCH',
    `${path}/test?fieldManager=test`,
    patch('apply'),
    `{"apiVersion":"v1","kind":"Secret"${' '.repeat(limit - 100)}}`,
    [200],
  ],
  ['YAML above the limit', 'POST', path, 'application/yaml', `values: ${'['.repeat(limit)}`, [413]],
  ['YAML, nested', 'POST', path, 'application/yaml', `apiVersion: v1\nkind: Secret\nvalues: ${nested(half)}`, [400]],
  [
    'YAML that never ends',
    'POST',
    path,
    'application/yaml',
    `apiVersion: v1\nkind: Secret\nvalues: ${'['.repeat(limit - 1000)}`,
    [400],
  ],
  ['JSON that never ends', 'POST', path, json, `{"kind":"Secret","values":${'['.repeat(limit - 1000)}}`, [400]],
])('%s', async (_, method, target, type, body, expected) => {
  const {
    status,
    json: { message },
  } = await server.call(method, target, { body, headers: { 'Content-Type': type } })
  expect(expected, String(message).slice(0, 200)).toContain(status)
})

test('a JSON patch of too many operations', async () => {
  const body = JSON.stringify(Array.from({ length: 10_001 }, () => ({ op: 'add', path: '/x', value: 'y' })))
  const answer = await server.call('PATCH', `${path}/test`, { body, headers: { 'Content-Type': patch('json') } })
  expect([answer.status, answer.json.message]).toEqual([
    413,
    'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
  ])
})
