// Conformance of preemption, and what else a client of the API sees of it: promises, conditions, events. The
// scheduler acts with its own rights only.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'
import { Api, pathsIn, type Json } from './api.ts'

const foo = 'scheduling.example.com/foo'
const priorities = { low: 1, medium: 100, high: 1000 }

let cluster: TestCluster
let api: Api
let namespace: string
beforeEach(async () => {
  cluster = await startTestCluster({ nodes: 0 })
  api = new Api(cluster.server)
  namespace = await api.namespace()
  for (const [name, value] of Object.entries(priorities))
    await api.post('/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name }, value })
})
afterEach(() => cluster.stop())

const core = pathsIn(() => namespace)
const apps = pathsIn(() => namespace, 'apis/apps/v1')
const addNode = (name: string, amount = 3): Promise<void> =>
  cluster.addNode(name, { cpu: '8', memory: '16Gi', pods: '110', [foo]: String(amount) })
const specOf = (priorityClassName: string, amount: number, more: object = {}): object => ({
  priorityClassName,
  containers: [
    {
      name: 'c',
      image: 'sampan.local/busybox:1',
      resources: { requests: { [foo]: String(amount) }, limits: { [foo]: String(amount) } },
    },
  ],
  ...more,
})
const create = (name: string, spec: object, where = namespace): Promise<Json> =>
  api.post(pathsIn(() => where)('pods'), { metadata: { name, labels: { app: name } }, spec })
const running = (name: string, where = namespace): Promise<Json> =>
  api.until(pathsIn(() => where)('pods', name), ({ status }) => status.phase === 'Running')
const onNode = (name: string): object => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }],
      },
    },
  },
})
const isUnschedulable = ({ status }: Json): boolean =>
  status.conditions?.some((condition: Json) => condition.reason === 'Unschedulable') === true
const conditionOf = ({ status }: Json, type: string): Json =>
  status.conditions.find((condition: Json) => condition.type === type)
const eventOf = (name: string, reason: string): Promise<Json> =>
  eventually(`event ${reason} of ${name}`, async () =>
    (await api.items(core('events'))).find(event => event.involvedObject.name === name && event.reason === reason),
  )

test.each([
  ['SchedulerPreemption validates basic preemption works [Conformance]', 'high', ''],
  [
    'SchedulerPreemption validates lower priority pod preemption by critical pod [Conformance]',
    'system-cluster-critical',
    'kube-system',
  ],
])('%s', async (_codename, priorityClass, elsewhere) => {
  const where = elsewhere || namespace
  if (elsewhere) await api.until(pathsIn(() => where)('serviceaccounts', 'default'), () => true)
  for (const [node, pod, priority] of [
    ['one', 'lower', 'low'],
    ['two', 'other', 'medium'],
  ] as const) {
    await addNode(node)
    await create(pod, specOf(priority, 2, onNode(node)))
    await running(pod)
  }
  await create('preemptor', specOf(priorityClass, 2), where)
  const { spec, status } = await running('preemptor', where)
  expect(spec.nodeName).toBe('one')
  expect(status.nominatedNodeName, 'nothing is promised any more').toBeUndefined()
  expect(await api.find(core('pods', 'lower'))).toBeUndefined()
  expect((await api.get(core('pods', 'other'))).metadata.deletionTimestamp).toBeUndefined()
})

test('SchedulerPreemption PreemptionExecutionPath runs ReplicaSets to verify preemption running path [Conformance]', async () => {
  await addNode('one', 1000)
  const watch = await api.watch(core('pods'))
  const classes = [1, 2, 3, 4].map(priority => `p${priority}`)
  for (const [index, name] of classes.entries())
    await api.post('/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name }, value: index + 1 })
  for (const [index, amount] of [200, 300, 450, 500].entries()) {
    const name = classes[index]!
    const labels = { name }
    await api.post(apps('replicasets'), {
      metadata: { name },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: specOf(name, amount) },
      },
    })
    await api.until(apps('replicasets', name), ({ status }) => status.availableReplicas === 1)
  }
  const created = (name: string): number =>
    watch.events.filter(event => event.type === 'ADDED' && event.object.metadata.labels.name === name).length
  await eventually('the sets of the victims replace them', () => created('p1') === 2 && created('p2') === 2)
  expect([created('p3'), created('p4')]).toEqual([1, 1])
  watch.close()
})

test('victims are told why and get their time; the preemptor waits for them on the node it was promised', async () => {
  await addNode('one')
  await api.post(core('pods'), {
    metadata: { name: 'victim', finalizers: ['example.com/hold'] },
    spec: specOf('low', 2),
  })
  await running('victim')
  const {
    metadata: { uid },
  } = await create('preemptor', specOf('high', 2))

  const victim = await api.until(core('pods', 'victim'), ({ metadata }) => metadata.deletionTimestamp !== undefined)
  expect(conditionOf(victim, 'DisruptionTarget')).toMatchObject({
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: 'default-scheduler: preempting to accommodate a higher priority pod',
    observedGeneration: 1,
  })
  expect(await eventOf('victim', 'Preempted')).toMatchObject({
    type: 'Normal',
    message: `Preempted by pod ${uid} on node one`,
    reportingComponent: 'default-scheduler',
    reportingInstance: 'default-scheduler-test-host',
    action: 'Preempting',
    related: { kind: 'Pod', name: 'preemptor', uid },
    eventTime: expect.any(String),
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
  })
  const waiting = await api.until(core('pods', 'preemptor'), ({ status }) => status.nominatedNodeName === 'one')
  expect(conditionOf(waiting, 'PodScheduled')).toMatchObject({
    status: 'False',
    reason: 'Unschedulable',
    message: `0/1 nodes are available: 1 Insufficient ${foo}.`,
    observedGeneration: 1,
  })

  // There would be room beside the victim, but it is needed when the preemptor comes.
  await create('lower', specOf('low', 1))
  const lower = await api.until(core('pods', 'lower'), isUnschedulable)
  expect(conditionOf(lower, 'PodScheduled').message).toBe(
    `0/1 nodes are available: 1 Insufficient ${foo}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.`,
  )

  await api.patch(core('pods', 'victim'), { metadata: { finalizers: null } })
  await Promise.all(['preemptor', 'lower'].map(name => running(name)))
  await api.gone(core('pods', 'victim'))
})

test('a pod of still higher priority takes over what was promised', async () => {
  await addNode('one')
  await api.post(core('pods'), {
    metadata: { name: 'victim', finalizers: ['example.com/hold'] },
    spec: specOf('low', 3),
  })
  await running('victim')
  await create('first', specOf('medium', 3))
  await api.until(core('pods', 'first'), ({ status }) => status.nominatedNodeName === 'one')
  await create('second', specOf('high', 3))
  await api.until(core('pods', 'second'), ({ status }) => status.nominatedNodeName === 'one')
  await api.until(core('pods', 'first'), ({ status }) => status.nominatedNodeName === undefined)
  await api.patch(core('pods', 'victim'), { metadata: { finalizers: null } })
  await running('second')
  expect(isUnschedulable(await api.get(core('pods', 'first')))).toBe(true)
})

test('a pod that must not preempt says so and waits', async () => {
  await addNode('one')
  await api.post('/apis/scheduling.k8s.io/v1/priorityclasses', {
    metadata: { name: 'polite' },
    value: 500,
    preemptionPolicy: 'Never',
  })
  await create('sitting', specOf('low', 2))
  await running('sitting')
  await create('waiting', specOf('polite', 2))
  const waiting = await api.until(core('pods', 'waiting'), isUnschedulable)
  const message = `0/1 nodes are available: 1 Insufficient ${foo}. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.`
  expect(conditionOf(waiting, 'PodScheduled').message).toBe(message)
  expect((await eventOf('waiting', 'FailedScheduling')).message).toBe(message)
  await api.delete(core('pods', 'sitting'))
  await running('waiting')
})

test('a disruption budget turns the choice to another node', async () => {
  for (const [node, priority] of [
    ['one', 'low'],
    ['two', 'medium'],
  ] as const) {
    await addNode(node)
    await create(`on-${node}`, specOf(priority, 2, onNode(node)))
    await running(`on-${node}`)
  }
  const budgets = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`
  await api.post(budgets, {
    metadata: { name: 'keep' },
    spec: { maxUnavailable: 0, selector: { matchLabels: { app: 'on-one' } } },
  })
  await create('preemptor', specOf('high', 2))
  expect((await running('preemptor')).spec.nodeName).toBe('two')
  expect(await api.find(core('pods', 'on-one'))).toBeDefined()
})
