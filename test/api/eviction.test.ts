// Evictions and disruption budgets, with the control loops running.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Pod, PodStatus } from '../../src/api/generated/models.ts'
import type { KubeObject } from '../../src/api/object.ts'
import type { Resource } from '../../src/api/resource.ts'
import { deployments, pods, replicaSets } from '../../src/api/resources.ts'
import { startControllers, type Running } from '../../src/control/controller.ts'
import { controllerReference } from '../../src/control/ownership.ts'
import { disruptionController } from '../../src/controllers/disruption/disruption.ts'
import { staleDisruptionTarget } from '../../src/controllers/disruption/stale-disruption-target.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { systemRandom } from '../../src/main/system.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { freshNamespace } from '../../src/testing/fresh-namespace.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

const suite = '[sig-apps] DisruptionController'
const clock = new FakeClock(Date.now())
let server: TestServer
let controllers: Running
let namespace = ''

beforeAll(async () => {
  server = await startTestServer({ clock })
  controllers = await startControllers([disruptionController, staleDisruptionTarget], {
    client: server.local,
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
})
afterAll(async () => {
  await controllers.stop()
  await server.close()
})
beforeEach(async () => {
  namespace = await freshNamespace(server)
})

const budgets = (name = ''): string =>
  `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets${name === '' ? '' : `/${name}`}`
const selector = { matchLabels: { app: 'x' } }
async function budget(name: string, spec: object): Promise<void> {
  const answer = await server.call('POST', budgets(), { body: { metadata: { name }, spec: { selector, ...spec } } })
  expect(answer.status, answer.text).toBe(201)
  expect(answer.headers['warning']).toBeUndefined()
}
const observed = (name: string, expected: object): Promise<unknown> =>
  eventually(`the status of ${name}`, async () => {
    const { metadata, status } = (await server.call('GET', budgets(name))).json
    return (
      status.observedGeneration === metadata.generation &&
      Object.entries(expected).every(([field, value]) => status[field] === value)
    )
  })
async function pod(name: string, { phase = 'Running', ready = true } = {}): Promise<Pod> {
  const made = await server.local.create(pods, {
    metadata: { namespace, name, labels: { app: 'x' } },
    spec: { nodeName: 'node', containers: [{ name: 'c', image: 'x:1' }] },
  })
  const status: PodStatus = { ...made.status, phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] }
  return server.local.update(pods, { ...made, status }, { subresource: 'status' })
}
const evict = (name: string, options: object = {}, query = ''): Promise<Answer> =>
  server.call('POST', `/api/v1/namespaces/${namespace}/pods/${name}/eviction${query}`, {
    body: { kind: 'Eviction', apiVersion: 'policy/v1', metadata: { name }, deleteOptions: options },
  })
const stored = async (name: string): Promise<Answer['json']> =>
  (await server.call('GET', `/api/v1/namespaces/${namespace}/pods/${name}`)).json

test(`${suite} should block an eviction until the PDB is updated to allow it [Conformance]`, async () => {
  await Promise.all(['a', 'b', 'c'].map(name => pod(name)))
  await budget('b', { minAvailable: 3 })
  await observed('b', { currentHealthy: 3, disruptionsAllowed: 0 })
  const refused = await evict('a')
  expect(refused.status).toBe(429)
  expect(refused.json).toMatchObject({
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [
        { reason: 'DisruptionBudget', message: 'The disruption budget b needs 3 healthy pods and has 3 currently' },
      ],
    },
  })
  await server.call('PATCH', budgets('b'), {
    body: { spec: { minAvailable: 2 } },
    headers: { 'Content-Type': 'application/merge-patch+json' },
  })
  await observed('b', { disruptionsAllowed: 1 })
  expect((await evict('a', {}, '?dryRun=All')).status).toBe(201)
  expect((await evict('a', { dryRun: ['All'] })).status).toBe(201)
  expect((await stored('a')).metadata.deletionTimestamp).toBeUndefined()
  expect((await evict('a')).json).toMatchObject({ kind: 'Status', status: 'Success' })
  expect(await stored('a')).toMatchObject({
    metadata: { deletionTimestamp: expect.any(String) as string },
    status: {
      conditions: expect.arrayContaining([
        expect.objectContaining({
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'EvictionByEvictionAPI',
          message: 'Eviction API: evicting',
        }),
      ]) as unknown[],
    },
  })
  expect((await evict('b')).status).toBe(429)
})

test('the last place is taken once, before the controller counts again', async () => {
  await Promise.all(['a', 'b', 'c'].map(name => pod(name)))
  await budget('b', { minAvailable: 2 })
  await observed('b', { disruptionsAllowed: 1 })
  const answers = await Promise.all(['a', 'b', 'c'].map(name => evict(name)))
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 429, 429])
})

test('what nobody misses goes without asking: pending and finished pods, and those not ready while enough others are', async () => {
  await Promise.all([
    pod('ready'),
    pod('unready', { ready: false }),
    pod('pending', { phase: 'Pending', ready: false }),
    pod('over', { phase: 'Failed', ready: false }),
  ])
  await budget('b', { minAvailable: 1 })
  await observed('b', { currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 })
  expect((await evict('ready')).status).toBe(429)
  for (const name of ['unready', 'pending', 'over']) expect((await evict(name)).status, name).toBe(201)
})

test.each([
  ['IfHealthyBudget', 429],
  ['AlwaysAllow', 201],
])('a pod that is not ready while too few are, with %s', async (policy, status) => {
  await pod('unready', { ready: false })
  await budget('b', { minAvailable: 1, unhealthyPodEvictionPolicy: policy })
  await observed('b', { currentHealthy: 0, desiredHealthy: 1 })
  expect((await evict('unready')).status).toBe(status)
})

test('a budget that is not counted yet says so, two budgets are too many, and no pod is none', async () => {
  await pod('a')
  await budget('b', { minAvailable: 0 })
  await observed('b', { disruptionsAllowed: 1 })
  await server.call('PATCH', `${budgets('b')}/status`, {
    body: { status: { observedGeneration: 0 } },
    headers: { 'Content-Type': 'application/merge-patch+json' },
  })
  expect((await evict('none')).status).toBe(404)
  await observed('b', { disruptionsAllowed: 1 })
  await budget('other', { minAvailable: 0 })
  const answer = await evict('a')
  expect(answer.status).toBe(500)
  expect(answer.json.message).toBe(
    'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
  )
})

test.each([
  ['another name', { name: 'x' }],
  ['no name', {}],
])('an eviction of %s is refused', async (_what, metadata) => {
  await pod('named')
  const { json } = await server.call('POST', `/api/v1/namespaces/${namespace}/pods/named/eviction`, {
    body: { metadata },
  })
  expect([json.code, json.reason, json.message]).toEqual([
    400,
    'BadRequest',
    'name in URL does not match name in Eviction object',
  ])
})

test('an eviction of another namespace is refused', async () => {
  await pod('placed')
  const { json } = await server.call('POST', `/api/v1/namespaces/${namespace}/pods/placed/eviction`, {
    body: { metadata: { name: 'placed', namespace: 'elsewhere' } },
  })
  expect([json.code, json.message]).toEqual([
    400,
    'the namespace of the provided object does not match the namespace sent on the request',
  ])
})

test(`${suite} should observe PodDisruptionBudget status updated [Conformance]`, async () => {
  await Promise.all(['a', 'b', 'c'].map(name => pod(name)))
  await budget('b', { minAvailable: 1 })
  await observed('b', { currentHealthy: 3, expectedPods: 3, desiredHealthy: 1, disruptionsAllowed: 2 })
  await server.call('DELETE', `/api/v1/namespaces/${namespace}/pods/a`, { body: { gracePeriodSeconds: 0 } })
  await observed('b', { currentHealthy: 2, disruptionsAllowed: 1 })
})

test(`${suite} Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets [Conformance]`, async () => {
  for (const name of ['b1', 'b2', 'b3'])
    await server.call('POST', budgets(), {
      body: { metadata: { name, labels: { suite: namespace } }, spec: { minAvailable: 1, selector } },
    })
  expect(
    (await server.call('GET', `/apis/policy/v1/poddisruptionbudgets?labelSelector=suite=${namespace}`)).json.items,
  ).toHaveLength(3)
  await server.call('DELETE', `${budgets()}?labelSelector=suite=${namespace}`)
  expect((await server.call('GET', budgets())).json.items).toEqual([])
})

test(`${suite} should update/patch PodDisruptionBudget status [Conformance]`, async () => {
  await pod('a')
  await budget('b', { minAvailable: 1 })
  await observed('b', { currentHealthy: 1 })
  const path = `${budgets('b')}/status`
  const { json } = await server.call('GET', path)
  const updated = await server.call('PUT', path, {
    body: { ...json, status: { ...json.status, disruptedPods: { a: json.metadata.creationTimestamp } } },
  })
  expect(updated.json.status.disruptedPods).toEqual({ a: json.metadata.creationTimestamp })
  const patched = await server.call('PATCH', path, {
    body: { status: { disruptedPods: null } },
    headers: { 'Content-Type': 'application/merge-patch+json' },
  })
  expect(patched.status).toBe(200)
  expect(patched.json.status.disruptedPods).toBeUndefined()
})

test(`${suite} should create a PodDisruptionBudget [Conformance]`, async () => {
  await budget('b', { minAvailable: '1%' })
  const patched = await server.call('PATCH', budgets('b'), {
    body: { spec: { minAvailable: '2%' } },
    headers: { 'Content-Type': 'application/strategic-merge-patch+json' },
  })
  expect(patched.json.spec.minAvailable).toBe('2%')
  await observed('b', { expectedPods: 0, disruptionsAllowed: 0 })
  expect((await server.call('DELETE', budgets('b'))).status).toBe(200)
})

test('a share is one of what the deployment behind the pods wants, and changes with it', async () => {
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } }
  const deployment = await server.local.create(deployments, {
    metadata: { namespace, name: 'd' },
    spec: { replicas: 4, selector, template },
  })
  const owned = (resource: Resource, owner: KubeObject): KubeObject['metadata']['ownerReferences'] => [
    controllerReference(owner, resource),
  ]
  const set = await server.local.create(replicaSets, {
    metadata: { namespace, name: 'd-1', ownerReferences: owned(deployments, deployment) },
    spec: { replicas: 2, selector, template },
  })
  for (const name of ['a', 'b', 'c']) {
    const made = await pod(name)
    await server.local.update(pods, {
      ...made,
      metadata: { ...made.metadata, ownerReferences: owned(replicaSets, set) },
    })
  }
  await budget('b', { maxUnavailable: '50%' })
  await observed('b', { expectedPods: 4, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 })
  await server.local.update(deployments, {
    ...deployment,
    metadata: { ...deployment.metadata, resourceVersion: '' },
    spec: { ...deployment.spec, replicas: 6 },
  })
  await observed('b', { expectedPods: 6, desiredHealthy: 3, disruptionsAllowed: 0 })
  await server.local.delete(replicaSets, { namespace, name: 'd-1' })
  await server.call('PATCH', budgets('b'), {
    body: { spec: { maxUnavailable: '60%' } },
    headers: { 'Content-Type': 'application/merge-patch+json' },
  })
  const failed = await eventually('the budget cannot be counted', async () => {
    const { status } = (await server.call('GET', budgets('b'))).json
    return status.conditions[0].reason === 'SyncFailed' && status
  })
  expect(failed.conditions[0].message).toBe('found no controllers for pod "a"')
})

test('who announced a disruption and did not go through with it is not believed for ever', async () => {
  const made = await pod('a')
  await server.local.update(
    pods,
    {
      ...made,
      status: {
        ...made.status,
        conditions: [
          ...made.status.conditions!,
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'PreemptionByScheduler',
            lastTransitionTime: new Date(clock.now()).toISOString(),
          },
        ],
      },
    },
    { subresource: 'status' },
  )
  const condition = async (): Promise<unknown> =>
    (await stored('a')).status.conditions.find(({ type }: { type: string }) => type === 'DisruptionTarget')
  await clock.advance(119_000)
  expect(await condition()).toMatchObject({ status: 'True' })
  await clock.advance(2_000)
  await eventually(
    'the condition is taken back',
    async () => ((await condition()) as { status: string }).status === 'False',
  )
})
