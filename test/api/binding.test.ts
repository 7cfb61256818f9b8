// Bindings that cannot be: what is said about their names and targets. Source: pkg/registry/core/pod/storage.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

const core = '/api/v1/namespaces/default'
const ofPod = `${core}/pods/p/binding`
const node = { kind: 'Node', name: 'n' }
const mismatch = [400, 'BadRequest', 'name in URL does not match name in Binding object']

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.call('POST', `${core}/serviceaccounts`, { body: { metadata: { name: 'default' } } })
  await server.call('POST', `${core}/pods`, {
    body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x:1' }] } },
  })
})
afterAll(() => server.close())

test.each<[string, string, object, unknown[]]>([
  ['no metadata', ofPod, { target: node }, mismatch],
  ['no name', ofPod, { metadata: { labels: {} }, target: node }, mismatch],
  ['another name', ofPod, { metadata: { name: 'q' }, target: node }, mismatch],
  [
    'no target',
    ofPod,
    { metadata: { name: 'p' } },
    [422, 'Invalid', 'Binding "p" is invalid: target.name: Required value'],
  ],
  [
    'a target that is no node',
    ofPod,
    { metadata: { name: 'p' }, target: { kind: 'Pod' } },
    [
      422,
      'Invalid',
      'Binding "p" is invalid: [target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>", target.name: Required value]',
    ],
  ],
  [
    'no name, posted to bindings',
    `${core}/bindings`,
    { target: node },
    [400, 'BadRequest', 'Name parameter required.'],
  ],
  [
    'no pod, posted to bindings',
    `${core}/bindings`,
    { metadata: { name: 'q' }, target: node },
    [404, 'NotFound', 'pods "q" not found'],
  ],
])('a binding with %s is refused', async (_what, path, body, answer) => {
  const { json } = await server.call('POST', path, { body })
  expect([json.code, json.reason, json.message]).toEqual(answer)
})

test('a binding of a pod that has become another is refused', async () => {
  const {
    json: { metadata },
  } = await server.call('GET', `${core}/pods/p`)
  const bind = (given: object) =>
    server.call('POST', ofPod, { body: { metadata: { name: 'p', ...given }, target: node } })
  const conflict = (what: string): string => `Operation cannot be fulfilled on pods "p": Precondition failed: ${what}`
  expect((await bind({ uid: 'other' })).json).toMatchObject({
    code: 409,
    message: conflict(`UID in precondition: other, UID in object meta: ${metadata.uid}`),
  })
  expect((await bind({ resourceVersion: '1' })).json).toMatchObject({
    code: 409,
    message: conflict(
      `ResourceVersion in precondition: 1, ResourceVersion in object meta: ${metadata.resourceVersion}`,
    ),
  })
  expect((await bind({ uid: metadata.uid, resourceVersion: metadata.resourceVersion })).status).toBe(201)
})
