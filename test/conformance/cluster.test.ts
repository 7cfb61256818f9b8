// Conformance of services and their endpoints, accounts, pods, scheduling and storage, as far as no
// container has to run.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'
import { publishClusterServices } from '../../src/main/cluster-services.ts'
import { Api, pathsIn, type Json } from './api.ts'
import { replace } from './operations.ts'

let cluster: TestCluster
let api: Api
let namespace: string
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 1 })
  api = new Api(cluster.server)
})
afterAll(() => cluster.stop())
beforeEach(async () => {
  namespace = await api.namespace()
})

const core = pathsIn(() => namespace)
const slices = (): string => `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`
const pod = (name: string, spec: object = {}, container: object = {}, metadata: object = {}): object => ({
  metadata: { name, labels: { app: 'x' }, ...metadata },
  spec: { containers: [{ name: 'c', image: 'sampan.local/busybox:1', ...container }], ...spec },
})
const running = (name: string): Promise<Json> =>
  api.until(core('pods', name), ({ status }) => status.phase === 'Running')

describe('network', () => {
  const service = (name: string, spec: object): object => ({
    metadata: { name },
    spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
  })
  const addresses = (name: string): Promise<string> =>
    api.get(core('endpoints', name)).then(({ subsets = [] }) =>
      subsets
        .map(
          (subset: Json) =>
            `${(subset.addresses ?? []).length}:${subset.ports.map((port: Json) => port.port).toSorted()}`,
        )
        .toSorted()
        .join(' '),
    )
  const addressesBecome = (name: string, expected: string): Promise<unknown> =>
    eventually(`endpoints ${expected}`, async () => (await addresses(name)) === expected)

  test('Services should be able to change the type from ExternalName to ClusterIP [Conformance]', async () => {
    await api.post(core('services'), {
      metadata: { name: 's' },
      spec: { type: 'ExternalName', externalName: 'example.com' },
    })
    const { spec } = await replace(api, core('services', 's'), object => {
      object.spec = { type: 'ClusterIP', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }
    })
    expect(spec.clusterIP).toMatch(/^10\.43\./)
    expect(spec.externalName).toBeUndefined()
  })

  test('Services should be able to change the type from ExternalName to NodePort [Conformance]', async () => {
    await api.post(core('services'), {
      metadata: { name: 's' },
      spec: { type: 'ExternalName', externalName: 'example.com' },
    })
    const { spec } = await replace(api, core('services', 's'), object => {
      object.spec = { type: 'NodePort', ports: [{ port: 80, protocol: 'TCP' }] }
    })
    expect(spec.clusterIP).toMatch(/^10\.43\./)
    expect(spec.ports[0].nodePort).toBeGreaterThanOrEqual(30_000)
  })

  test.each([
    ['Services should be able to change the type from ClusterIP to ExternalName [Conformance]', 'ClusterIP'],
    ['Services should be able to change the type from NodePort to ExternalName [Conformance]', 'NodePort'],
  ])('%s', async (_codename, type) => {
    await api.post(core('services'), service('s', { type }))
    const { spec } = await replace(api, core('services', 's'), object => {
      const { clusterIP: _, clusterIPs: _many, ...rest } = object.spec
      object.spec = { ...rest, type: 'ExternalName', externalName: 'example.com' }
    })
    expect(spec.clusterIP ?? '').toBe('')
    expect(spec.clusterIPs).toBeUndefined()
  })

  test('Services should serve a basic endpoint from pods [Conformance]', async () => {
    await api.post(core('services'), service('s', { selector: { app: 'x' } }))
    await api.until(core('endpoints', 's'), () => true)
    expect(await addresses('s')).toBe('')
    for (const [name, expected] of [
      ['a', '1:8080'],
      ['b', '2:8080'],
    ] as const) {
      await api.post(core('pods'), pod(name))
      await addressesBecome('s', expected)
    }
    await api.delete(core('pods', 'b'))
    await addressesBecome('s', '1:8080')
    await api.delete(core('pods', 'a'))
    await addressesBecome('s', '')
  })

  test('Services should serve multiport endpoints from pods [Conformance]', async () => {
    await api.post(
      core('services'),
      service('s', {
        selector: { app: 'x' },
        ports: [
          { name: 'one', port: 80, targetPort: 'one' },
          { name: 'two', port: 81, targetPort: 'two' },
        ],
      }),
    )
    await api.post(core('pods'), pod('a', {}, { ports: [{ name: 'one', containerPort: 100 }] }))
    await addressesBecome('s', '1:100')
    await api.post(core('pods'), pod('b', {}, { ports: [{ name: 'two', containerPort: 101 }] }))
    await addressesBecome('s', '1:100 1:101')
    await api.delete(core('pods', 'a'))
    await addressesBecome('s', '1:101')
    await api.delete(core('pods', 'b'))
    await addressesBecome('s', '')
  })

  test.each([
    'EndpointSlice should create and delete Endpoints and EndpointSlices for a Service with a selector specified [Conformance]',
    'EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods [Conformance]',
  ])('%s', async () => {
    await api.post(core('services'), service('s', { selector: { app: 'nobody' } }))
    await api.until(core('endpoints', 's'), () => true)
    expect(
      await eventually('a slice', async () => (await api.items(slices(), 'kubernetes.io/service-name=s'))[0]),
    ).toMatchObject({
      addressType: 'IPv4',
      metadata: { labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' } },
    })
    await api.delete(core('services', 's'))
    await api.gone(core('endpoints', 's'))
    await eventually(
      'the slice goes',
      async () => (await api.items(slices(), 'kubernetes.io/service-name=s')).length === 0,
    )
  })

  test.each([
    'EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service [Conformance]',
    'EndpointsController should create Endpoints for Pods matching a Service [Conformance]',
  ])('%s', async () => {
    await api.post(core('pods'), pod('a', {}, { ports: [{ name: 'web', containerPort: 3000 }] }))
    await api.post(
      core('pods'),
      pod('b', {}, { ports: [{ name: 'web', containerPort: 3001 }] }, { labels: { app: 'x', second: 'yes' } }),
    )
    for (const name of ['a', 'b']) await running(name)
    await api.post(
      core('services'),
      service('s', {
        selector: { app: 'x' },
        ports: [{ name: 'web', port: 80, targetPort: 'web' }],
        publishNotReadyAddresses: true,
      }),
    )
    await addressesBecome('s', '1:3000 1:3001')
    const ofSlices = await eventually('slices', async () => {
      const found = await api.items(slices(), 'kubernetes.io/service-name=s')
      return found.flatMap(slice => slice.endpoints ?? []).length === 2 && found
    })
    expect(new Set(ofSlices.map(slice => slice.ports[0].port))).toEqual(new Set([3000, 3001]))
    expect(
      new Set(ofSlices.flatMap(slice => slice.endpoints.map((endpoint: Json) => endpoint.targetRef.name))),
    ).toEqual(new Set(['a', 'b']))
  })

  test('Services should provide secure master service [Conformance]; EndpointSlice should have Endpoints and EndpointSlices pointing to API Server [Conformance]', async () => {
    await publishClusterServices(
      cluster.client,
      {
        serviceCidr: '10.43.0.0/16',
        podCidr: '10.42.0.0/24',
        nodeAddress: '192.0.2.1',
        dnsAddress: '10.43.0.10',
        domain: 'cluster.local',
      },
      [{ nodeName: 'n0', address: '192.0.2.1', port: 6443 }],
    )
    expect((await api.get('/api/v1/namespaces/default/services/kubernetes')).spec).toMatchObject({
      clusterIP: '10.43.0.1',
      ports: [{ name: 'https', port: 443 }],
    })
    expect((await api.get('/api/v1/namespaces/default/endpoints/kubernetes')).subsets).toEqual([
      { addresses: [{ ip: '192.0.2.1' }], ports: [{ name: 'https', port: 6443, protocol: 'TCP' }] },
    ])
    const [slice] = await api.items(
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
      'kubernetes.io/service-name=kubernetes',
    )
    expect(slice).toMatchObject({
      addressType: 'IPv4',
      endpoints: [{ addresses: ['192.0.2.1'] }],
      ports: [{ port: 6443 }],
    })
  })

  test('Services should find a service from listing all namespaces [Conformance]', async () => {
    await api.post(core('services'), service('listed', {}))
    expect(
      (await api.items('/api/v1/services')).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    ).toContain(`${namespace}/listed`)
  })
})

describe('auth', () => {
  test('ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace [Conformance]', async () => {
    const path = core('configmaps', 'kube-root-ca.crt')
    const { data, metadata } = await api.until(path, () => true)
    await api.delete(path)
    await api.until(path, again => again.metadata.uid !== metadata.uid)
    await api.patch(path, { data: { 'ca.crt': 'changed' } })
    await api.until(path, again => again.data['ca.crt'] === data['ca.crt'])
  })

  test('ServiceAccounts should allow opting out of API token automount [Conformance]', async () => {
    for (const account of [undefined, true, false]) {
      const name = `account-${account}`
      await api.post(core('serviceaccounts'), {
        metadata: { name },
        ...(account !== undefined && { automountServiceAccountToken: account }),
      })
      for (const own of [undefined, true, false]) {
        const { spec } = await api.post(
          core('pods'),
          pod(`p-${account}-${own}`, {
            serviceAccountName: name,
            ...(own !== undefined && { automountServiceAccountToken: own }),
          }),
        )
        const mounted = (spec.containers[0].volumeMounts ?? []).some(
          (mount: Json) => mount.mountPath === '/var/run/secrets/kubernetes.io/serviceaccount',
        )
        expect(mounted, `${account} ${own}`).toBe(own ?? account ?? true)
      }
    }
  })

  test('ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview [Conformance]', async () => {
    await api.post(core('serviceaccounts'), { metadata: { name: 'robot' } })
    const request = await api.post(`${core('serviceaccounts', 'robot')}/token`, { spec: { expirationSeconds: 3600 } })
    const review = await api.post('/apis/authentication.k8s.io/v1/tokenreviews', {
      spec: { token: request.status.token },
    })
    expect(review.status).toMatchObject({
      authenticated: true,
      user: {
        username: `system:serviceaccount:${namespace}:robot`,
        groups: expect.arrayContaining(['system:serviceaccounts', `system:serviceaccounts:${namespace}`]),
      },
    })
  })

  test('SubjectReview should support SubjectReview API operations [Conformance]', async () => {
    await api.post(core('serviceaccounts'), { metadata: { name: 'robot' } })
    const user = `system:serviceaccount:${namespace}:robot`
    const impersonated = await api.answer('GET', core('configmaps'), undefined, { 'Impersonate-User': user })
    const spec = { resourceAttributes: { verb: 'list', resource: 'configmaps', version: 'v1', namespace }, user }
    const review = await api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec })
    const local = await api.post(`/apis/authorization.k8s.io/v1/namespaces/${namespace}/localsubjectaccessreviews`, {
      metadata: { namespace },
      spec,
    })
    expect([review.status.allowed, local.status.allowed]).toEqual([
      impersonated.status === 200,
      impersonated.status === 200,
    ])
  })
})

describe('pods', () => {
  test('Pods should be submitted and removed [Conformance]', async () => {
    const watch = await api.watch(core('pods'), '?labelSelector=app=x')
    await api.post(core('pods'), pod('p'))
    await watch.next('ADDED')
    await running('p')
    const deleted = await api.delete(core('pods', 'p'), { gracePeriodSeconds: 30 })
    expect(deleted.metadata.deletionTimestamp).toBeDefined()
    await watch.next('DELETED')
    await api.gone(core('pods', 'p'))
    watch.close()
  })

  test('Pods should be updated [Conformance]', async () => {
    await api.post(core('pods'), pod('p'))
    await running('p')
    await replace(api, core('pods', 'p'), object => {
      object.metadata.labels.time = 'updated'
    })
    expect(await api.items(core('pods'), 'time=updated')).toHaveLength(1)
  })

  test('Pods should allow activeDeadlineSeconds to be updated [Conformance]: of what is stored', async () => {
    await api.post(core('pods'), pod('p'))
    await running('p')
    const updated = await replace(api, core('pods', 'p'), object => {
      object.spec.activeDeadlineSeconds = 5
    })
    expect(updated.spec.activeDeadlineSeconds).toBe(5)
  })

  test('Pods should delete a collection of pods [Conformance]', async () => {
    for (const name of ['a', 'b', 'c']) await api.post(core('pods'), pod(name, {}, {}, { labels: { type: 'Testing' } }))
    expect(await api.items(core('pods'), 'type=Testing')).toHaveLength(3)
    await api.delete(`${core('pods')}?labelSelector=type=Testing`)
    await eventually('they go', async () => (await api.items(core('pods'), 'type=Testing')).length === 0)
  })

  test('Pods should patch a pod status [Conformance]', async () => {
    await api.post(core('pods'), pod('p'))
    await running('p')
    const patched = await api.patch(`${core('pods', 'p')}/status`, {
      metadata: { annotations: { patched: 'true' } },
      status: { message: 'Patched by e2e test', reason: 'E2E' },
    })
    expect(patched).toMatchObject({
      metadata: { annotations: { patched: 'true' } },
      status: { message: 'Patched by e2e test', reason: 'E2E' },
    })
  })

  test('Pods should run through the lifecycle of Pods and PodStatus [Conformance]', async () => {
    const watch = await api.watch(core('pods'), '?labelSelector=static=true')
    await api.post(core('pods'), pod('p', { terminationGracePeriodSeconds: 1 }, {}, { labels: { static: 'true' } }))
    await watch.next('MODIFIED', ({ status }) => status.phase === 'Running')
    await api.patch(
      core('pods', 'p'),
      {
        metadata: { labels: { patched: 'true' } },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'c', image: 'other:1' }] },
      },
      'strategic',
    )
    const patched = await watch.next('MODIFIED', ({ metadata }) => metadata.labels.patched === 'true')
    expect(patched.spec.containers[0].image).toBe('other:1')
    const { status } = await replace(api, `${core('pods', 'p')}/status`, object => {
      object.status.conditions = object.status.conditions.map((one: Json) =>
        one.type === 'Ready' ? { ...one, status: 'False' } : one,
      )
    })
    expect(status.conditions.find((one: Json) => one.type === 'Ready').status).toBe('False')
    await watch.next('MODIFIED', seen =>
      seen.status.conditions.some((one: Json) => one.type === 'Ready' && one.status === 'False'),
    )
    expect(await api.items('/api/v1/pods', 'static=true')).toHaveLength(1)
    await api.delete(`${core('pods')}?labelSelector=static=true`)
    await watch.next('DELETED')
    watch.close()
  })

  test('Ephemeral Containers will start an ephemeral container in an existing pod [NodeConformance] [Conformance]: is stored', async () => {
    await api.post(core('pods'), pod('p'))
    await running('p')
    const body = { spec: { ephemeralContainers: [{ name: 'debugger', image: 'x:1', targetContainerName: 'c' }] } }
    const patched = await api.patch(`${core('pods', 'p')}/ephemeralcontainers`, body, 'strategic')
    expect(patched.spec.ephemeralContainers).toMatchObject([
      { name: 'debugger', terminationMessagePath: '/dev/termination-log' },
    ])
    const updated = await replace(api, `${core('pods', 'p')}/ephemeralcontainers`, object =>
      object.spec.ephemeralContainers.push({ name: 'second', image: 'x:1' }),
    )
    expect(updated.spec.ephemeralContainers).toHaveLength(2)
  })

  test('Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu [Conformance]', async () => {
    const resources = { cpu: '100m', memory: '100Mi' }
    expect(
      (await api.post(core('pods'), pod('p', {}, { resources: { limits: resources, requests: resources } }))).status
        .qosClass,
    ).toBe('Guaranteed')
  })

  test.each([
    ['ConfigMap should fail to create ConfigMap with empty key [Conformance]', 'configmaps', { data: { '': 'value' } }],
    [
      'Secrets should fail to create secret due to empty secret key [Conformance]',
      'secrets',
      { data: { '': 'dmFsdWU=' } },
    ],
  ])('%s', async (_codename, plural, content) => {
    const { reason } = await api.refused(422, 'POST', core(plural), { metadata: { name: 'x' }, ...content })
    expect(reason).toBe('Invalid')
  })

  test.each([
    ['ConfigMap should be immutable if `immutable` field is set [Conformance]', 'configmaps', { a: 'b' }],
    ['Secrets should be immutable if `immutable` field is set [Conformance]', 'secrets', { a: 'Yg==' }],
  ])('%s', async (_codename, plural, data) => {
    const path = core(plural, 'x')
    await api.post(core(plural), { metadata: { name: 'x' }, data })
    await api.patch(path, { data: { b: 'Yg==' } })
    await api.patch(path, { immutable: true })
    const current = await api.get(path)
    for (const body of [
      { ...current, data: { c: 'Yg==' } },
      { ...current, immutable: false },
      { ...current, immutable: undefined },
    ])
      await api.refused(422, 'PUT', path, body)
    await api.put(path, { ...current, metadata: { ...current.metadata, labels: { still: 'changeable' } } })
    await api.delete(path)
  })

  test('Sysctls [LinuxOnly] [NodeConformance] should reject invalid sysctls [MinimumKubeletVersion:1.21] [Conformance]', async () => {
    const { message } = await api.refused(
      422,
      'POST',
      core('pods'),
      pod('p', {
        securityContext: {
          sysctls: [
            { name: 'foo-', value: 'bar' },
            { name: 'kernel.shmmax', value: '100000000' },
            { name: 'safe-and-unsafe', value: '1' },
            { name: 'bar..', value: '42' },
          ],
        },
      }),
    )
    for (const place of [0, 3]) expect(message).toContain(`spec.securityContext.sysctls[${place}].name`)
    expect(message).not.toContain('sysctls[1]')
  })
})

describe('runtime classes', () => {
  const classes = '/apis/node.k8s.io/v1/runtimeclasses'

  test('RuntimeClass should reject a Pod requesting a non-existent RuntimeClass [NodeConformance] [Conformance]', async () => {
    const { message } = await api.refused(403, 'POST', core('pods'), pod('p', { runtimeClassName: 'nonexistent' }))
    expect(message).toContain('pod rejected: RuntimeClass "nonexistent" not found')
  })

  test('RuntimeClass should reject a Pod requesting a deleted RuntimeClass [NodeConformance] [Conformance]', async () => {
    await api.post(classes, { metadata: { name: 'short' }, handler: 'h' })
    await api.delete(`${classes}/short`)
    await api.refused(403, 'POST', core('pods'), pod('p', { runtimeClassName: 'short' }))
  })

  test('RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead [NodeConformance] [Conformance]', async () => {
    await api.post(classes, { metadata: { name: 'plain' }, handler: 'h' })
    await api.post(core('pods'), pod('p', { runtimeClassName: 'plain' }))
    expect((await running('p')).spec.overhead).toBeUndefined()
  })

  test('RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead [NodeConformance] [Conformance]', async () => {
    await api.post(classes, {
      metadata: { name: 'heavy' },
      handler: 'h',
      overhead: { podFixed: { cpu: '10m', memory: '1Mi' } },
    })
    await api.post(core('pods'), pod('p', { runtimeClassName: 'heavy' }))
    expect((await running('p')).spec.overhead).toEqual({ cpu: '10m', memory: '1Mi' })
  })
})

describe('scheduling', () => {
  const scheduled = (name: string): Promise<Json> =>
    api.until(core('pods', name), ({ spec }) => spec.nodeName !== undefined)
  const unschedulable = (name: string): Promise<Json> =>
    api.until(core('pods', name), ({ status }) =>
      (status.conditions ?? []).some(
        (one: Json) => one.type === 'PodScheduled' && one.status === 'False' && one.reason === 'Unschedulable',
      ),
    )

  test('LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied. [Conformance]', async () => {
    const limit = {
      type: 'Container',
      min: { cpu: '50m', memory: '100Mi' },
      max: { cpu: '500m', memory: '500Mi' },
      default: { cpu: '500m', memory: '500Mi' },
      defaultRequest: { cpu: '100m', memory: '200Mi' },
    }
    await api.post(core('limitranges'), { metadata: { name: 'l' }, spec: { limits: [limit] } })
    const [container] = (await api.post(core('pods'), pod('plain'))).spec.containers
    expect(container.resources).toEqual({ limits: limit.default, requests: limit.defaultRequest })
    const [partly] = (
      await api.post(
        core('pods'),
        pod('partly', {}, { resources: { requests: { cpu: '300m' }, limits: { cpu: '300m' } } }),
      )
    ).spec.containers
    expect(partly.resources).toEqual({
      limits: { cpu: '300m', memory: '500Mi' },
      requests: { cpu: '300m', memory: '200Mi' },
    })
    await api.refused(403, 'POST', core('pods'), pod('small', {}, { resources: { requests: { cpu: '10m' } } }))
    await api.refused(403, 'POST', core('pods'), pod('large', {}, { resources: { limits: { cpu: '600m' } } }))
    await replace(api, core('limitranges', 'l'), object => {
      object.spec.limits[0].min = { cpu: '9m', memory: '49Mi' }
    })
    await api.post(core('pods'), pod('small', {}, { resources: { requests: { cpu: '10m' } } }))
    await api.delete(core('limitranges', 'l'))
    await api.post(core('pods'), pod('large', {}, { resources: { limits: { cpu: '600m' } } }))
  })

  test('SchedulerPredicates [Serial] validates resource limits of pods that are allowed to run [Conformance]', async () => {
    await api.post(core('pods'), pod('most', {}, { resources: { requests: { cpu: '5' } } }))
    await scheduled('most')
    await api.post(core('pods'), pod('more', {}, { resources: { requests: { cpu: '5' } } }))
    const { status } = await unschedulable('more')
    expect(status.conditions[0].message).toContain('Insufficient cpu')
    for (const name of ['most', 'more']) await api.delete(core('pods', name))
    await api.gone(core('pods', 'most'))
  })

  test('SchedulerPredicates [Serial] validates that NodeSelector is respected if not matching [Conformance]', async () => {
    await api.post(core('pods'), pod('p', { nodeSelector: { label: 'nonempty' } }))
    expect((await unschedulable('p')).status.conditions[0].message).toContain(
      "didn't match Pod's node affinity/selector",
    )
  })

  test('SchedulerPredicates [Serial] validates that NodeSelector is respected if matching [Conformance]', async () => {
    await api.patch('/api/v1/nodes/node-0', { metadata: { labels: { 'e2e.example.com/x': '42' } } })
    await api.post(core('pods'), pod('p', { nodeSelector: { 'e2e.example.com/x': '42' } }))
    expect((await scheduled('p')).spec.nodeName).toBe('node-0')
  })

  const hostPort = (hostIP: string, protocol = 'TCP'): object => ({
    ports: [{ containerPort: 80, hostPort: 54_321, hostIP, protocol }],
  })
  test('SchedulerPredicates [Serial] validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP [Conformance]', async () => {
    await api.post(core('pods'), pod('a', {}, hostPort('0.0.0.0')))
    await scheduled('a')
    await api.post(core('pods'), pod('b', {}, hostPort('127.0.0.1')))
    expect((await unschedulable('b')).status.conditions[0].message).toContain(
      "didn't have free ports for the requested pod ports",
    )
    for (const name of ['a', 'b']) await api.delete(core('pods', name))
    await api.gone(core('pods', 'a'))
  })

  test('HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol [LinuxOnly] [Conformance]: they are placed', async () => {
    await api.post(core('pods'), pod('a', {}, hostPort('127.0.0.1')))
    await api.post(core('pods'), pod('b', {}, hostPort('127.0.0.2')))
    await api.post(core('pods'), pod('c', {}, hostPort('127.0.0.2', 'UDP')))
    for (const name of ['a', 'b', 'c']) await scheduled(name)
  })

  test('SchedulerPreemption [Serial] PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods [Conformance]', async () => {
    const classes = '/apis/scheduling.k8s.io/v1/priorityclasses'
    for (const [name, value] of [
      ['p1', 1],
      ['p2', 2],
    ] as const)
      await api.post(classes, { metadata: { name, labels: { e2e: 'yes' } }, value })
    expect(await api.items(classes, 'e2e=yes')).toHaveLength(2)
    await api.patch(`${classes}/p1`, { description: 'patched' })
    await replace(api, `${classes}/p2`, object => {
      object.description = 'updated'
    })
    expect((await api.get(`${classes}/p2`)).description).toBe('updated')
    expect(
      (await api.refused(422, 'PUT', `${classes}/p1`, { ...(await api.get(`${classes}/p1`)), value: 3 })).message,
    ).toContain('value')
    expect(
      (await api.answer('PATCH', `${classes}/p2`, { value: 3 }, { 'Content-Type': 'application/merge-patch+json' }))
        .status,
    ).toBe(422)
    for (const name of ['p1', 'p2']) await api.delete(`${classes}/${name}`)
  })
})

describe('storage', () => {
  test('CSIInlineVolumes should support CSIVolumeSource in Pod API [Conformance]', async () => {
    const volumes = [{ name: 'v', csi: { driver: 'e2e.example.com', readOnly: true, volumeAttributes: { a: 'b' } } }]
    expect(
      (await api.post(core('pods'), pod('p', { volumes, automountServiceAccountToken: false }))).spec.volumes,
    ).toMatchObject(volumes)
    expect((await api.items(core('pods')))[0].spec.volumes).toMatchObject(volumes)
    await api.patch(core('pods', 'p'), { metadata: { labels: { patched: 'true' } } })
    await api.delete(core('pods', 'p'))
    await api.gone(core('pods', 'p'))
  })

  test('PersistentVolumes CSI Conformance should apply changes to a pv/pvc status [Conformance]', async () => {
    const volume = '/api/v1/persistentvolumes/e2e'
    const claim = core('persistentvolumeclaims', 'e2e')
    await api.post('/api/v1/persistentvolumes', {
      metadata: { name: 'e2e' },
      spec: {
        persistentVolumeReclaimPolicy: 'Retain',
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'e2e.example.com', volumeHandle: 'e2e' },
        storageClassName: 'e2e',
      },
    })
    await api.post(core('persistentvolumeclaims'), {
      metadata: { name: 'e2e' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'e2e' },
    })
    const condition = (type: string): object => ({ type, status: 'True', reason: 'E2E', message: 'Set by the test' })
    expect(
      (await api.patch(`${volume}/status`, { status: { message: 'StatusPatched', reason: 'E2E patchStatus' } })).status,
    ).toMatchObject({ message: 'StatusPatched', reason: 'E2E patchStatus' })
    expect(
      (await api.patch(`${claim}/status`, { status: { conditions: [condition('StatusPatched')] } }, 'strategic')).status
        .conditions,
    ).toMatchObject([condition('StatusPatched')])
    const updated = await replace(api, `${claim}/status`, object =>
      object.status.conditions.push(condition('StatusUpdated')),
    )
    expect(updated.status.conditions).toHaveLength(2)
    expect(
      (
        await replace(api, `${volume}/status`, object => {
          object.status.reason = 'E2E updateStatus'
        })
      ).status.reason,
    ).toBe('E2E updateStatus')
    expect((await api.get(`${volume}/status`)).status.reason).toBe('E2E updateStatus')
  })
})

describe('tainted nodes', () => {
  const node = { nodeSelector: { 'kubernetes.io/hostname': 'small' } }
  beforeAll(async () => {
    await cluster.addNode('small', { cpu: '4', memory: '16Gi', pods: '110' })
  })

  const taint = { key: 'kubernetes.io/e2e-evict', value: 'yes', effect: 'NoExecute' }
  const tolerating = (tolerationSeconds: number): object => ({
    ...node,
    tolerations: [{ key: taint.key, value: taint.value, effect: taint.effect, tolerationSeconds }],
  })

  test('NoExecuteTaintManager Multiple Pods [Serial] evicts pods with minTolerationSeconds [Disruptive] [Conformance]', async () => {
    await api.post(core('pods'), pod('a', tolerating(1)))
    await api.post(core('pods'), pod('b', tolerating(600)))
    for (const name of ['a', 'b']) await running(name)
    await api.patch('/api/v1/nodes/small', { spec: { taints: [taint] } })
    await api.gone(core('pods', 'a'))
    expect((await api.get(core('pods', 'b'))).metadata.deletionTimestamp).toBeUndefined()
    await api.patch('/api/v1/nodes/small', { spec: { taints: null } })
    await api.delete(core('pods', 'b'))
  })

  test('NoExecuteTaintManager Single Pod [Serial] removing taint cancels eviction [Disruptive] [Conformance]', async () => {
    const other = { ...taint, key: 'kubernetes.io/e2e-other' }
    const tolerations = (seconds: number, otherSeconds: number): object => ({
      ...node,
      tolerations: [
        { ...taint, tolerationSeconds: seconds },
        { ...other, tolerationSeconds: otherSeconds },
      ],
    })
    await api.post(core('pods'), pod('stays', tolerations(1, 600)))
    await api.post(core('pods'), pod('goes', tolerations(600, 2)))
    for (const name of ['stays', 'goes']) await running(name)
    await api.patch('/api/v1/nodes/small', { spec: { taints: [taint, other] } })
    await api.patch('/api/v1/nodes/small', { spec: { taints: [other] } })
    await api.gone(core('pods', 'goes'))
    expect((await api.get(core('pods', 'stays'))).metadata.deletionTimestamp).toBeUndefined()
    await api.patch('/api/v1/nodes/small', { spec: { taints: null } })
  })
})
