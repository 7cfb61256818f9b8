// Conformance of what all kinds share: discovery, watches, lists in chunks, tables, unknown fields,
// namespaces, admission policies.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { Api, type Json, type Watch } from './api.ts'
import { replace, rootOf } from './operations.ts'

let cluster: TestCluster
let store: Store
let api: Api
let namespace: string
beforeAll(async () => {
  store = new MemoryStore()
  cluster = await startTestCluster({ nodes: 1, store })
  api = new Api(cluster.server)
})
afterAll(() => cluster.stop())
beforeEach(async () => {
  namespace = await api.namespace()
})

const configMaps = (): string => `/api/v1/namespaces/${namespace}/configmaps`
const template = {
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image: 'sampan.local/busybox:1' }] },
}
const deployment = (name: string, spec: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { replicas: 1, selector: { matchLabels: { app: 'x' } }, template, ...spec },
})

describe('discovery', () => {
  test('Discovery should validate PreferredVersion for each APIGroup [Conformance]', async () => {
    const { groups } = await api.get('/apis')
    expect(groups.length).toBeGreaterThan(10)
    for (const { name } of groups) {
      const { preferredVersion, versions } = await api.get(`/apis/${name}`)
      expect(versions).toContainEqual(preferredVersion)
      expect(preferredVersion.groupVersion).toBe(`${name}/${preferredVersion.version}`)
    }
  })

  test('Discovery should locate the groupVersion and a resource within each APIGroup [Conformance]', async () => {
    for (const [path, groupVersion, resource] of [
      ['/api/v1', 'v1', 'namespaces'],
      ['/apis/apps/v1', 'apps/v1', 'deployments'],
      ['/apis/batch/v1', 'batch/v1', 'jobs'],
      ['/apis/events.k8s.io/v1', 'events.k8s.io/v1', 'events'],
    ] as const) {
      const list = await api.get(path)
      expect(list.groupVersion).toBe(groupVersion)
      expect(list.resources.map((one: Json) => one.name)).toContain(resource)
    }
    for (const { name, versions } of (await api.get('/apis')).groups) {
      for (const { version, groupVersion } of versions)
        expect(await api.get(rootOf(name, version))).toMatchObject({ groupVersion })
    }
  })

  test('server version should find the server version [Conformance]', async () => {
    const { major, minor } = await api.get('/version')
    expect([major, minor].every(part => /^\d+$/.test(part))).toBe(true)
  })

  const accept = { Accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' }
  test('AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers [Conformance]', async () => {
    const { status, headers, json } = await api.answer('GET', '/apis', undefined, accept)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe(accept.Accept)
    expect(json).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' })
  })

  test('AggregatedDiscovery should support aggregated discovery interface [Conformance]', async () => {
    const [core, rest] = await Promise.all(
      ['/api', '/apis'].map(async path => (await api.answer('GET', path, undefined, accept)).json.items as Json[]),
    )
    const found = [...core!, ...rest!].flatMap(group =>
      group.versions.flatMap((version: Json) =>
        version.resources.map(
          (resource: Json) => `${group.metadata.name ?? ''}/${version.version}/${resource.resource}`,
        ),
      ),
    )
    expect(found).toEqual(
      expect.arrayContaining([
        '/v1/namespaces',
        '/v1/pods',
        'apps/v1/deployments',
        'admissionregistration.k8s.io/v1/validatingadmissionpolicies',
        'apiregistration.k8s.io/v1/apiservices',
        'apiextensions.k8s.io/v1/customresourcedefinitions',
      ]),
    )
  })

  test('Servers with support for Table transformation should return a 406 for a backend which does not implement metadata [Conformance]', async () => {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace, verb: 'get', resource: 'pods' } },
    }
    const { status, json } = await api.answer(
      'POST',
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      review,
      { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    )
    expect({ status, reason: json.reason }).toEqual({ status: 406, reason: 'NotAcceptable' })
  })
})

describe('watches', () => {
  const configMap = (name: string, label = 'a'): object => ({ metadata: { name, labels: { 'watch-this': label } } })
  const watch = (label: string, from = ''): Promise<Watch> =>
    api.watch(
      configMaps(),
      `?labelSelector=${encodeURIComponent(`watch-this in (${label})`)}${from === '' ? '' : `&resourceVersion=${from}`}`,
    )
  const changes = (from: Watch): string[] =>
    from.events.map(({ type, object }) => `${type} ${object.metadata.name} ${object.data?.mutation ?? 0}`)
  const mutate = (name: string, mutation: string): Promise<Json> =>
    api.patch(`${configMaps()}/${name}`, { data: { mutation } })

  test('Watchers should observe add, update, and delete watch notifications on configmaps [Conformance]', async () => {
    const [a, b, both] = [await watch('a'), await watch('b'), await watch('a,b')]
    await api.post(configMaps(), configMap('first', 'a'))
    await mutate('first', '1')
    await mutate('first', '2')
    await api.delete(`${configMaps()}/first`)
    await api.post(configMaps(), configMap('second', 'b'))
    await api.delete(`${configMaps()}/second`)
    await Promise.all([
      b.next('DELETED'),
      both.next('DELETED', seen => seen.metadata.name === 'second'),
      a.next('DELETED'),
    ])
    const ofFirst = ['ADDED first 0', 'MODIFIED first 1', 'MODIFIED first 2', 'DELETED first 2']
    const ofSecond = ['ADDED second 0', 'DELETED second 0']
    expect([changes(a), changes(b), changes(both)]).toEqual([ofFirst, ofSecond, [...ofFirst, ...ofSecond]])
    for (const one of [a, b, both]) one.close()
  })

  test('Watchers should be able to start watching from a specific resource version [Conformance]', async () => {
    await api.post(configMaps(), configMap('c'))
    const { metadata } = await mutate('c', '1')
    await mutate('c', '2')
    await api.delete(`${configMaps()}/c`)
    const late = await watch('a', metadata.resourceVersion)
    await late.next('DELETED')
    expect(changes(late)).toEqual(['MODIFIED c 2', 'DELETED c 2'])
    late.close()
  })

  test('Watchers should be able to restart watching from the last resource version observed by the previous watch [Conformance]', async () => {
    const before = await watch('a')
    await api.post(configMaps(), configMap('c'))
    await mutate('c', '1')
    const last = await before.next('MODIFIED')
    before.close()
    await mutate('c', '2')
    await api.delete(`${configMaps()}/c`)
    const after = await watch('a', last.metadata.resourceVersion)
    await after.next('DELETED')
    expect(changes(after)).toEqual(['MODIFIED c 2', 'DELETED c 2'])
    after.close()
  })

  test('Watchers should observe an object deletion if it stops meeting the requirements of the selector [Conformance]', async () => {
    const watching = await watch('a')
    await api.post(configMaps(), configMap('c'))
    await mutate('c', '1')
    const relabel = (label: string): Promise<Json> =>
      api.patch(`${configMaps()}/c`, { metadata: { labels: { 'watch-this': label } } })
    await relabel('other')
    await mutate('c', '2')
    await relabel('a')
    await mutate('c', '3')
    await api.delete(`${configMaps()}/c`)
    await watching.next('DELETED', seen => seen.data.mutation === '3')
    expect(changes(watching)).toEqual([
      'ADDED c 0',
      'MODIFIED c 1',
      'DELETED c 1',
      'ADDED c 2',
      'MODIFIED c 3',
      'DELETED c 3',
    ])
    watching.close()
  })

  test('Watchers should receive events on concurrent watches in same order [Conformance]', async () => {
    const versions = (of: Watch): string[] => of.events.map(({ object }) => object.metadata.resourceVersion)
    const first = await api.watch(configMaps(), '?labelSelector=watch-this')
    await Promise.all(
      Array.from({ length: 4 }, async (_, writer) => {
        await api.post(configMaps(), configMap(`c${writer}`))
        for (const round of [1, 2, 3, 4]) await mutate(`c${writer}`, `${round}`)
        await api.delete(`${configMaps()}/c${writer}`)
      }),
    )
    await api.post(configMaps(), configMap('end'))
    await first.next('ADDED', seen => seen.metadata.name === 'end')
    expect(first.events).toHaveLength(25)
    for (const [index, version] of versions(first).entries()) {
      const again = await api.watch(configMaps(), `?labelSelector=watch-this&resourceVersion=${version}`)
      if (index < 24) await again.next('ADDED', seen => seen.metadata.name === 'end')
      expect(versions(again)).toEqual(versions(first).slice(index + 1))
      again.close()
    }
    first.close()
  })
})

describe('lists in chunks', () => {
  const templates = (): string => `/api/v1/namespaces/${namespace}/podtemplates`
  beforeEach(() =>
    Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        api.post(templates(), { metadata: { name: `template-${String(index).padStart(4, '0')}` }, template }),
      ),
    ),
  )

  test('Servers with support for API chunking should return chunks of results for list calls [Conformance]', async () => {
    const names: string[] = []
    let page = await api.get(`${templates()}?limit=7`)
    const { resourceVersion } = page.metadata
    for (;;) {
      names.push(...page.items.map((item: Json) => item.metadata.name))
      expect(page.metadata.resourceVersion).toBe(resourceVersion)
      if (page.metadata.continue === undefined) break
      expect(page.metadata.remainingItemCount).toBe(40 - names.length)
      page = await api.get(`${templates()}?limit=7&continue=${encodeURIComponent(page.metadata.continue)}`)
    }
    expect(names).toEqual(Array.from({ length: 40 }, (_, index) => `template-${String(index).padStart(4, '0')}`))
    expect(await api.items(templates())).toHaveLength(40)
  })

  test('Servers with support for API chunking should support continue listing from the last key if the original version has been compacted away, though the list is inconsistent [Slow] [Conformance]', async () => {
    const first = await api.get(`${templates()}?limit=10`)
    await api.delete(`${templates()}/template-0039`)
    await store.compact(Number((await api.get(`${templates()}?limit=1`)).metadata.resourceVersion))
    const { json, status } = await api.answer(
      'GET',
      `${templates()}?limit=10&continue=${encodeURIComponent(first.metadata.continue)}`,
    )
    expect({ status, reason: json.reason }).toEqual({ status: 410, reason: 'Expired' })
    expect(json.metadata.continue).toBeTruthy()
    const rest = await api.get(`${templates()}?limit=100&continue=${encodeURIComponent(json.metadata.continue)}`)
    expect(rest.items.map((item: Json) => item.metadata.name)).toEqual(
      Array.from({ length: 29 }, (_, index) => `template-${String(index + 10).padStart(4, '0')}`),
    )
  })
})

describe('unknown and duplicate fields', () => {
  const deployments = (): string => `/apis/apps/v1/namespaces/${namespace}/deployments`
  const text = (fields: string): string =>
    `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{${fields}"selector":{"matchLabels":{"app":"x"}},"template":${JSON.stringify(template)}}}`

  test('FieldValidation should detect unknown and duplicate fields of a typed object [Conformance]', async () => {
    const body = text('"unknownField":"u","replicas":1,"replicas":2,"paused":true,"paused":true,')
    const strict = await api.answer('POST', `${deployments()}?fieldValidation=Strict`, body)
    expect(strict.status).toBe(400)
    expect(strict.json.message).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.unknownField", duplicate field "spec.replicas", duplicate field "spec.paused"',
    )
    const warned = await api.answer('POST', `${deployments()}?fieldValidation=Warn`, body)
    expect(warned.status).toBe(201)
    expect([warned.headers.warning].flat().join()).toMatch(
      /unknown field \\"spec.unknownField\\".*duplicate field \\"spec.replicas\\".*duplicate field \\"spec.paused\\"/,
    )
    expect(warned.json.spec.replicas).toBe(2)
    const applied = await api.answer(
      'PATCH',
      `${deployments()}/e?fieldValidation=Strict&fieldManager=e2e`,
      body.replace('"d"', '"e"'),
      { 'Content-Type': 'application/apply-patch+yaml' },
    )
    expect(applied.json.message).toBe(
      'failed to create typed patch object (/e; apps/v1, Kind=Deployment): .spec.unknownField: field not declared in schema',
    )
  })

  test('FieldValidation should detect unknown metadata fields of a typed object [Conformance]', async () => {
    const body = text('').replace('"metadata":{"name":"d"}', '"metadata":{"name":"d","unknownMeta":"x"}')
    const strict = await api.answer('POST', `${deployments()}?fieldValidation=Strict`, body)
    expect(strict.json.message).toContain('strict decoding error: unknown field "metadata.unknownMeta"')
    expect((await api.answer('POST', `${deployments()}?fieldValidation=Ignore`, body)).status).toBe(201)
  })
})

describe('namespaces', () => {
  const path = (): string => `/api/v1/namespaces/${namespace}`

  test('Namespaces [Serial] should patch a Namespace [Conformance]', async () => {
    await api.patch(path(), { metadata: { labels: { testLabel: 'testValue' } } }, 'strategic')
    expect((await api.get(path())).metadata.labels).toMatchObject({ testLabel: 'testValue' })
  })

  test('Namespaces [Serial] should apply an update to a Namespace [Conformance]', async () => {
    const updated = await replace(api, path(), object => {
      object.metadata.labels[namespace] = 'updated'
    })
    expect(updated.metadata.labels[namespace]).toBe('updated')
  })

  test('Namespaces [Serial] should apply changes to a namespace status [Conformance]', async () => {
    expect((await api.get(`${path()}/status`)).status.phase).toBe('Active')
    const condition = (type: string): object => ({ type, status: 'True', reason: 'E2E', message: 'Set by the test' })
    const patched = await api.patch(`${path()}/status`, {
      metadata: { annotations: { patched: 'true' } },
      status: { conditions: [condition('StatusPatch')] },
    })
    expect(patched).toMatchObject({
      metadata: { annotations: { patched: 'true' } },
      status: { conditions: [condition('StatusPatch')] },
    })
    const updated = await replace(api, `${path()}/status`, object =>
      object.status.conditions.push(condition('StatusUpdate')),
    )
    expect(updated.status.conditions.map((one: Json) => one.type)).toEqual(['StatusPatch', 'StatusUpdate'])
  })

  test('Namespaces [Serial] should apply a finalizer to a Namespace [Conformance]', async () => {
    const finalizer = 'e2e.example.com/fakeFinalizer'
    const finalize = async (change: (names: string[]) => string[]): Promise<string[]> => {
      const object = await api.get(path())
      return (
        await api.put(`${path()}/finalize`, {
          ...object,
          spec: { ...object.spec, finalizers: change(object.spec.finalizers) },
        })
      ).spec.finalizers
    }
    expect(await finalize(names => [...names, finalizer])).toContain(finalizer)
    expect(await finalize(names => names.filter(name => name !== finalizer))).not.toContain(finalizer)
  })

  test.each([
    [
      'Namespaces [Serial] should ensure that all pods are removed when a namespace is deleted [Conformance]',
      'pods',
      { spec: template.spec },
    ],
    [
      'Namespaces [Serial] should ensure that all services are removed when a namespace is deleted [Conformance]',
      'services',
      { spec: { ports: [{ port: 80 }] } },
    ],
  ])('%s', async (_codename, plural, content) => {
    await api.post(`${path()}/${plural}`, { metadata: { name: 'x' }, ...content })
    await api.delete(path())
    await api.gone(path())
    await api.post('/api/v1/namespaces', { metadata: { name: namespace } })
    expect(await api.items(`${path()}/${plural}`)).toEqual([])
  })
})

describe('admission policies', () => {
  const root = '/apis/admissionregistration.k8s.io/v1'
  const deployments = (): string => `/apis/apps/v1/namespaces/${namespace}/deployments`
  const constraints = (): object => ({
    resourceRules: [
      { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
    ],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  })
  async function bind(kind: 'validating' | 'mutating', spec: object): Promise<void> {
    await api.post(`${root}/${kind}admissionpolicies`, {
      metadata: { name: namespace },
      spec: { matchConstraints: constraints(), ...spec },
    })
    await api.post(`${root}/${kind}admissionpolicybindings`, {
      metadata: { name: namespace },
      spec: { policyName: namespace, ...(kind === 'validating' && { validationActions: ['Deny'] }) },
    })
  }

  test('ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should validate against a Deployment [Conformance]', async () => {
    await bind('validating', {
      validations: [
        {
          expression: 'object.spec.replicas > 1',
          messageExpression: '"wants more than " + string(object.spec.replicas)',
        },
        { expression: 'namespaceObject.metadata.name == object.metadata.namespace', message: 'of another namespace' },
      ],
    })
    const denied = await api.refused(422, 'POST', deployments(), deployment('one'))
    expect(denied.message).toContain('wants more than 1')
    await api.post(deployments(), deployment('two', { replicas: 2 }))
  })

  test('ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should allow expressions to refer variables. [Conformance]', async () => {
    await bind('validating', {
      variables: [
        { name: 'replicas', expression: 'object.spec.replicas' },
        { name: 'oddReplicas', expression: 'variables.replicas % 2 == 1' },
      ],
      validations: [{ expression: 'variables.replicas > 1' }, { expression: 'variables.oddReplicas' }],
    })
    await api.refused(422, 'POST', deployments(), deployment('one'))
    await api.refused(422, 'POST', deployments(), deployment('two', { replicas: 2 }))
    await api.post(deployments(), deployment('three', { replicas: 3 }))
  })

  test('MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment [Conformance]', async () => {
    await bind('mutating', {
      reinvocationPolicy: 'Never',
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: 'Object{spec: Object.spec{replicas: object.spec.replicas + 100}}' },
        },
      ],
    })
    expect((await api.post(deployments(), deployment('d', { replicas: 1, paused: true }))).spec.replicas).toBe(101)
  })

  test('MutatingAdmissionPolicy [Privileged:ClusterAdmin] should mutate a Deployment with annotations [Conformance]', async () => {
    await bind('mutating', {
      reinvocationPolicy: 'Never',
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression: 'Object{metadata: Object.metadata{annotations: {"my-foo-annotation": "myAnnotationValue"}}}',
          },
        },
      ],
    })
    expect((await api.post(deployments(), deployment('d', { paused: true }))).metadata.annotations).toMatchObject({
      'my-foo-annotation': 'myAnnotationValue',
    })
  })
})
