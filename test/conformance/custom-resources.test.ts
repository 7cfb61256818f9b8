// Conformance of custom resources: what their fields are checked against, and what is published of them.
// (More beside the behaviour itself, in test/api/custom-resources.)
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JSONSchemaProps as Schema } from '../../src/api/generated/models.ts'
import { definition, install, version } from '../../src/testing/custom-resources.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const open = { 'x-kubernetes-preserve-unknown-fields': true }
const ports: Schema = {
  type: 'object',
  properties: {
    cronSpec: { type: 'string' },
    ports: {
      type: 'array',
      'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
      'x-kubernetes-list-type': 'map',
      items: {
        type: 'object',
        required: ['containerPort', 'protocol'],
        properties: { containerPort: { type: 'integer' }, hostPort: { type: 'integer' }, protocol: { type: 'string' } },
      },
    },
  },
}
const path = (group: string): string => `/apis/${group}/v1/namespaces/default/boats`
const text = (group: string, fields: string): string =>
  `{"apiVersion":"${group}/v1","kind":"Boat","metadata":{"name":"b"},${fields}}`
const apply = (group: string, fields: string): Promise<Answer> =>
  server.call('PATCH', `${path(group)}/b?fieldManager=e2e&fieldValidation=Strict`, {
    body: text(group, fields),
    headers: { 'Content-Type': 'application/apply-patch+yaml' },
  })
const create = (group: string, fields: string): Promise<Answer> =>
  server.call('POST', `${path(group)}?fieldValidation=Strict`, { body: text(group, fields) })

describe('fields', () => {
  test('FieldValidation should create/apply a valid CR for CRD with validation schema [Conformance]', async () => {
    await install(server, definition({ group: 'valid.example.com', versions: [version(ports)] }))
    expect(
      (
        await apply(
          'valid.example.com',
          '"spec":{"cronSpec":"*","ports":[{"containerPort":80,"hostPort":81,"protocol":"TCP"}]}',
        )
      ).status,
    ).toBe(201)
  })

  test('FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema [Conformance]', async () => {
    await install(server, definition({ group: 'extra.example.com', versions: [version(ports)] }))
    const answer = await apply(
      'extra.example.com',
      '"spec":{"extraProperty":"x","ports":[{"containerPort":80,"hostPort":81,"protocol":"TCP","foo":"bar"}]}',
    )
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(501)
    expect(answer.json.message).toMatch(/field not declared in schema|unknown field/)
  })

  test('FieldValidation should detect duplicates in a CR when preserving unknown fields [Conformance]', async () => {
    await install(server, definition({ group: 'twice.example.com', versions: [version({ type: 'object', ...open })] }))
    const answer = await create('twice.example.com', '"spec":{"unknown":"a","cronSpec":"b","cronSpec":"c"}')
    expect([answer.status, answer.json.message]).toEqual([
      400,
      expect.stringContaining('strict decoding error: duplicate field "spec.cronSpec"'),
    ])
  })

  test('FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR [Conformance]', async () => {
    const embedded: Schema = {
      type: 'object',
      properties: {
        template: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          properties: {
            metadata: { type: 'object', properties: { name: { type: 'string' } } },
            spec: { type: 'object', ...open },
          },
        },
      },
    }
    await install(server, definition({ group: 'meta.example.com', versions: [version(embedded)] }))
    const answer = await server.call('POST', `${path('meta.example.com')}?fieldValidation=Strict`, {
      body: {
        apiVersion: 'meta.example.com/v1',
        kind: 'Boat',
        metadata: { name: 'b', unknownMeta: 'x' },
        spec: { template: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', unknownSubMeta: 'y' } } },
      },
    })
    expect(answer.status).toBe(400)
    for (const field of ['metadata.unknownMeta', 'spec.template.metadata.unknownSubMeta'])
      expect(answer.json.message).toContain(`unknown field "${field}"`)
  })
})

describe('OpenAPI', () => {
  const published = async (group: string, name = 'v1'): Promise<Record<string, Schema>> =>
    (await server.call('GET', `/openapi/v3/apis/${group}/${name}`)).json.components.schemas
  const inV2 = async (): Promise<Record<string, Schema>> => (await server.call('GET', '/openapi/v2')).json.definitions

  test('CustomResourcePublishOpenAPI works for CRD without validation schema [Conformance]', async () => {
    await install(
      server,
      definition({
        group: 'plain.example.com',
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', ...open } } },
        ],
      }),
    )
    expect((await published('plain.example.com'))['com.example.plain.v1.Boat']).toMatchObject({
      type: 'object',
      ...open,
    })
    expect((await inV2())['com.example.plain.v1.Boat']).toMatchObject({ type: 'object' })
    expect((await create('plain.example.com', '"anything":{"goes":1}')).json.anything).toEqual({ goes: 1 })
  })

  test('CustomResourcePublishOpenAPI works for CRD preserving unknown fields in an embedded object [Conformance]', async () => {
    await install(
      server,
      definition({
        group: 'inner.example.com',
        versions: [version({ type: 'object', properties: { known: { type: 'object', ...open } } })],
      }),
    )
    expect(
      (await published('inner.example.com'))['com.example.inner.v1.Boat']!.properties!.spec!.properties!.known,
    ).toMatchObject(open)
    expect((await create('inner.example.com', '"spec":{"known":{"any":[1]}}')).status).toBe(201)
  })

  test('CustomResourcePublishOpenAPI works for multiple CRDs of different groups [Conformance]', async () => {
    for (const group of ['one.example.com', 'two.example.com']) await install(server, definition({ group }))
    expect(Object.keys(await inV2())).toEqual(
      expect.arrayContaining(['com.example.one.v1.Boat', 'com.example.two.v1.Boat']),
    )
  })

  test('CustomResourcePublishOpenAPI works for multiple CRDs of same group but different versions [Conformance]', async () => {
    await install(
      server,
      definition({
        group: 'versions.example.com',
        versions: [version(), version(undefined, { name: 'v2', storage: false })],
      }),
    )
    await install(
      server,
      definition({ group: 'versions.example.com', kind: 'Raft', versions: [version(undefined, { name: 'v3' })] }),
    )
    for (const [name, kind] of [
      ['v1', 'Boat'],
      ['v2', 'Boat'],
      ['v3', 'Raft'],
    ])
      expect(Object.keys(await published('versions.example.com', name))).toContain(
        `com.example.versions.${name}.${kind}`,
      )
  })
})
