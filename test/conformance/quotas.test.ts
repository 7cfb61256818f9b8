// Conformance of resource quotas.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'
import { Api, type Json } from './api.ts'
import { replace } from './operations.ts'

let cluster: TestCluster
let api: Api
let root: string
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 0 })
  api = new Api(cluster.server)
})
afterAll(() => cluster.stop())
beforeEach(async () => {
  root = `/api/v1/namespaces/${await api.namespace()}`
})

const quotas = (): string => `${root}/resourcequotas`
const everything = {
  pods: '5',
  cpu: '1',
  memory: '500Mi',
  'ephemeral-storage': '50Gi',
  'requests.example.com/dongle': '3',
  services: '10',
  'services.nodeports': '1',
  'services.loadbalancers': '1',
  resourcequotas: '1',
  configmaps: '5',
  secrets: '10',
  replicationcontrollers: '10',
  'count/replicasets.apps': '5',
}
const used = (name: string, expected: Record<string, string>): Promise<Json> =>
  api.until(`${quotas()}/${name}`, ({ status }) =>
    Object.entries(expected).every(([resource, value]) => status.used?.[resource] === value),
  )
async function quota(name: string, hard: Record<string, string>, spec: object = {}): Promise<void> {
  await api.post(quotas(), { metadata: { name }, spec: { hard, ...spec } })
  await used(
    name,
    Object.fromEntries(
      Object.keys(hard)
        .filter(key => !['configmaps', 'resourcequotas'].includes(key))
        .map(key => [key, '0']),
    ),
  )
}
const pod = (name: string, requests: Record<string, string> = {}, spec: object = {}): Json => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'x:1', resources: { requests, limits: requests } }], ...spec },
})
const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } }

test('ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated. [Conformance]', async () => {
  await quota('q', everything)
  expect((await api.get(`${quotas()}/q`)).status.hard).toEqual(everything)
})

describe('the life of', () => {
  test.each([
    [
      'ResourceQuota should create a ResourceQuota and capture the life of a configMap. [Conformance]',
      'configmaps',
      'configmaps',
      { data: { a: '1' } },
      '1',
    ],
    [
      'ResourceQuota should create a ResourceQuota and capture the life of a secret. [Conformance]',
      'secrets',
      'secrets',
      { stringData: { a: '1' } },
      '0',
    ],
    [
      'ResourceQuota should create a ResourceQuota and capture the life of a replication controller. [Conformance]',
      'replicationcontrollers',
      'replicationcontrollers',
      { spec: { replicas: 0, selector: { app: 'x' }, template } },
      '0',
    ],
    [
      'ResourceQuota should create a ResourceQuota and capture the life of a replica set. [Conformance]',
      'replicasets',
      'count/replicasets.apps',
      { spec: { replicas: 0, selector: { matchLabels: { app: 'x' } }, template } },
      '0',
    ],
  ])('%s', async (_codename, plural, resource, content, before) => {
    // The certificate that every namespace gets counts too.
    if (plural === 'configmaps') await api.until(`${root}/configmaps/kube-root-ca.crt`, () => true)
    await quota('q', { [resource]: '5' })
    await used('q', { [resource]: before })
    const collection =
      plural === 'replicasets' ? `${root.replace('/api/v1', '/apis/apps/v1')}/replicasets` : `${root}/${plural}`
    await api.post(collection, { metadata: { name: 'x' }, ...content })
    await used('q', { [resource]: String(Number(before) + 1) })
    await api.delete(`${collection}/x`)
    await used('q', { [resource]: before })
  })

  test('ResourceQuota should create a ResourceQuota and capture the life of a service. [Conformance]', async () => {
    await quota('q', everything)
    const service = (name: string, type: string): object => ({
      metadata: { name },
      spec: { type, ports: [{ port: 80 }] },
    })
    await api.post(`${root}/services`, service('a', 'ClusterIP'))
    await api.post(`${root}/services`, service('b', 'NodePort'))
    await used('q', { services: '2', 'services.nodeports': '1' })
    const refused = await api.refused(403, 'POST', `${root}/services`, service('c', 'LoadBalancer'))
    expect(refused.message).toContain(
      'exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1',
    )
    for (const name of ['a', 'b']) await api.delete(`${root}/services/${name}`)
    await used('q', { services: '0', 'services.nodeports': '0', 'services.loadbalancers': '0' })
  })

  test('ResourceQuota should create a ResourceQuota and capture the life of a pod. [Conformance]', async () => {
    await quota('q', everything)
    const requests = { cpu: '500m', memory: '252Mi', 'ephemeral-storage': '30Gi', 'example.com/dongle': '2' }
    await api.post(`${root}/pods`, pod('a', requests))
    const usage = {
      pods: '1',
      cpu: '500m',
      memory: '252Mi',
      'ephemeral-storage': '30Gi',
      'requests.example.com/dongle': '2',
    }
    await used('q', usage)
    await api.refused(403, 'POST', `${root}/pods`, pod('b', { cpu: '600m', memory: '100Mi' }))
    await api.refused(
      403,
      'POST',
      `${root}/pods`,
      pod('b', { cpu: '500m', memory: '100Mi', 'ephemeral-storage': '30Gi', 'example.com/dongle': '2' }),
    )
    const current = await api.get(`${root}/pods/a`)
    current.spec.containers[0].resources.requests.memory = '100Mi'
    await api.refused(422, 'PUT', `${root}/pods/a`, current)
    await used('q', usage)
    await api.delete(`${root}/pods/a`, { gracePeriodSeconds: 0 })
    await used('q', Object.fromEntries(Object.keys(usage).map(key => [key, '0'])))
  })
})

describe('scopes', () => {
  const moves = async (pods: Json, counting: string, other: string, resources: string[]): Promise<void> => {
    await api.post(`${root}/pods`, pods)
    await used(counting, { pods: '1' })
    await used(other, Object.fromEntries(resources.map(resource => [resource, '0'])))
    await api.delete(`${root}/pods/${pods.metadata.name}`, { gracePeriodSeconds: 0 })
    await used(counting, { pods: '0' })
  }

  test('ResourceQuota should verify ResourceQuota with best effort scope. [Conformance]', async () => {
    await quota('best', { pods: '5' }, { scopes: ['BestEffort'] })
    await quota('not-best', { pods: '5' }, { scopes: ['NotBestEffort'] })
    await moves(pod('a'), 'best', 'not-best', ['pods'])
    await moves(pod('b', { cpu: '500m', memory: '200Mi' }), 'not-best', 'best', ['pods'])
  })

  test('ResourceQuota should verify ResourceQuota with terminating scopes. [Conformance]', async () => {
    const hard = {
      pods: '5',
      'requests.cpu': '1',
      'requests.memory': '500Mi',
      'limits.cpu': '2',
      'limits.memory': '1Gi',
    }
    await quota('ending', hard, { scopes: ['Terminating'] })
    await quota('lasting', hard, { scopes: ['NotTerminating'] })
    const resources = { cpu: '500m', memory: '200Mi' }
    await moves(pod('a', resources), 'lasting', 'ending', Object.keys(hard))
    await moves(pod('b', resources, { activeDeadlineSeconds: 3600 }), 'ending', 'lasting', Object.keys(hard))
  })
})

test('ResourceQuota should be able to update and delete ResourceQuota. [Conformance]', async () => {
  await quota('q', { cpu: '1', memory: '500Mi' })
  await replace(api, `${quotas()}/q`, object => {
    object.spec.hard = { cpu: '2', memory: '1Gi' }
  })
  expect((await api.get(`${quotas()}/q`)).spec.hard).toEqual({ cpu: '2', memory: '1Gi' })
  await api.until(`${quotas()}/q`, ({ status }) => status.hard.cpu === '2')
  await api.delete(`${quotas()}/q`)
  await api.refused(404, 'GET', `${quotas()}/q`)
})

test('ResourceQuota should manage the lifecycle of a ResourceQuota [Conformance]', async () => {
  await api.post(quotas(), {
    metadata: { name: 'q', labels: { e2e: root.split('/').at(-1) } },
    spec: { hard: { cpu: '1', memory: '500Mi' } },
  })
  expect(await api.items('/api/v1/resourcequotas', `e2e=${root.split('/').at(-1)}`)).toHaveLength(1)
  await api.patch(
    `${quotas()}/q`,
    { metadata: { labels: { q: 'patched' } }, spec: { hard: { memory: '750Mi' } } },
    'strategic',
  )
  expect((await api.get(`${quotas()}/q`)).spec.hard).toEqual({ cpu: '1', memory: '750Mi' })
  await api.delete(`${quotas()}?labelSelector=q=patched`)
  await api.gone(`${quotas()}/q`)
})

test('ResourceQuota should apply changes to a resourcequota status [Conformance]', async () => {
  const path = `${quotas()}/q`
  await quota('q', { cpu: '500m', memory: '500Mi' })
  await replace(api, path, object => {
    object.spec.hard = { cpu: '1', memory: '1Gi' }
  })
  await api.until(path, ({ status }) => status.hard.cpu === '1' && status.hard.memory === '1Gi')
  const updated = await replace(api, `${path}/status`, object => {
    object.status.hard = { cpu: '2', memory: '2Gi' }
  })
  expect(updated.status.hard).toEqual({ cpu: '2', memory: '2Gi' })
  const patched = await api.patch(`${path}/status`, {
    spec: { hard: { cpu: '9' } },
    status: { hard: { cpu: '3', memory: '3Gi' } },
  })
  expect(patched.status.hard).toEqual({ cpu: '3', memory: '3Gi' })
  expect(patched.spec.hard).toEqual({ cpu: '1', memory: '1Gi' })
  expect((await api.get(`${path}/status`)).spec.hard).toEqual({ cpu: '1', memory: '1Gi' })
  // The controller puts right what others wrote.
  await api.until(path, ({ status }) => status.hard.cpu === '1' && status.hard.memory === '1Gi')
})
