// Admission plug-ins that work from stored objects alone.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freshNamespace } from '../../src/testing/fresh-namespace.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
let namespace = ''
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())
beforeEach(async () => {
  namespace = await freshNamespace(server)
})

const post = (path: string, body: object): Promise<Answer> => server.call('POST', path, { body })
const pod = (name: string, spec: object = {}, container: object = {}): Promise<Answer> =>
  post(`/api/v1/namespaces/${namespace}/pods`, {
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'x:1', ...container }], ...spec },
  })
const refused = (answer: Answer): string => {
  expect(answer.status, answer.text).toBe(403)
  return answer.json.message as string
}

describe('LimitRanger', () => {
  const limits = (item: object): Promise<Answer> =>
    post(`/api/v1/namespaces/${namespace}/limitranges`, { metadata: { name: 'l' }, spec: { limits: [item] } })

  test('fills in defaults and says so', async () => {
    await limits({ type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '100m' } })
    const { json } = await pod('a')
    expect(json.spec.containers[0].resources).toEqual({ limits: { cpu: '500m' }, requests: { cpu: '100m' } })
    expect(json.metadata.annotations['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
    )
  })

  test('refuses what is out of bounds', async () => {
    await limits({ type: 'Container', max: { memory: '1Gi' }, default: { memory: '1Gi' } })
    expect(refused(await pod('a', {}, { resources: { limits: { memory: '2Gi' } } }))).toBe(
      'pods "a" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
    )
  })

  test('bounds the sum of a pod', async () => {
    await limits({ type: 'Pod', max: { cpu: '1' } })
    expect(refused(await pod('a'))).toContain('maximum cpu usage per Pod is 1.  No limit is specified')
  })
})

describe('a pod on its node', () => {
  const resize = (name: string, spec: object): Promise<Answer> =>
    server.call('PATCH', `/api/v1/namespaces/${namespace}/pods/${name}/resize`, {
      body: { spec },
      headers: { 'Content-Type': 'application/strategic-merge-patch+json' },
    })
  const amounts = (cpu: string, memory: string): object => ({ requests: { cpu, memory } })
  const node = async (
    name: string,
    labels: object = { 'kubernetes.io/os': 'linux' },
    status: object = {},
  ): Promise<void> => {
    await post('/api/v1/nodes', { metadata: { name, labels } })
    await server.call('PATCH', `/api/v1/nodes/${name}/status`, {
      body: { status: { allocatable: { cpu: '2', memory: '4Gi', pods: '10' }, ...status } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    })
  }

  test('PodResizeValidator: grows into what the node has', async () => {
    await node('small')
    const made = await pod(
      'a',
      {
        nodeName: 'small',
        initContainers: [{ name: 's', image: 'x:1', restartPolicy: 'Always', resources: amounts('500m', '1Mi') }],
      },
      { resources: amounts('1', '1Gi') },
    )
    const grown = await resize('a', { containers: [{ name: 'c', resources: amounts('1500m', '2Gi') }] })
    expect(grown.json.spec.containers[0].resources).toEqual(amounts('1500m', '2Gi'))
    expect(grown.json.metadata.generation).toBe(made.json.metadata.generation + 1)
    expect(refused(await resize('a', { containers: [{ name: 'c', resources: amounts('1600m', '4Gi') }] }))).toBe(
      `pods "a" is forbidden: Node didn't have enough allocatable resources: cpu, requested: 2100, allocatable: 2000; memory, requested: 4296015872, allocatable: 4294967296`,
    )
    expect(
      refused(await resize('a', { initContainers: [{ name: 's', resources: amounts('600m', '1Mi') }] })),
    ).toContain('cpu, requested: 2100, allocatable: 2000')
    expect(
      (await resize('a', { containers: [{ name: 'c', resources: amounts('1500m', '2Gi') }] })).json.metadata.generation,
    ).toBe(grown.json.metadata.generation)
  })

  test('PodResizeValidator: only where there is Linux, and the node itself', async () => {
    await node('panes', { 'kubernetes.io/os': 'windows' })
    await pod('a', { nodeName: 'panes' }, { resources: amounts('1', '1Gi') })
    await pod('b', { nodeName: 'lost' }, { resources: amounts('1', '1Gi') })
    await pod('c', {}, { resources: amounts('1', '1Gi') })
    const spec = { containers: [{ name: 'c', resources: amounts('500m', '1Gi') }] }
    expect(refused(await resize('a', spec))).toBe(
      'pods "a" is forbidden: pod resize is only supported on linux nodes, node "panes" is "windows"',
    )
    expect(refused(await resize('b', spec))).toBe('pods "b" is forbidden: node "lost" not found')
    expect((await resize('c', spec)).status).toBe(200)
  })

  test('NodeDeclaredFeatureValidator: changes in ways that the node declares', async () => {
    await node('plain')
    await node('able', undefined, { declaredFeatures: ['InPlacePodLevelResourcesVerticalScaling'] })
    for (const name of ['plain', 'able']) await pod(name, { nodeName: name, resources: amounts('1', '1Gi') })
    expect(refused(await resize('plain', { resources: amounts('500m', '1Gi') }))).toBe(
      'pods "plain" is forbidden: pod update requires features InPlacePodLevelResourcesVerticalScaling which are not available on node "plain"',
    )
    expect((await resize('able', { resources: amounts('500m', '1Gi') })).json.spec.resources).toEqual(
      amounts('500m', '1Gi'),
    )
  })
})

describe('Priority', () => {
  test('reads the class, or the default one', async () => {
    await post('/apis/scheduling.k8s.io/v1/priorityclasses', {
      metadata: { name: 'high' },
      value: 77,
      preemptionPolicy: 'Never',
    })
    expect((await pod('a', { priorityClassName: 'high' })).json.spec).toMatchObject({
      priority: 77,
      preemptionPolicy: 'Never',
    })
    expect((await pod('b', { priorityClassName: 'system-node-critical' })).json.spec.priority).toBe(2_000_001_000)
    expect(refused(await pod('c', { priorityClassName: 'none' }))).toBe(
      'pods "c" is forbidden: no PriorityClass with name none was found',
    )
  })
})

test('a claim gets the default storage class, an ingress the default ingress class', async () => {
  await post('/apis/storage.k8s.io/v1/storageclasses', {
    metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'p',
  })
  await post('/apis/networking.k8s.io/v1/ingressclasses', {
    metadata: { name: 'gate', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    spec: { controller: 'example.com/gate' },
  })
  const claim = await post(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  })
  expect(claim.json.spec.storageClassName).toBe('fast')
  const ingress = await post(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, {
    metadata: { name: 'i' },
    spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
  })
  expect(ingress.json.spec.ingressClassName).toBe('gate')
})

test('a pod takes over what its runtime class says', async () => {
  await post('/apis/node.k8s.io/v1/runtimeclasses', {
    metadata: { name: 'vm' },
    handler: 'vm',
    overhead: { podFixed: { memory: '64Mi' } },
    scheduling: { nodeSelector: { vm: 'yes' } },
  })
  expect((await pod('a', { runtimeClassName: 'vm' })).json.spec).toMatchObject({
    overhead: { memory: '64Mi' },
    nodeSelector: { vm: 'yes' },
  })
  expect(refused(await pod('b', { runtimeClassName: 'none' }))).toBe(
    'pods "b" is forbidden: pod rejected: RuntimeClass "none" not found',
  )
})

describe('ResourceQuota', () => {
  const quota = (hard: object, more: object = {}): Promise<Answer> =>
    post(`/api/v1/namespaces/${namespace}/resourcequotas`, { metadata: { name: 'q' }, spec: { hard, ...more } })

  test('refuses what goes over, and what does not say how much it needs', async () => {
    await quota({ pods: '2', 'requests.cpu': '1' })
    expect(refused(await pod('a'))).toBe('pods "a" is forbidden: failed quota: q: must specify requests.cpu for: c')
    expect((await pod('b', {}, { resources: { requests: { cpu: '600m' } } })).status).toBe(201)
    expect(refused(await pod('c', {}, { resources: { requests: { cpu: '500m' } } }))).toBe(
      'pods "c" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1',
    )
    expect((await server.call('GET', `/api/v1/namespaces/${namespace}/resourcequotas/q`)).json.status).toEqual({
      hard: { pods: '2', 'requests.cpu': '1' },
      used: { pods: '1', 'requests.cpu': '600m' },
    })
  })

  test('holds against writes at the same time', async () => {
    await quota({ 'count/configmaps': '3' })
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        post(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: `m${index}` } }),
      ),
    )
    expect(answers.filter(answer => answer.status === 201)).toHaveLength(3)
  })

  test('counts only what its scopes match', async () => {
    await quota({ pods: '0' }, { scopes: ['NotBestEffort'] })
    expect((await pod('a')).status).toBe(201)
    expect(refused(await pod('b', {}, { resources: { requests: { cpu: '1' } } }))).toContain('exceeded quota: q')
  })
})

describe('PodSecurity', () => {
  const label = (labels: object): Promise<Answer> =>
    server.call('PATCH', `/api/v1/namespaces/${namespace}`, {
      body: { metadata: { labels } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    })
  const modest = {
    securityContext: {
      allowPrivilegeEscalation: false,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  }

  test('baseline refuses privileges', async () => {
    await label({ 'pod-security.kubernetes.io/enforce': 'baseline' })
    expect(refused(await pod('a', { hostNetwork: true }, { securityContext: { privileged: true } }))).toBe(
      'pods "a" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), privileged (container "c" must not set securityContext.privileged=true)',
    )
    expect((await pod('b')).status).toBe(201)
  })

  test('restricted wants modesty spelled out', async () => {
    await label({ 'pod-security.kubernetes.io/enforce': 'restricted' })
    expect(refused(await pod('a'))).toContain(
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    )
    const fine = await pod('b', {}, modest)
    expect(fine.status, fine.text).toBe(201)
  })

  test('warn only tells', async () => {
    await label({ 'pod-security.kubernetes.io/warn': 'baseline' })
    const answer = await pod('a', {}, { securityContext: { privileged: true } })
    expect(answer.status).toBe(201)
    expect(answer.headers.warning).toContain('would violate PodSecurity')
  })
})

test('a certificate request names who asked, and is approved apart from its status', async () => {
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
  const request = Buffer.from(
    '-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n',
  ).toString('base64')
  const made = await post(path, {
    metadata: { name: 'r' },
    spec: { request, signerName: 'example.com/signer', usages: ['client auth'], username: 'somebody else' },
  })
  expect(made.status, made.text).toBe(201)
  expect(made.json.spec).toMatchObject({
    username: 'kubernetes-admin',
    groups: ['system:masters', 'system:authenticated'],
  })
  const conditions = [{ type: 'Approved', status: 'True', reason: 'Test' }]
  const ignored = await server.call('PUT', `${path}/r/status`, { body: { ...made.json, status: { conditions } } })
  expect(ignored.json.status).toEqual({})
  const approved = await server.call('PUT', `${path}/r/approval`, {
    body: { ...made.json, metadata: { name: 'r' }, status: { conditions } },
  })
  expect(approved.status, approved.text).toBe(200)
  expect(approved.json.status.conditions).toMatchObject(conditions)
})

test('who creates what nothing acts on yet is told', async () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } }
  const policy = await post(`/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`, {
    metadata: { name: 'i' },
    spec: { podSelector: {} },
  })
  expect([policy.status, policy.headers['warning']]).toEqual([
    201,
    '299 - "Sampan stores this NetworkPolicy, but nothing acts on objects of this kind yet"',
  ])
  const deployment = await post(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
    metadata: { name: 'd' },
    spec: { selector: { matchLabels: { a: 'b' } }, template },
  })
  expect([deployment.status, deployment.headers['warning']]).toEqual([201, undefined])
})

test('a pod gets zone and region of its node as labels', async () => {
  const labels = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r', other: 'x' }
  await server.call('POST', '/api/v1/nodes', { body: { metadata: { name: 'placed', labels } } })
  await server.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'placed' } } })
  await server.call('POST', '/api/v1/namespaces/placed/serviceaccounts', { body: { metadata: { name: 'default' } } })
  const pods = '/api/v1/namespaces/placed/pods'
  const spec = { containers: [{ name: 'main', image: 'i' }] }
  await server.call('POST', pods, { body: { metadata: { name: 'bound', labels: { own: 'yes' } }, spec } })
  expect(
    (
      await server.call('POST', `${pods}/bound/binding`, {
        body: { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'placed' } },
      })
    ).status,
  ).toBe(201)
  expect((await server.call('GET', `${pods}/bound`)).json.metadata.labels).toEqual({
    own: 'yes',
    'topology.kubernetes.io/zone': 'z',
    'topology.kubernetes.io/region': 'r',
  })
  const made = await server.call('POST', pods, {
    body: {
      metadata: { name: 'made', labels: { 'topology.kubernetes.io/zone': 'mine' } },
      spec: { ...spec, nodeName: 'placed' },
    },
  })
  expect(made.json.metadata.labels).toEqual({
    'topology.kubernetes.io/zone': 'mine',
    'topology.kubernetes.io/region': 'r',
  })
})

test('a claim grows when it is bound and its class allows it', async () => {
  for (const name of ['fixed', 'growing'])
    await server.call('POST', '/apis/storage.k8s.io/v1/storageclasses', {
      body: { metadata: { name }, provisioner: 'p', allowVolumeExpansion: name === 'growing' },
    })
  const claims = '/api/v1/namespaces/default/persistentvolumeclaims'
  const merge = { 'Content-Type': 'application/merge-patch+json' }
  const grow = (name: string): Promise<Answer> =>
    server.call('PATCH', `${claims}/${name}`, {
      body: { spec: { resources: { requests: { storage: '2Gi' } } } },
      headers: merge,
    })
  for (const name of ['fixed', 'growing', 'waiting']) {
    await server.call('POST', claims, {
      body: {
        metadata: { name },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: name === 'waiting' ? 'growing' : name,
          resources: { requests: { storage: '1Gi' } },
          volumeName: `v-${name}`,
        },
      },
    })
    if (name !== 'waiting')
      await server.call('PATCH', `${claims}/${name}/status`, { body: { status: { phase: 'Bound' } }, headers: merge })
  }
  expect((await grow('growing')).status).toBe(200)
  expect((await grow('fixed')).json.message).toBe(
    'persistentvolumeclaims "fixed" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  )
  expect((await grow('waiting')).status).not.toBe(200)
})
