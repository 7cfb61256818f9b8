// What the server writes as YAML is what it reads, alone and in lists: text that YAML 1.1 would take for something else.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseYaml } from '../../src/api/parse-yaml.ts'
import { freshNamespace } from '../../src/testing/fresh-namespace.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

test('text is still text when an answer in YAML is sent back', async () => {
  const path = `/api/v1/namespaces/${await freshNamespace(server)}/configmaps`
  const data = { on: 'on', no: 'No', hex: '0x10', number: '1_000', time: '12:30', null: '~' }
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'words' }, data })
  await server.call('POST', path, { body })
  const yaml = { headers: { Accept: 'application/yaml' } }
  const { text } = await server.call('GET', `${path}/words`, yaml)
  const sent = await server.call('PUT', `${path}/words`, {
    body: text,
    headers: { 'Content-Type': 'application/yaml' },
  })
  expect(sent.status, sent.text).toBe(200)
  expect((JSON.parse(sent.text) as { data: object }).data).toEqual(data)
  const list = parseYaml((await server.call('GET', path, yaml)).text, { duplicates: false }).value
  expect(list).toMatchObject({ items: [{ data }] })
})
