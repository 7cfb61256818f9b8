import { describe, expect, test } from 'vitest'
import { allKinds } from '../kinds/all.ts'
import { defineKind, type KindDefinition } from '../kind.ts'
import { resource } from '../resource.ts'
import { loadDocs } from './docs.ts'
import { openApiV2 } from './open-api-v2.ts'
import { openApiV3 } from './open-api-v3.ts'

const kind = (
  group: string,
  version: string,
  plural: string,
  name: string,
  more: Partial<KindDefinition> = {},
): KindDefinition =>
  defineKind({
    resource: resource(group, version, plural, name),
    model: `V1${name}`,
    singular: name.toLowerCase(),
    columns: [],
    row: () => [],
    ...more,
  })
const pod = kind('', 'v1', 'pods', 'Pod', { subresources: { status: { prepare: () => {} } } })
const boat = kind('example.com', 'v1', 'boats', 'Boat', {
  openApiSchema: {
    type: 'object',
    properties: { spec: { type: 'object', properties: { oars: { type: 'integer' } } } },
  },
})

interface Document {
  paths: Record<string, Record<string, object>>
  components: { schemas: Record<string, unknown> }
  definitions: Record<string, unknown>
}

/** Every `$ref` in the document, by the definition it names. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner.split('/').at(-1)!] : references(inner),
  )
}

describe('OpenAPI', () => {
  test('has the subresources that are of a kind of their own, or text', () => {
    const { paths } = openApiV2(allKinds) as {
      paths: Record<
        string,
        Record<string, { operationId: string; responses: object; 'x-kubernetes-group-version-kind': object }>
      >
    }
    const ids = (path: string): string[] =>
      Object.values(paths[path] ?? {}).flatMap(({ operationId }) => operationId ?? [])
    const [core, pod] = ['/api/v1/namespaces', '/api/v1/namespaces/{namespace}/pods/{name}']
    expect(ids('/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale')).toEqual([
      'readAppsV1NamespacedDeploymentScale',
      'replaceAppsV1NamespacedDeploymentScale',
      'patchAppsV1NamespacedDeploymentScale',
    ])
    expect(paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale']!['get']).toMatchObject({
      responses: { 200: { schema: { $ref: '#/definitions/io.k8s.api.autoscaling.v1.Scale' } } },
      'x-kubernetes-group-version-kind': { group: 'autoscaling', kind: 'Scale', version: 'v1' },
    })
    expect(ids(`${pod}/eviction`)).toEqual(['createCoreV1NamespacedPodEviction'])
    expect(ids(`${pod}/binding`)).toEqual(['createCoreV1NamespacedPodBinding'])
    expect(ids(`${core}/{namespace}/serviceaccounts/{name}/token`)).toEqual([
      'createCoreV1NamespacedServiceAccountToken',
    ])
    expect(ids(`${core}/{name}/finalize`)).toEqual(['replaceCoreV1NamespaceFinalize'])
    expect(paths[`${pod}/log`]!['get']).toMatchObject({
      operationId: 'readCoreV1NamespacedPodLog',
      responses: { 200: { schema: { type: 'string' } } },
    })
  })

  test('has the connections with their options, in both versions', async () => {
    const path = '/api/v1/namespaces/{namespace}/pods/{name}/exec'
    const parameters = ['command', 'container', 'name', 'namespace', 'stderr', 'stdin', 'stdout', 'tty']
    const documents = [
      openApiV2(allKinds),
      openApiV3(
        'v1',
        allKinds.filter(({ resource }) => resource.group === ''),
        await loadDocs(),
      ),
    ] as { paths: Record<string, { get: object; parameters: { name: string; in: string }[] }> }[]
    for (const { paths } of documents) {
      expect(paths[path]!.get).toMatchObject({
        operationId: 'connectCoreV1GetNamespacedPodExec',
        'x-kubernetes-action': 'connect',
        'x-kubernetes-group-version-kind': { group: '', kind: 'PodExecOptions', version: 'v1' },
      })
      expect(paths[path]!.parameters.map(({ name }) => name)).toEqual(parameters)
      expect(Object.keys(paths['/api/v1/nodes/{name}/proxy/{path}']!)).toEqual([
        'delete',
        'get',
        'head',
        'options',
        'patch',
        'post',
        'put',
        'parameters',
      ])
      expect(paths['/api/v1/nodes/{name}/proxy/{path}']!.parameters).toMatchObject([
        { name: 'name', in: 'path' },
        { name: 'path', in: 'path' },
        { name: 'path', in: 'query' },
      ])
    }
  })

  test('version 3 has paths, schemas with the extensions, and no dangling reference', async () => {
    const document = openApiV3('v1', [pod], await loadDocs()) as Document
    expect(Object.keys(document.paths)).toEqual([
      '/api/v1/',
      '/api/v1/namespaces/{namespace}/pods',
      '/api/v1/namespaces/{namespace}/pods/{name}',
      '/api/v1/namespaces/{namespace}/pods/{name}/status',
      '/api/v1/pods',
      '/api/v1/watch/namespaces/{namespace}/pods',
      '/api/v1/watch/namespaces/{namespace}/pods/{name}',
      '/api/v1/watch/pods',
    ])
    expect(document.paths['/api/v1/namespaces/{namespace}/pods/{name}']).toMatchObject({
      patch: {
        operationId: 'patchCoreV1NamespacedPod',
        'x-kubernetes-action': 'patch',
        'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'Pod' },
      },
      get: {
        responses: {
          200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/io.k8s.api.core.v1.Pod' } } } },
        },
      },
    })
    expect(JSON.stringify(document.paths['/api/v1/namespaces/{namespace}/pods/{name}']!.patch)).toContain(
      '"name":"fieldValidation","in":"query"',
    )
    const { schemas } = document.components
    expect(schemas['io.k8s.api.core.v1.Pod']).toMatchObject({
      'x-kubernetes-group-version-kind': [{ group: '', kind: 'Pod', version: 'v1' }],
      properties: { spec: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.PodSpec' }] } },
    })
    expect(schemas['io.k8s.api.core.v1.PodSpec']).toMatchObject({
      required: ['containers'],
      properties: {
        containers: {
          type: 'array',
          description: expect.stringContaining('List of containers') as unknown,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          'x-kubernetes-patch-strategy': 'merge',
          'x-kubernetes-patch-merge-key': 'name',
        },
      },
    })
    expect(references(document).filter(name => schemas[name] === undefined)).toEqual([])
  })

  test('custom resources are described by their own schema', () => {
    const document = openApiV3('example.com/v1', [boat]) as Document
    expect(document.components.schemas['com.example.v1.Boat']).toMatchObject({
      properties: { spec: { properties: { oars: { type: 'integer' } } }, metadata: {} },
      'x-kubernetes-group-version-kind': [{ group: 'example.com', kind: 'Boat', version: 'v1' }],
    })
    expect(references(document).filter(name => document.components.schemas[name] === undefined)).toEqual([])
  })

  test('version 2 has everything in one', () => {
    const document = openApiV2([pod, boat]) as Document
    expect(references(document).filter(name => document.definitions[name] === undefined)).toEqual([])
    expect(Object.keys(document.paths)).toContain('/apis/example.com/v1/namespaces/{namespace}/boats/{name}')
  })
})
