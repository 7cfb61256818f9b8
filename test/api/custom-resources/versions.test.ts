// Several versions of a custom kind, its status and scale, and what clients learn about it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JSONSchemaProps as Schema } from '../../../src/api/generated/models.ts'
import { resource } from '../../../src/api/resource.ts'
import {
  change,
  definition,
  definitionsPath,
  established,
  install,
  uninstalled,
  version,
} from '../../../src/testing/custom-resources.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { startTestServer, type TestServer } from '../../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const merge = { 'Content-Type': 'application/merge-patch+json' }
const text = (field: string): Schema => ({
  type: 'object',
  properties: { [field]: { type: 'string' }, both: { type: 'string' } },
})

describe('versions', () => {
  const path = (name: string): string => `/apis/versions.example.com/${name}/namespaces/default/boats`

  test('show one stored object, each with its own fields', async () => {
    await install(
      server,
      definition({
        group: 'versions.example.com',
        versions: [version(text('old'), { name: 'v1beta1', storage: false, deprecated: true }), version(text('new'))],
      }),
    )
    const created = await server.call('POST', path('v1beta1'), {
      body: {
        apiVersion: 'versions.example.com/v1beta1',
        kind: 'Boat',
        metadata: { name: 'a' },
        spec: { old: 'x', both: 'y' },
      },
    })
    expect(created.json).toMatchObject({ apiVersion: 'versions.example.com/v1beta1', metadata: { name: 'a' } })
    expect((await server.call('GET', `${path('v1')}/a`)).json).toMatchObject({
      apiVersion: 'versions.example.com/v1',
      spec: { both: 'y' },
    })
    expect((await server.call('GET', path('v1beta1'))).json.items[0]).toMatchObject({
      apiVersion: 'versions.example.com/v1beta1',
      kind: 'Boat',
      spec: { both: 'y' },
    })
    const watched = await server.call('GET', `${path('v1beta1')}?watch=true&timeoutSeconds=1`)
    expect(JSON.parse(watched.text.split('\n')[0]!).object.apiVersion).toBe('versions.example.com/v1beta1')
  })

  test('that are deprecated say so', async () => {
    expect((await server.call('GET', path('v1beta1'))).headers.warning).toBe(
      '299 - "versions.example.com/v1beta1 Boat is deprecated; use versions.example.com/v1 Boat"',
    )
    expect((await server.call('GET', path('v1'))).headers.warning).toBeUndefined()
    const current = (await server.call('GET', `${definitionsPath}/boats.versions.example.com`)).json
    current.spec.versions[0].deprecationWarning = 'go away'
    await server.call('PUT', `${definitionsPath}/boats.versions.example.com`, { body: current })
    expect((await server.call('GET', path('v1beta1'))).headers.warning).toBe('299 - "go away"')
  })

  test('may take over as the one that is stored, and are remembered until nothing is stored in them', async () => {
    const turned = await change(server, 'boats.versions.example.com', {
      versions: [version(text('both'), { name: 'v1', storage: false }), version(text('both'), { name: 'v2' })],
    })
    expect(turned.json.status.storedVersions).toEqual(['v1', 'v2'])
    expect((await server.call('GET', `${path('v2')}/a`)).json).toMatchObject({
      apiVersion: 'versions.example.com/v2',
      spec: { both: 'y' },
    })
    const without = await change(server, 'boats.versions.example.com', {
      versions: [version(text('both'), { name: 'v2' })],
    })
    expect(without.json.message).toContain(
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version',
    )
    const before = (await server.call('GET', `${path('v2')}/a`)).json.metadata.resourceVersion as string
    const migrated = await server.call('PATCH', `${path('v2')}/a`, { body: {}, headers: merge })
    expect(migrated.json.metadata.resourceVersion).not.toBe(before)
    const again = await server.call('PATCH', `${path('v2')}/a`, { body: {}, headers: merge })
    expect(again.json.metadata.resourceVersion).toBe(migrated.json.metadata.resourceVersion)
    await server.call('PATCH', `${definitionsPath}/boats.versions.example.com/status`, {
      body: { status: { storedVersions: ['v2'] } },
      headers: merge,
    })
    expect(
      (await change(server, 'boats.versions.example.com', { versions: [version(text('both'), { name: 'v2' })] }))
        .status,
    ).toBe(200)
    expect((await server.call('GET', `${path('v1')}/a`)).status).toBe(404)
    expect((await server.call('GET', `${path('v2')}/a`)).status).toBe(200)
  })

  test('that change end the watches of what they were', async () => {
    const seen: string[] = []
    for await (const { object } of server.remote.watch(resource('versions.example.com', 'v2', 'boats', 'Boat'), {
      namespace: 'default',
    })) {
      seen.push(object.metadata.name)
      await change(server, 'boats.versions.example.com', { versions: [version(text('more'), { name: 'v2' })] })
    }
    expect(seen).toEqual(['a'])
  })
})

describe('status', () => {
  const path = '/apis/status.example.com/v1/namespaces/default/boats'
  const schema: Schema = { type: 'object', properties: { a: { type: 'string' } } }

  beforeAll(async () => {
    await install(
      server,
      definition({
        group: 'status.example.com',
        versions: [
          version(
            schema,
            { subresources: { status: {} } },
            { status: { type: 'object', properties: { n: { type: 'integer' } } } },
          ),
        ],
      }),
    )
    await install(server, definition({ group: 'status.example.com', kind: 'Plain', versions: [version(schema)] }))
  })

  test('is written apart, and does not count as a new generation', async () => {
    const created = await server.call('POST', path, {
      body: { metadata: { name: 'a' }, spec: { a: '1' }, status: { n: 1 } },
    })
    expect([created.json.status, created.json.metadata.generation]).toEqual([undefined, 1])
    const updated = await server.call('PUT', `${path}/a/status`, {
      body: {
        ...created.json,
        metadata: { ...created.json.metadata, labels: { ignored: 'yes' } },
        spec: { a: 'ignored' },
        status: { n: 2 },
      },
    })
    expect([
      updated.json.status,
      updated.json.spec,
      updated.json.metadata.labels,
      updated.json.metadata.generation,
    ]).toEqual([{ n: 2 }, { a: '1' }, undefined, 1])
    expect(
      updated.json.metadata.managedFields.map(({ subresource }: { subresource?: string }) => subresource),
    ).toContain('status')
    const spec = await server.call('PATCH', `${path}/a`, {
      body: { spec: { a: '2' }, status: { n: 9 } },
      headers: merge,
    })
    expect([spec.json.status, spec.json.spec, spec.json.metadata.generation]).toEqual([{ n: 2 }, { a: '2' }, 2])
    const wrong = await server.call('PATCH', `${path}/a/status`, { body: { status: { n: 'x' } }, headers: merge })
    expect([wrong.status, wrong.json.message]).toEqual([
      422,
      'Boat.status.example.com "a" is invalid: status.n: Invalid value: "string": n in body must be of type integer: "string"',
    ])
  })

  test('is a field like others without the subresource', async () => {
    const plain = '/apis/status.example.com/v1/namespaces/default/plains'
    const created = await server.call('POST', plain, { body: { metadata: { name: 'a' }, spec: {}, status: { x: 1 } } })
    expect(created.json.status).toEqual({ x: 1 })
    expect(
      (await server.call('PATCH', `${plain}/a`, { body: { status: { x: 2 } }, headers: merge })).json.metadata
        .generation,
    ).toBe(2)
    expect((await server.call('GET', `${plain}/a/status`)).status).toBe(404)
  })
})

describe('scale', () => {
  const path = '/apis/scale.example.com/v1/namespaces/default/boats'

  test('reads and writes where the definition says', async () => {
    const scale = {
      specReplicasPath: '.spec.crew.size',
      statusReplicasPath: '.status.size',
      labelSelectorPath: '.status.selector',
    }
    await install(
      server,
      definition({
        group: 'scale.example.com',
        versions: [version(undefined, { subresources: { status: {}, scale } })],
      }),
    )
    await server.call('POST', path, { body: { metadata: { name: 'a' }, spec: { crew: { size: 2 } } } })
    await server.call('PATCH', `${path}/a/status`, {
      body: { status: { size: 1, selector: 'app=boat' } },
      headers: merge,
    })
    const found = await server.call('GET', `${path}/a/scale`)
    expect(found.json).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 2 },
      status: { replicas: 1, selector: 'app=boat' },
    })
    expect(
      (await server.call('PUT', `${path}/a/scale`, { body: { ...found.json, spec: { replicas: 5 } } })).json.spec,
    ).toEqual({ replicas: 5 })
    expect((await server.call('GET', `${path}/a`)).json.spec).toEqual({ crew: { size: 5 } })
    const negative = await server.call('PATCH', `${path}/a`, { body: { spec: { crew: { size: -1 } } }, headers: merge })
    expect(negative.json.message).toContain('.spec.crew.size: Invalid value: -1: should be a non-negative integer')
    await server.call('POST', path, { body: { metadata: { name: 'b' }, spec: {} } })
    const none = await server.call('GET', `${path}/b/scale`)
    expect([none.status, none.json.message]).toEqual([400, 'the spec replicas field ".spec.crew.size" does not exist'])
  })
})

describe('what clients learn', () => {
  const schema: Schema = {
    type: 'object',
    description: 'What a boat is',
    required: ['oars'],
    properties: {
      oars: { type: 'integer', description: 'How many' },
      port: { 'x-kubernetes-int-or-string': true },
      any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      inner: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    },
  }
  const group = 'learn.example.com'
  const document = async (
    name = 'v1',
  ): Promise<
    { components: { schemas: Record<string, { properties: Record<string, unknown> }> }; paths: object } | undefined
  > => {
    const answer = await server.call('GET', `/openapi/v3/apis/${group}/${name}`)
    return answer.status === 200 ? answer.json : undefined
  }

  beforeAll(() =>
    install(
      server,
      definition({
        group,
        names: { shortNames: ['bt'], categories: ['all'], listKind: 'Fleet' },
        versions: [
          version(schema, {
            subresources: { status: {}, scale: { specReplicasPath: '.spec.oars', statusReplicasPath: '.status.oars' } },
          }),
        ],
      }),
    ),
  )

  test('CustomResourceDefinition resources [Privileged:ClusterAdmin] should include custom resource definition resources in discovery documents', async () => {
    const groups = (await server.call('GET', '/apis')).json.groups as { name: string; preferredVersion: object }[]
    expect(groups.map(({ name }) => name)).toEqual(expect.arrayContaining(['apiextensions.k8s.io', group]))
    expect(
      (await server.call('GET', '/apis/apiextensions.k8s.io/v1')).json.resources.map(
        ({ name }: { name: string }) => name,
      ),
    ).toContain('customresourcedefinitions')
    expect((await server.call('GET', `/apis/${group}`)).json.preferredVersion).toEqual({
      groupVersion: `${group}/v1`,
      version: 'v1',
    })
    const { resources } = (await server.call('GET', `/apis/${group}/v1`)).json
    expect(resources).toEqual([
      {
        name: 'boats',
        singularName: 'boat',
        namespaced: true,
        kind: 'Boat',
        verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
        shortNames: ['bt'],
        categories: ['all'],
      },
      {
        name: 'boats/scale',
        singularName: '',
        namespaced: true,
        group: 'autoscaling',
        version: 'v1',
        kind: 'Scale',
        verbs: ['get', 'patch', 'update'],
      },
      { name: 'boats/status', singularName: '', namespaced: true, kind: 'Boat', verbs: ['get', 'patch', 'update'] },
    ])
  })

  test('AggregatedDiscovery should support aggregated discovery interface for CRDs; AggregatedDiscovery should support raw aggregated discovery request for CRDs', async () => {
    const accept = { Accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' }
    const first = await server.call('GET', '/apis', { headers: accept })
    const found = first.json.items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === group)
    expect(found.versions[0]).toMatchObject({
      version: 'v1',
      freshness: 'Current',
      resources: [
        {
          resource: 'boats',
          scope: 'Namespaced',
          responseKind: { group, version: 'v1', kind: 'Boat' },
          categories: ['all'],
          shortNames: ['bt'],
        },
      ],
    })
    const tag = { ...accept, 'If-None-Match': first.headers.etag as string }
    expect((await server.call('GET', '/apis', { headers: tag })).status).toBe(304)
    await install(server, definition({ group: 'later.example.com' }))
    const second = await server.call('GET', '/apis', { headers: tag })
    expect(second.json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toContain(
      'later.example.com',
    )
    await server.call('DELETE', `${definitionsPath}/boats.later.example.com`)
    await uninstalled(server, 'boats.later.example.com')
    expect((await server.call('GET', '/apis', { headers: accept })).text).not.toContain('later.example.com')
  })

  test('CustomResourcePublishOpenAPI works for CRD with validation schema', async () => {
    const { schemas } = (await document())!.components
    const boat = schemas['com.example.learn.v1.Boat'] as never as {
      properties: { spec: Schema }
      'x-kubernetes-group-version-kind': object
    }
    expect(boat.properties.spec).toMatchObject({
      description: 'What a boat is',
      required: ['oars'],
      properties: { oars: { type: 'integer', description: 'How many' } },
    })
    expect(boat.properties.spec.properties!.inner).toMatchObject({
      required: ['kind', 'apiVersion'],
      properties: {
        metadata: { allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }] },
      },
    })
    expect(boat['x-kubernetes-group-version-kind']).toEqual([{ group, kind: 'Boat', version: 'v1' }])
    expect(schemas['com.example.learn.v1.Fleet']!.properties.items).toEqual({
      type: 'array',
      items: { $ref: '#/components/schemas/com.example.learn.v1.Boat' },
    })
    const v2 = (await server.call('GET', '/openapi/v2')).json
    expect(v2.definitions['com.example.learn.v1.Boat'].properties.spec.properties).toMatchObject({
      oars: { type: 'integer' },
      any: { 'x-kubernetes-preserve-unknown-fields': true },
    })
    expect(v2.definitions['com.example.learn.v1.Boat'].properties.spec.properties.any.type).toBeUndefined()
    expect(v2.paths[`/apis/${group}/v1/namespaces/{namespace}/boats`].post['x-kubernetes-group-version-kind']).toEqual({
      group,
      kind: 'Boat',
      version: 'v1',
    })
  })

  test('CustomResourcePublishOpenAPI works for CRD preserving unknown fields at the schema root, and in an embedded object', async () => {
    await install(
      server,
      definition({
        group: 'root.example.com',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      }),
    )
    const { schemas } = (await server.call('GET', '/openapi/v3/apis/root.example.com/v1')).json.components
    expect(schemas['com.example.root.v1.Boat']['x-kubernetes-preserve-unknown-fields']).toBe(true)
    expect((await server.call('GET', '/openapi/v2')).json.definitions['com.example.root.v1.Boat']).toEqual({
      type: 'object',
      'x-kubernetes-group-version-kind': [{ group: 'root.example.com', kind: 'Boat', version: 'v1' }],
    })
    const strict = await server.call(
      'POST',
      '/apis/root.example.com/v1/namespaces/default/boats?fieldValidation=Strict',
      { body: { metadata: { name: 'a' }, anything: 1 } },
    )
    expect([strict.status, strict.json.anything]).toEqual([201, 1])
  })

  test('CustomResourcePublishOpenAPI updates the published spec when one version gets renamed', async () => {
    const hash = async (): Promise<string> =>
      (await server.call('GET', '/openapi/v3')).json.paths[`apis/${group}/v1`]?.serverRelativeURL
    const before = await hash()
    await change(server, `boats.${group}`, {
      versions: [version(schema), version(schema, { name: 'v3', storage: false })],
    })
    expect(Object.keys((await document('v3'))!.components.schemas)).toContain('com.example.learn.v3.Boat')
    expect(await hash()).not.toBe(before)
    await change(server, `boats.${group}`, {
      versions: [version(schema), version(schema, { name: 'v4', storage: false })],
    })
    expect(await document('v3')).toBeUndefined()
    expect(await document('v4')).toBeDefined()
  })

  test('CustomResourcePublishOpenAPI removes definition from spec when one version gets changed to not be served', async () => {
    await change(server, `boats.${group}`, {
      versions: [version(schema), version(schema, { name: 'v4', storage: false, served: false })],
    })
    expect(await document('v4')).toBeUndefined()
    expect((await server.call('GET', '/openapi/v2')).text).not.toContain('com.example.learn.v4')
    expect(await document()).toBeDefined()
  })

  test('CustomResourcePublishOpenAPI works for multiple CRDs of same group and version but different kinds', async () => {
    await install(server, definition({ group, kind: 'Raft' }))
    const names = Object.keys((await document())!.components.schemas)
    expect(names).toEqual(
      expect.arrayContaining([
        'com.example.learn.v1.Boat',
        'com.example.learn.v1.Raft',
        'com.example.learn.v1.RaftList',
      ]),
    )
  })
})

test('CustomResourceDefinition Watch [Privileged:ClusterAdmin] CustomResourceDefinition Watch watch on custom resource definition objects', async () => {
  const before = (await server.call('GET', definitionsPath)).json.metadata.resourceVersion as string
  await install(server, definition({ group: 'watch.example.com' }))
  await established(server, 'boats.watch.example.com')
  await server.call('DELETE', `${definitionsPath}/boats.watch.example.com`)
  await eventually(
    'it is gone',
    async () => (await server.call('GET', `${definitionsPath}/boats.watch.example.com`)).status === 404,
  )
  const watched = await server.call(
    'GET',
    `${definitionsPath}?watch=true&resourceVersion=${before}&fieldSelector=metadata.name%3Dboats.watch.example.com&timeoutSeconds=1`,
  )
  const types = watched.text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).type as string)
  expect([types[0], types.at(-1)]).toEqual(['ADDED', 'DELETED'])
  expect(types).toContain('MODIFIED')
})
