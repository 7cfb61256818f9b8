// Most deletions are answered with a Status, some with the object that was there.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

test.each<[string, object, string]>([
  ['/api/v1/namespaces/default/serviceaccounts', {}, 'ServiceAccount'],
  ['/api/v1/namespaces/default/configmaps', {}, 'Status'],
  ['/apis/storage.k8s.io/v1/storageclasses', { provisioner: 'example.com/none' }, 'StorageClass'],
  ['/apis/storage.k8s.io/v1/namespaces/default/csistoragecapacities', { storageClassName: 's' }, 'Status'],
  ['/apis/resource.k8s.io/v1/deviceclasses', { spec: {} }, 'DeviceClass'],
  ['/apis/scheduling.k8s.io/v1/priorityclasses', { value: 7 }, 'Status'],
])('%s', async (path, body, kind) => {
  const made = await server.call('POST', path, { body: { metadata: { name: 'one' }, ...body } })
  expect(made.status, made.text).toBe(201)
  expect((await server.call('DELETE', `${path}/one`)).json).toMatchObject({
    kind,
    ...(kind === 'Status' ? { status: 'Success' } : { metadata: { name: 'one' } }),
  })
})

test.each<[string, string[], object, number]>([
  ['nothing holds it', [], { orphanDependents: false }, 200],
  ['something holds it', ['example.com/hold'], {}, 200],
  ['something holds it, and its dependents shall go', ['example.com/hold'], { orphanDependents: false }, 202],
])('accepted only: %s', async (_, finalizers, body, status) => {
  const path = '/api/v1/namespaces/default/configmaps'
  const { json } = await server.call('POST', path, { body: { metadata: { generateName: 'held-', finalizers } } })
  expect((await server.call('DELETE', `${path}/${json.metadata.name as string}`, { body })).status).toBe(status)
})
