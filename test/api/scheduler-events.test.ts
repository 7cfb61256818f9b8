// What the scheduler tells about pods, as readers of both groups of events see it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodes, pods } from '../../src/api/resources.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 0 })
  await cluster.addNode('small', { cpu: '1', memory: '1Gi', pods: '10' })
})
afterAll(() => cluster.stop())

const create = (name: string, cpu: string) =>
  cluster.client.create(pods, {
    metadata: { namespace: 'default', name },
    spec: { containers: [{ name: 'c', image: 'x:1', resources: { requests: { cpu } } }] },
  } as never)

async function eventsOf(name: string, group: string, about: string, headers = {}) {
  return (
    await cluster.server.call('GET', `/${group}/namespaces/default/events?fieldSelector=${about}.name=${name}`, {
      headers,
    })
  ).json
}

test('a binding is told with who did it, where and when, in both groups', async () => {
  const {
    metadata: { uid, name, resourceVersion },
  } = await create('fits', '1m')
  const [event] = await eventually('the event', async () => {
    const { items } = await eventsOf('fits', 'api/v1', 'involvedObject')
    return items.filter(({ reason }: { reason: string }) => reason === 'Scheduled').length > 0 && items
  })
  const subject = { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name, uid, resourceVersion }
  const common = {
    type: 'Normal',
    reason: 'Scheduled',
    action: 'Binding',
    eventTime: expect.stringMatching(/^\d{4}-.*\.\d{6}Z$/),
    reportingInstance: 'default-scheduler-test-host',
  }
  expect(event).toMatchObject({
    ...common,
    involvedObject: subject,
    message: 'Successfully assigned default/fits to small',
    reportingComponent: 'default-scheduler',
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
    metadata: { name: expect.stringMatching(/^fits\.[0-9a-f]+$/) },
  })
  const {
    items: [asNew],
  } = await eventsOf('fits', 'apis/events.k8s.io/v1', 'regarding')
  expect(asNew).toMatchObject({
    ...common,
    regarding: subject,
    note: 'Successfully assigned default/fits to small',
    reportingController: 'default-scheduler',
    deprecatedSource: {},
    deprecatedFirstTimestamp: null,
    deprecatedLastTimestamp: null,
  })
  for (const absent of ['count', 'series', 'related']) expect(event).not.toHaveProperty(absent)
  const { rows, columnDefinitions } = await eventsOf('fits', 'api/v1', 'involvedObject', {
    Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  })
  const cell = (column: string): unknown =>
    rows[0].cells[columnDefinitions.findIndex(({ name: title }: { name: string }) => title === column)]
  expect([cell('Source'), cell('Object'), cell('Count')]).toEqual([
    'default-scheduler, default-scheduler-test-host',
    'pod/fits',
    1,
  ])
})

test('each failed attempt is told; those about an unchanged pod are a series', async () => {
  await create('large', '2')
  const failures = (what: string, count: number, inSeries: unknown[]) =>
    eventually(what, async () => {
      const { items } = await eventsOf('large', 'api/v1', 'involvedObject')
      const series = items.flatMap((item: { series?: object }) => item.series ?? [])
      return items.length === count && series.length === inSeries.length && items
    })
  const tryAgain = (label: string) =>
    cluster.client.patch(nodes, { name: 'small' }, { type: 'merge', value: { metadata: { labels: { again: label } } } })
  await failures('the first attempt', 1, [])
  await eventually('its condition', () =>
    cluster.client
      .informer(pods)
      .get({ namespace: 'default', name: 'large' })
      ?.status.conditions?.some(({ reason }) => reason === 'Unschedulable'),
  )
  await tryAgain('a')
  await failures('the second, of a pod with a condition by now', 2, [])
  await tryAgain('b')
  const items = await failures('the third, as a series', 2, [1])
  const message =
    '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'
  for (const item of items)
    expect(item).toMatchObject({ type: 'Warning', reason: 'FailedScheduling', action: 'Scheduling', message })
  expect(items.find(({ series }: { series?: object }) => series).series).toEqual({
    count: 2,
    lastObservedTime: expect.stringMatching(/\.\d{6}Z$/),
  })
})
