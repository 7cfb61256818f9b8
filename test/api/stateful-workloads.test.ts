// StatefulSets, DaemonSets and CronJobs: the control loops against the real API server and hollow nodes.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DaemonSet, StatefulSet } from '../../src/api/generated/models.ts'
import type { New } from '../../src/api/object.ts'
import { controllerRevisions, cronJobs, daemonSets, jobs, nodes, pods, statefulSets } from '../../src/api/resources.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'

const namespace = 'default'
let cluster: TestCluster

beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 2 })
})
afterAll(() => cluster.stop())

const template = (app: string, image: string) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'c', image }] },
})
const podsOf = (app: string) =>
  cluster.client
    .informer(pods)
    .list(namespace)
    .filter(pod => pod.metadata.labels?.app === app)
    .toSorted((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1))
const images = (app: string): string =>
  podsOf(app)
    .map(pod => `${pod.spec.containers[0]!.image}${pod.metadata.deletionTimestamp === undefined ? '' : '!'}`)
    .join(' ')

test('a StatefulSet comes up in order, is updated, rolled back and scaled', async () => {
  const { client } = cluster
  const wanted: New<StatefulSet> = {
    metadata: { namespace, name: 'web' },
    spec: {
      replicas: 3,
      serviceName: 'web',
      selector: { matchLabels: { app: 'web' } },
      template: template('web', 'one'),
    },
  }
  await client.create(statefulSets, wanted)
  const settled = (image: string, replicas: number) =>
    eventually(`${replicas} of ${image}`, () => {
      const { status, metadata } = client.informer(statefulSets).get({ namespace, name: 'web' })!
      return (
        images('web') === Array.from({ length: replicas }, () => image).join(' ') &&
        status.readyReplicas === replicas &&
        status.currentRevision === status.updateRevision &&
        status.observedGeneration === metadata.generation
      )
    })
  await settled('one', 3)
  const born = podsOf('web').map(pod => Date.parse(pod.metadata.creationTimestamp))
  expect(podsOf('web').map(pod => pod.metadata.name)).toEqual(['web-0', 'web-1', 'web-2'])
  expect(born).toEqual(born.toSorted((left, right) => left - right))
  expect(podsOf('web')[1]!.spec).toMatchObject({ hostname: 'web-1', subdomain: 'web' })

  await client.patch(
    statefulSets,
    { namespace, name: 'web' },
    { type: 'strategic', value: { spec: { template: template('web', 'two') } } },
  )
  await settled('two', 3)
  await client.patch(
    statefulSets,
    { namespace, name: 'web' },
    { type: 'strategic', value: { spec: { template: template('web', 'one') } } },
  )
  await settled('one', 3)
  const history = client
    .informer(controllerRevisions)
    .list(namespace)
    .filter(revision => revision.metadata.name.startsWith('web-'))
  expect(new Set(history.map(({ revision }) => revision))).toEqual(new Set([2, 3]))
  expect(podsOf('web')[0]!.metadata.labels).toMatchObject({
    'controller-revision-hash': history.find(({ revision }) => revision === 3)!.metadata.name,
  })

  await client.patch(statefulSets, { namespace, name: 'web' }, { type: 'merge', value: { spec: { replicas: 1 } } })
  await settled('one', 1)
  await client.delete(pods, { namespace, name: 'web-0' })
  await settled('one', 1)
  await client.delete(statefulSets, { namespace, name: 'web' })
  await eventually(
    'pods and revisions gone',
    () =>
      podsOf('web').length === 0 &&
      client
        .informer(controllerRevisions)
        .list(namespace)
        .every(revision => !revision.metadata.name.startsWith('web-')),
  )
})

test('a DaemonSet follows the nodes, and rolls out', async () => {
  const { client } = cluster
  const wanted: New<DaemonSet> = {
    metadata: { namespace, name: 'agent' },
    spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent', 'one') },
  }
  await client.create(daemonSets, wanted)
  const settled = (image: string, count: number) =>
    eventually(`${count} of ${image}`, () => {
      const { status, metadata } = client.informer(daemonSets).get({ namespace, name: 'agent' })!
      return (
        images('agent') === Array.from({ length: count }, () => image).join(' ') &&
        status.numberAvailable === count &&
        status.updatedNumberScheduled === count &&
        status.desiredNumberScheduled === count &&
        status.observedGeneration === metadata.generation
      )
    })
  await settled('one', 2)
  expect(new Set(podsOf('agent').map(pod => pod.spec.nodeName))).toEqual(new Set(['node-0', 'node-1']))
  await cluster.addNode('node-2')
  await settled('one', 3)
  await client.patch(
    daemonSets,
    { namespace, name: 'agent' },
    { type: 'strategic', value: { spec: { template: template('agent', 'two') } } },
  )
  await settled('two', 3)
  await client.patch(
    nodes,
    { name: 'node-2' },
    { type: 'merge', value: { spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] } } },
  )
  await settled('two', 2)
  const history = client
    .informer(controllerRevisions)
    .list(namespace)
    .filter(revision => revision.metadata.name.startsWith('agent-'))
  expect(new Set(history.map(({ revision }) => revision))).toEqual(new Set([1, 2]))
  await client.delete(daemonSets, { namespace, name: 'agent' })
  await eventually('pods gone', () => podsOf('agent').length === 0)
})

test('a CronJob starts jobs, keeps as many as it shall, and tells when', async () => {
  const { client } = cluster
  cluster.run = pod => (pod.metadata.labels?.app === 'tick' ? { phase: 'Succeeded' } : undefined)
  await client.create(cronJobs, {
    metadata: { namespace, name: 'tick' },
    spec: {
      schedule: '* * * * *',
      startingDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 1,
      jobTemplate: {
        metadata: { labels: { of: 'tick' } },
        spec: {
          template: {
            metadata: { labels: { app: 'tick' } },
            spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] },
          },
        },
      },
    },
  })
  // As if it had been there for two minutes.
  const past = new Date(Date.now() - 120_000).toISOString()
  await client.patch(
    cronJobs,
    { namespace, name: 'tick' },
    { type: 'merge', value: { status: { lastScheduleTime: past } } },
    { subresource: 'status' },
  )
  const job = await eventually('a job', () =>
    client
      .informer(jobs)
      .list(namespace)
      .find(one => one.metadata.labels?.of === 'tick'),
  )
  expect(job.metadata.name).toMatch(/^tick-\d{8}$/)
  expect(job.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']).toMatch(/:00Z$/)
  expect(job.metadata.ownerReferences).toMatchObject([{ kind: 'CronJob', name: 'tick', controller: true }])
  const noted = await eventually('the status', () => {
    const { status } = client.informer(cronJobs).get({ namespace, name: 'tick' })!
    return status?.lastScheduleTime !== undefined && Date.parse(status.lastScheduleTime) > Date.parse(past)
      ? status
      : undefined
  })
  const scheduled = client
    .informer(jobs)
    .list(namespace)
    .map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'])
  expect(scheduled).toContain(noted.lastScheduleTime)
  await client.delete(cronJobs, { namespace, name: 'tick' })
  await eventually('jobs gone', () =>
    client
      .informer(jobs)
      .list(namespace)
      .every(one => one.metadata.labels?.of !== 'tick'),
  )
})
