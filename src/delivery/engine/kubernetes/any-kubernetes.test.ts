// What a Kubernetes of somebody else may be like: an autoscaler decides about instances, rights end at one namespace, a
// quota has no room; in process, with all control loops.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type {
  Deployment,
  PodDisruptionBudget,
  ResourceQuota,
  Role,
  RoleBinding,
  Service,
  StorageClass,
} from '../../../api/generated/models.ts'
import type { V2HorizontalPodAutoscaler } from '../../../api/generated/models.ts'
import {
  deployments,
  horizontalPodAutoscalers,
  ingressClasses,
  ingresses,
  jobs,
  podDisruptionBudgets,
  resourceQuotas,
  roleBindings,
  roles,
  secrets,
  services,
  storageClasses,
} from '../../../api/resources.ts'
import { gatewayController } from '../../../api/gateway-names.ts'
import { machineClock } from '../../../host/machine-clock.ts'
import { deployerRules } from '../../../testing/deployer-role.ts'
import { eventually } from '../../../testing/eventually.ts'
import { busyboxProcesses, pretendedCluster, type PretendedCluster } from '../../../testing/kubernetes-worlds.ts'
import { partBuilders } from '../contract/part-builders.ts'
import type { Watch } from '../engine.ts'
import type { Place, Workload } from '../parts.ts'
import { KubernetesEngine, type EngineClient } from './kubernetes-engine.ts'

let cluster: PretendedCluster
let engine: KubernetesEngine
beforeAll(async () => {
  cluster = await pretendedCluster()
  engine = cluster.engineFor()
})
afterAll(async () => {
  engine?.close()
  await cluster?.close()
})

const watch: Watch = {
  progress: () => {},
  heldUp: () => {},
  timeLimitSeconds: 20,
  signal: new AbortController().signal,
}
const builders = partBuilders(() => busyboxProcesses)
const workload = (service: string, more: Partial<Workload> = {}): Workload =>
  builders.workload({ service }, { instances: 2, ports: [], health: undefined, ...more })
async function placeFor(namespace: string, service = 'web'): Promise<Place> {
  const place = { environment: 'test', namespace, service }
  await engine.prepare(place)
  return place
}

test('an autoscaler keeps its number of instances, and nobody scales beside it', async () => {
  const place = await placeFor('scaled')
  expect(await engine.rollOut(place, workload('web', { health: { kind: 'tcp', port: 'http' } }), watch)).toEqual({
    state: 'done',
  })
  await cluster.client.create<V2HorizontalPodAutoscaler>(horizontalPodAutoscalers, {
    metadata: { name: 'web-load', namespace: 'scaled' },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 9 },
  })
  const value = { spec: { replicas: 5 } }
  await cluster.client.patch(deployments, { namespace: 'scaled', name: 'web' }, { type: 'merge', value })
  expect(await engine.compare(place, workload('web', { health: { kind: 'tcp', port: 'http' } }))).toEqual([])
  const next = workload('web', { version: '2.0.0', health: { kind: 'tcp', port: 'http' } })
  expect(await engine.rollOut(place, next, watch)).toEqual({ state: 'done' })
  expect((await engine.observe(place)).workloads).toMatchObject([{ wanted: 5, autoscaled: true, version: '2.0.0' }])
  expect(await engine.scale(place, 'web', 1, watch)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('the autoscaler "web-load" decides') as string,
  })
})

test('a number that an autoscaler writes while a rollout begins is not set back', async () => {
  const place = await placeFor('raced')
  const wanted = workload('web', { health: { kind: 'tcp', port: 'http' } })
  await engine.rollOut(place, wanted, watch)
  const name = { namespace: 'raced', name: 'web' }
  await cluster.client.create<V2HorizontalPodAutoscaler>(horizontalPodAutoscalers, {
    metadata: { name: 'web-load', namespace: 'raced' },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 9 },
  })
  const client = Object.create(cluster.client) as EngineClient
  let writes = 0
  client.patch = async (resource, target, patch, options) => {
    if (patch.type === 'apply' && resource.plural === 'deployments' && writes++ === 0)
      await cluster.client.patch(deployments, name, { type: 'merge', value: { spec: { replicas: 6 } } })
    return cluster.client.patch(resource, target, patch, options)
  }
  const other = new KubernetesEngine({ client, name: 'raced', clock: machineClock })
  expect(await other.rollOut(place, { ...wanted, version: '2.0.0' }, watch)).toEqual({ state: 'done' })
  // Whatever else is written of it meanwhile is a reason to look again, too.
  expect(writes).toBeGreaterThan(1)
  expect((await engine.observe(place)).workloads).toMatchObject([{ wanted: 6, version: '2.0.0' }])
})

test('what somebody changed beside it is told, and put right by the next rollout', async () => {
  const place = await placeFor('drifted')
  const wanted = workload('web', { health: { kind: 'tcp', port: 'http' } })
  await engine.rollOut(place, wanted, watch)
  const container = { name: 'web', image: 'other:1', env: [{ name: 'GREETING', value: 'bye' }] }
  const value = { spec: { replicas: 1, template: { spec: { containers: [container] } } } }
  await cluster.client.patch(deployments, { namespace: 'drifted', name: 'web' }, { type: 'strategic', value })
  expect(await engine.compare(place, wanted)).toEqual(
    expect.arrayContaining([
      { field: 'instances', is: '1', wanted: '2' },
      { field: 'process.image', is: 'other:1', wanted: busyboxProcesses.serves.image },
      { field: 'process.variables.GREETING', is: '"bye"', wanted: '"hello"' },
    ]),
  )
  await engine.rollOut(place, wanted, watch)
  expect(await engine.compare(place, wanted)).toEqual([])
})

test('with rights in one namespace alone everything but the namespace is made', async () => {
  await placeFor('small')
  await cluster.client.create<Role>(roles, {
    metadata: { name: 'all', namespace: 'small' },
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
  })
  await bind('small', 'all', 'dev')
  const own = await cluster.engineAs('dev')
  const place = { environment: 'test', namespace: 'small', service: 'web' }
  const parts = [workload('web', { health: { kind: 'tcp', port: 'http' } })] as const
  try {
    await own.prepare(place)
    expect(await own.cannot(place, parts)).toEqual([])
    expect(await own.rollOut(place, parts[0], watch)).toEqual({ state: 'done' })
    expect((await own.observe(place)).workloads).toMatchObject([{ name: 'web', ready: 2 }])
    const run = { name: 'web-run', service: 'web', version: '1', process: busyboxProcesses.says(['x'], 0) }
    expect(await own.runOnce(place, { ...run, timeLimitSeconds: 20 }, watch)).toMatchObject({ lines: ['x'] })
    await own.ledger.add(place, { revision: 1, state: 'pending', content: {} })
  } finally {
    own.close()
  }
})

test('rights that are missing are told before anything is changed', async () => {
  await placeFor('few')
  await cluster.client.create<Role>(roles, {
    metadata: { name: 'reader', namespace: 'few' },
    rules: [
      { apiGroups: [''], resources: ['secrets', 'configmaps', 'pods', 'pods/log', 'services'], verbs: ['*'] },
      { apiGroups: ['coordination.k8s.io', 'batch'], resources: ['*'], verbs: ['*'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['*'] },
    ],
  })
  await bind('few', 'reader', 'guest')
  const own = await cluster.engineAs('guest')
  try {
    const place = { environment: 'test', namespace: 'few', service: 'web' }
    const found = await own.cannot(place, [workload('web', { disruptionBudget: false })])
    const reason = 'you may not create, patch, delete deployments.apps in the namespace few'
    expect(found).toEqual([{ hard: true, reason: expect.stringContaining(reason) as string }])
    expect(await own.rollOut(place, workload('web'), watch)).toMatchObject({ state: 'failed' })
  } finally {
    own.close()
  }
})

const bind = (namespace: string, role: string, user: string): Promise<RoleBinding> =>
  cluster.client.create<RoleBinding>(roleBindings, {
    metadata: { name: role, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  })

const route = {
  kind: 'route',
  name: 'web-root',
  service: 'web',
  host: 'web.example.com',
  path: '/',
  entrance: 'web',
  port: 'http',
} as const

test('a route is taken by the only program that serves routes; where there is none, that is told', async () => {
  const place = await placeFor('routed')
  const address = 'web.example.com/ will lead nowhere: '
  const told = async (): Promise<readonly string[]> => (await engine.cannot(place, [route])).map(({ reason }) => reason)
  expect(await engine.cannot(place, [route])).toEqual([
    { hard: false, reason: expect.stringContaining(`${address}nothing in the cluster serves routes`) as string },
  ])
  await cluster.client.create(ingressClasses, { metadata: { name: 'only' }, spec: { controller: 'example.com/only' } })
  expect(await engine.cannot(place, [route])).toEqual([])
  await engine.put(place, route, watch)
  expect((await cluster.client.get(ingresses, { namespace: 'routed', name: 'web-root' })).spec).toMatchObject({
    ingressClassName: 'only',
  })
  await cluster.client.create(ingressClasses, { metadata: { name: 'two' }, spec: { controller: 'example.com/two' } })
  await cluster.client.create(ingressClasses, { metadata: { name: 'more' }, spec: { controller: 'example.com/more' } })
  await cluster.client.delete(ingressClasses, { name: 'only' })
  expect(await told()).toEqual([`${address}its Ingress names the IngressClass "only", and there is more, two`])
  await engine.remove(place, route, watch)
  expect(await told()).toEqual([expect.stringContaining(`${address}there are several IngressClasses (more, two)`)])
  const metadata = { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }
  await cluster.client.patch(ingressClasses, { name: 'two' }, { type: 'merge', value: { metadata } })
  expect(await told()).toEqual([])
})

test('a route that says who may ask is refused where nothing would heed that', async () => {
  const place = await placeFor('heedless')
  const asked = { ...route, limit: { requests: 5, seconds: 1, by: 'address' } } as const
  expect((await engine.cannot(place, [asked])).filter(({ hard }) => hard)).toEqual([
    {
      hard: true,
      reason: expect.stringMatching(
        /^web\.example\.com\/ would be open to everybody, .* the cluster serves no AccessPolicy and TrafficPolicy of gateway\.sampan\.dev\/v1alpha1/,
      ) as string,
    },
  ])
  await expect(engine.put(place, asked, watch)).resolves.toMatchObject({ state: 'failed' })
  expect((await cluster.client.list(ingresses, { namespace: 'heedless' })).items).toEqual([])
})

test('a route of the gateway of Sampan has arrived when it is served; others are not waited for', async () => {
  const place = await placeFor('served')
  const classes = (await cluster.client.list(ingressClasses)).items
  for (const { metadata } of classes) await cluster.client.delete(ingressClasses, { name: metadata.name })
  await cluster.client.create(ingressClasses, { metadata: { name: 'own' }, spec: { controller: gatewayController } })
  let hasArrived = false
  const putting = engine.put(place, route, watch).finally(() => {
    hasArrived = true
  })
  const name = { namespace: 'served', name: 'web-root' }
  await eventually('it is there', () => cluster.client.get(ingresses, name).catch(() => undefined))
  expect(hasArrived).toBe(false)
  const value = { status: { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } } }
  await cluster.client.patch(ingresses, name, { type: 'merge', value }, { subresource: 'status' })
  await putting
  await engine.put(place, route, watch)
})

test('data that would find no volume is refused, unless its volume is there', async () => {
  const place = await placeFor('stored')
  const data = { storage: { path: '/data', size: '1Mi' }, health: { kind: 'tcp', port: 'http' } } as const
  const database = workload('web-db', { service: 'web', track: 'postgres', instances: 1, ...data })
  expect(await engine.cannot(place, [database])).toEqual([])
  const { items } = await cluster.client.list<StorageClass>(storageClasses)
  const mark = async (isDefault: string): Promise<void> => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': isDefault }
    for (const { metadata } of items)
      await cluster.client.patch(storageClasses, metadata, { type: 'merge', value: { metadata: { annotations } } })
  }
  await mark('false')
  const refused = expect.stringMatching(
    /^nothing makes a volume for the data of web-db: no StorageClass is the default \(there is .+\); mark one: /,
  ) as string
  expect(await engine.cannot(place, [database])).toEqual([{ hard: true, reason: refused }])
  await mark('true')
  expect(await engine.rollOut(place, database, watch)).toEqual({ state: 'done' })
  await mark('false')
  expect(await engine.cannot(place, [database])).toEqual([])
  await mark('true')
})

test('a number of instances that is not the release is told to whoever may not see autoscalers', async () => {
  const place = await placeFor('unseen')
  const wanted = workload('web', { health: { kind: 'tcp', port: 'http' } })
  await engine.rollOut(place, wanted, watch)
  const rules = deployerRules().filter(({ apiGroups }) => !apiGroups?.includes('autoscaling'))
  await cluster.client.create<Role>(roles, { metadata: { name: 'unseeing', namespace: 'unseen' }, rules: [...rules] })
  await bind('unseen', 'unseeing', 'blind')
  const own = await cluster.engineAs('blind')
  try {
    expect(await own.cannot(place, [wanted])).toEqual([])
    await engine.scale(place, 'web', 3, watch)
    expect(await own.cannot(place, [wanted])).toEqual([
      {
        hard: false,
        reason:
          'web has 3 instances and is to have 2; whether an autoscaler has decided that is not to be known, because you may not list horizontalpodautoscalers.autoscaling in the namespace unseen',
      },
    ])
  } finally {
    own.close()
  }
})

test('what the cluster serves is asked once, and decides what is said of shares', async () => {
  const asked: string[] = []
  const served = (groups: readonly string[], resources: readonly string[] = []): KubernetesEngine => {
    const client = Object.create(cluster.client) as EngineClient
    client.raw = (path: string) => {
      asked.push(path)
      const answer = path === '/apis' ? listOf(groups) : { resources: resources.map(name => ({ name })) }
      return Promise.resolve(Readable.from([Buffer.from(JSON.stringify(answer))]) as IncomingMessage)
    }
    return new KubernetesEngine({ client, name: 'served', clock: machineClock })
  }
  const listOf = (groups: readonly string[]): object => ({
    groups: groups.map(group => ({ name: group, versions: [{ groupVersion: `${group}/v1` }] })),
  })
  const byInstances = (because: string): object => ({
    by: 'instances',
    because: expect.stringContaining(because) as string,
  })
  expect(await served(['apps']).sharing()).toEqual(byInstances('it serves no HTTPRoute'))
  expect(await served(['gateway.networking.k8s.io'], ['gateways']).sharing()).toEqual(byInstances('no HTTPRoute'))
  const weighing = served(['gateway.networking.k8s.io'], ['gateways', 'httproutes'])
  asked.length = 0
  expect(await weighing.sharing()).toEqual(byInstances('name one in sampan.yml (gateway: NAMESPACE/NAME)'))
  expect(await weighing.sharing()).toEqual(byInstances('name one in sampan.yml (gateway: NAMESPACE/NAME)'))
  expect(asked).toEqual(['/apis', '/apis/gateway.networking.k8s.io/v1'])

  const place = await placeFor('old')
  const found = await served(['coordination.k8s.io', 'batch']).cannot(place, [workload('web')])
  expect(found.filter(({ reason }) => reason.startsWith('the cluster serves no')).map(({ reason }) => reason)).toEqual([
    expect.stringContaining('no deployments.apps in version v1'),
    expect.stringContaining('no poddisruptionbudgets.policy in version v1'),
  ])
})

test('a bundle of somebody else is neither read nor dropped', async () => {
  const place = await placeFor('foreign')
  const name = { namespace: 'foreign', name: 'db-password' }
  await cluster.client.create(secrets, { metadata: name, data: { password: 'eA==' } })
  expect(await engine.readBundle(place, 'db-password')).toBeUndefined()
  await engine.dropBundle(place, 'db-password')
  expect(await cluster.client.get(secrets, name)).toMatchObject({ data: { password: 'eA==' } })
})

test('a run that the cluster refuses ends with the reason', async () => {
  const place = await placeFor('full')
  await cluster.client.create<ResourceQuota>(resourceQuotas, {
    metadata: { name: 'none', namespace: 'full' },
    spec: { hard: { 'count/jobs.batch': '0' } },
  })
  const run = { name: 'r', service: 'web', version: '1', process: busyboxProcesses.says([], 0), timeLimitSeconds: 20 }
  const result = await engine.runOnce(place, run, watch)
  expect(result).toMatchObject({ exitCode: 1, reason: expect.stringContaining('exceeded quota') as string })
  expect((await cluster.client.list(jobs, { namespace: 'full' })).items).toEqual([])
})

test('what others set on an object stays', async () => {
  const place = await placeFor('shared')
  const wanted = workload('web', { health: { kind: 'tcp', port: 'http' } })
  await engine.rollOut(place, wanted, watch)
  const name = { namespace: 'shared', name: 'web' }
  const value = { metadata: { annotations: { 'example.com/owner': 'somebody' } } }
  await cluster.client.patch(deployments, name, { type: 'merge', value })
  await engine.rollOut(place, { ...wanted, version: '2.0.0' }, watch)
  const { metadata }: Deployment = await cluster.client.get(deployments, name)
  expect(metadata.annotations).toMatchObject({ 'example.com/owner': 'somebody' })
})

test('what somebody else made under a name is neither written over nor taken away', async () => {
  const place = await placeFor('foreign')
  const metadata = { name: 'web', namespace: 'foreign' }
  const spec = { selector: { app: 'theirs' }, ports: [{ port: 80 }] }
  await cluster.client.create<Service>(services, { metadata, spec })
  const labels = { 'app.kubernetes.io/managed-by': 'sampan', 'app.kubernetes.io/name': 'we' }
  await cluster.client.create<PodDisruptionBudget>(podDisruptionBudgets, {
    metadata: { ...metadata, labels },
    spec: { maxUnavailable: 1 },
  })
  const ports = [{ name: 'http', port: 80, protocol: 'TCP' }] as const
  const entrance = { kind: 'entrance', name: 'web', service: 'web', leadsTo: 'serving', ports } as const
  const found = await engine.cannot(place, [workload('web'), entrance])
  expect(found.map(({ hard, reason }) => [hard, reason])).toEqual([
    [true, expect.stringContaining('the PodDisruptionBudget "web" in the namespace foreign was made for we')],
    [true, expect.stringContaining('the Service "web" in the namespace foreign was made by somebody else')],
  ])
  const withoutBudget = workload('web', { disruptionBudget: false })
  expect(await engine.cannot(place, [withoutBudget])).toEqual([])
  expect(await engine.rollOut(place, withoutBudget, watch)).toEqual({ state: 'done' })
  await engine.remove(place, { kind: 'workload', name: 'web' }, watch)
  expect(await cluster.client.get(podDisruptionBudgets, { namespace: 'foreign', name: 'web' })).toBeDefined()

  await cluster.client.patch(services, metadata, {
    type: 'merge',
    value: { metadata: { labels: { ...labels, 'app.kubernetes.io/name': 'web' } } },
  })
  expect(await engine.cannot(place, [withoutBudget, entrance])).toEqual([])
})

test('a record that somebody changed is named, with the way out', async () => {
  const place = await placeFor('broken')
  await engine.ledger.add(place, { revision: 1, state: 'deployed', content: {} })
  const name = { namespace: 'broken', name: 'sampan.release.web.v1' }
  await cluster.client.patch(secrets, name, { type: 'merge', value: { data: { release: 'AAAA' } } })
  await expect(engine.ledger.list(place)).rejects.toThrow(
    /^the record of a release in the Secret "sampan\.release\.web\.v1" cannot be read .*kubectl delete secret -n broken/,
  )
})
