// Bodies that fuzzing (test/fuzz) found: each once ended in an internal error.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

test.each<[string, string, object]>([
  ['a Job without metadata', '/apis/batch/v1/namespaces/default/jobs', {}],
  [
    'a certificate request without a spec',
    '/apis/certificates.k8s.io/v1/certificatesigningrequests',
    { metadata: { name: 'x' } },
  ],
  [
    'limits of a resource that is called constructor',
    '/api/v1/namespaces/default/limitranges',
    { metadata: { name: 'x' }, spec: { limits: [{ type: 'Pod', min: { cpu: '1' }, max: { constructor: '0' } }] } },
  ],
  [
    'a request of a resource that is called constructor',
    '/api/v1/namespaces/default/podtemplates',
    {
      metadata: { name: 'y' },
      template: {
        spec: {
          containers: [
            { name: 'c', image: 'x:1', resources: { requests: { constructor: '1' }, limits: { cpu: '1' } } },
          ],
        },
      },
    },
  ],
  [
    'a kernel setting without a name',
    '/api/v1/namespaces/default/podtemplates',
    {
      metadata: { name: 'z' },
      template: { spec: { containers: [{ name: 'c', image: 'x:1' }], securityContext: { sysctls: [{}] } } },
    },
  ],
  [
    'a preference without its term',
    '/api/v1/namespaces/default/podtemplates',
    {
      metadata: { name: 'w' },
      template: {
        spec: {
          containers: [{ name: 'c', image: 'x:1' }],
          affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] } },
        },
      },
    },
  ],
  [
    'a spread constraint without a key',
    '/api/v1/namespaces/default/podtemplates',
    {
      metadata: { name: 'x' },
      template: { spec: { containers: [{ name: 'c', image: 'x:1' }], topologySpreadConstraints: [{}] } },
    },
  ],
  ['a question for rules without a namespace', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {}],
  ['a binding without a target', '/api/v1/namespaces/default/pods/x/binding', {}],
  ['a binding of nothing to nothing', '/api/v1/namespaces/default/bindings', { metadata: null }],
  [
    'an eviction whose options are none',
    '/api/v1/namespaces/default/pods/x/eviction',
    { deleteOptions: { dryRun: 7, preconditions: 'x' } },
  ],
  [
    'a request for a token of no shape',
    '/api/v1/namespaces/default/serviceaccounts/x/token',
    { metadata: 1, spec: { audiences: {} } },
  ],
])('%s', async (_what, path, body) => {
  expect((await server.call('POST', path, { body })).status).toBeLessThan(500)
})

test('a field whose name cannot stand in a header is warned of all the same', async () => {
  const answer = await server.call('POST', '/api/v1/namespaces/default/configmaps', {
    body: { metadata: { name: 'odd' }, '\u{1F6A3}\n\u0000': 1 },
  })
  expect(answer.status).toBe(201)
  expect(Buffer.from(String(answer.headers.warning), 'latin1').toString()).toBe('299 - "unknown field \\"\u{1F6A3}\\""')
})

test('a deletion that says what there is not is refused', async () => {
  await server.call('POST', '/api/v1/namespaces/default/configmaps', { body: { metadata: { name: 'kept' } } })
  const refused = async (query: string, body?: object): Promise<unknown[]> => {
    const { status, json } = await server.call('DELETE', `/api/v1/namespaces/default/configmaps/kept${query}`, { body })
    return [status, json.message]
  }
  expect(await refused('?propagationPolicy=x')).toEqual([
    422,
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "x": supported values: "Background", "Foreground", "Orphan", "nil"',
  ])
  expect(await refused('', { propagationPolicy: 'Orphan', orphanDependents: true })).toEqual([
    422,
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
  ])
  expect(await refused('?gracePeriodSeconds=soon')).toEqual([400, 'strconv.ParseInt: parsing "soon": invalid syntax'])
})

test('a negative grace period is one second', async () => {
  await server.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'hasty' } } })
  await server.call('POST', '/api/v1/namespaces/hasty/serviceaccounts', { body: { metadata: { name: 'default' } } })
  await server.call('POST', '/api/v1/namespaces/hasty/pods', {
    body: { metadata: { name: 'p' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'x:1' }] } },
  })
  const { json } = await server.call('DELETE', '/api/v1/namespaces/hasty/pods/p', { body: { gracePeriodSeconds: -5 } })
  expect(json.metadata.deletionGracePeriodSeconds).toBe(1)
})

test('an event about nothing has a row', async () => {
  const { status } = await server.call('POST', '/api/v1/namespaces/default/events', {
    body: { metadata: { name: 'nothing' } },
    headers: { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  })
  expect(status).toBeLessThan(500)
})
