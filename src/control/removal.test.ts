import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConfigMap } from '../api/generated/models.ts'
import { configMaps, namespaces } from '../api/resources.ts'
import type { TestServer } from '../testing/in-process-server.ts'
import { startTestServer } from '../testing/in-process-server.ts'
import { removeObject } from './removal.ts'
import { writeStatus } from './write-status.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const create = (name: string): Promise<ConfigMap> =>
  server.local.create(configMaps, { metadata: { namespace: 'default', name } })

test('removing says whether there was anything to remove', async () => {
  const object = await create('once')
  expect(await removeObject(server.local, configMaps, object)).toBe(true)
  expect(await removeObject(server.local, configMaps, object)).toBe(false)
})

test('a later object of the same name stays', async () => {
  const first = await create('again')
  await removeObject(server.local, configMaps, first)
  const second = await create('again')
  await expect(removeObject(server.local, configMaps, first)).rejects.toMatchObject({ code: 409 })
  expect((await server.local.get(configMaps, second.metadata)).metadata.uid).toBe(second.metadata.uid)
})

test('a status is written when it differs, and only then', async () => {
  const namespace = await server.local.create(namespaces, { metadata: { name: 'told' } })
  expect(await writeStatus(server.local, namespaces, namespace, { phase: 'Active' })).toBe(namespace)
  const condition = { type: 'NamespaceContentRemaining', status: 'False' }
  const written = await writeStatus(server.local, namespaces, namespace, { phase: 'Active', conditions: [condition] })
  expect(written.status.conditions).toMatchObject([condition])
  expect(written.metadata.resourceVersion).not.toBe(namespace.metadata.resourceVersion)
})

test('a status made from old facts is refused, unless it may go over the newest', async () => {
  const old = await server.local.create(namespaces, { metadata: { name: 'moving' } })
  const newest = await server.local.patch(namespaces, old.metadata, {
    type: 'merge',
    value: { metadata: { labels: { a: '1' } } },
  })
  const status = { phase: 'Active', conditions: [{ type: 'NamespaceContentRemaining', status: 'False' }] }
  await expect(writeStatus(server.local, namespaces, old, status)).rejects.toMatchObject({ code: 409 })
  expect((await writeStatus(server.local, namespaces, old, status, newest)).metadata.labels).toMatchObject({ a: '1' })
})
