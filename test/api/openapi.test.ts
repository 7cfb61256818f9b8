// /openapi over HTTPS: which form a client gets, and what it is told about caching it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

const binaryAccepted = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
const binaryType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const document = (accept: string, headers: Record<string, string> = {}): Promise<Answer> =>
  server.call('GET', '/openapi/v2', { headers: { accept, ...headers } })

const contentType = async (accept: string): Promise<unknown> => (await document(accept)).headers['content-type']

test('the client chooses between JSON and protobuf, whatever the order in which it names them', async () => {
  expect(await contentType(binaryAccepted)).toBe(binaryType)
  expect(await contentType(binaryType)).toBe(binaryType)
  expect(await contentType('*/*')).toBe('application/json')
  expect(await contentType(`application/json;q=0.5, ${binaryAccepted}`)).toBe(binaryType)
  expect(await contentType(`*/*, ${binaryAccepted}`)).toBe(binaryType)
  expect(await contentType(`${binaryAccepted};q=0.1, application/json;q=0.2`)).toBe('application/json')
  expect(await document('application/yaml')).toMatchObject({ status: 406, text: '' })
})

test('both forms are cached under the tag of the document, which changes with the kinds', async () => {
  const [json, binary, again] = await Promise.all([
    document('application/json'),
    document(binaryAccepted),
    document(binaryAccepted),
  ])
  expect(binary.text).toBe(again.text)
  expect(binary.headers['etag']).toBe(json.headers['etag'])
  expect(binary.headers['vary']).toContain('Accept')
  expect(await document(binaryAccepted, { 'if-none-match': String(binary.headers['etag']) })).toMatchObject({
    status: 304,
    text: '',
  })
  expect(binary.text).not.toContain('com.example.v1.Boat')

  const schema = {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec: { type: 'object', properties: { oars: { type: 'integer' } } } },
    },
  }
  await server.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'boats.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'boats', kind: 'Boat' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    },
  })
  await eventually('the new kind is in the document', async () =>
    (await document(binaryAccepted)).text.includes('com.example.v1.Boat'),
  )
  const changed = await document(binaryAccepted, { 'if-none-match': String(binary.headers['etag']) })
  expect(changed.status).toBe(200)
  expect(changed.text).toContain('oars')
  expect(changed.text).toContain('/apis/example.com/v1/namespaces/{namespace}/boats')
})

test('a document of version 3 comes as protobuf, and for good under its hash', async () => {
  const path = '/openapi/v3/apis/apps/v1'
  const asked = 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf'
  const type = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf'
  const get = (query: string, accept: string): Promise<Answer> =>
    server.call('GET', path + query, { headers: { accept } })
  const [json, binary] = await Promise.all([get('', 'application/json'), get('', asked)])
  expect(json.headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
    vary: 'Accept',
  })
  expect(binary.headers).toMatchObject({ 'content-type': type, etag: json.headers['etag'], vary: 'Accept' })
  expect(binary.text).toContain('io.k8s.api.apps.v1.Deployment')
  expect((await get('', type)).headers['content-type']).toBe(type)
  expect(await get('', 'application/yaml')).toMatchObject({ status: 406, text: '' })

  const hash = String(json.headers['etag']).slice(1, -1)
  expect((await get(`?hash=${hash}`, asked)).headers).toMatchObject({
    'content-type': type,
    'cache-control': 'public, immutable',
    expires: expect.any(String) as string,
  })
  expect(await get('?hash=OLD', asked)).toMatchObject({ status: 301, headers: { location: `${path}?hash=${hash}` } })
})
