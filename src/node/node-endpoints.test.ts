import { Readable } from 'node:stream'
import { beforeEach, expect, test } from 'vitest'
import { pods } from '../api/resources.ts'
import type { ContainerStats, ContainerSummary, Runtime } from '../cri/runtime.ts'
import { FakeClient } from '../testing/fake-client.ts'
import { testPod } from '../testing/pods.ts'
import type { NodeAnswer } from '../streams/node-streams.ts'
import { nodeEndpoint } from './node-endpoints.ts'

const labels = {
  'io.kubernetes.pod.name': 'here',
  'io.kubernetes.pod.namespace': 'default',
  'io.kubernetes.pod.uid': 'u',
  'io.kubernetes.container.name': 'c',
}
const stats = [
  { labels, cpuUsageNanoSeconds: 2e9, memoryWorkingSetBytes: 7, memoryUsageBytes: 8, memoryRssBytes: 6 },
] as unknown as ContainerStats[]
const runtime = {
  ready: async () => {},
  containerStats: async () => stats,
  listContainers: async () =>
    [
      { labels, state: 'running' },
      { labels: {}, state: 'exited' },
    ] as unknown as ContainerSummary[],
} as unknown as Runtime

let ask: (path: string, query?: string) => Promise<NodeAnswer>
beforeEach(async () => {
  const client = new FakeClient()
  await client.create(pods, testPod('here', {}, { nodeName: 'n' }))
  await client.create(pods, testPod('elsewhere', {}, { nodeName: 'm' }))
  const answer = nodeEndpoint({
    client,
    runtime,
    nodeName: 'n',
    maximumPods: 9,
    now: () => 0,
    logs: async ({ pod }, options) => Readable.from([`${pod} ${JSON.stringify(options)}`]),
  })
  ask = (path, query = '') => answer(path, new URLSearchParams(query))
})
const parsed = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse((await ask(path)).body as string) as Record<string, unknown>

test('says what runs and what it uses', async () => {
  expect(await parsed('/pods/')).toMatchObject({ kind: 'PodList', items: [{ metadata: { name: 'here' } }] })
  expect((await parsed('/pods'))['items']).toHaveLength(1)
  expect(await parsed('/runningpods/')).toMatchObject({
    items: [{ metadata: { name: 'here', namespace: 'default', uid: 'u' }, spec: { containers: [{ name: 'c' }] } }],
  })
  expect(await parsed('/stats/summary')).toMatchObject({
    node: { nodeName: 'n', memory: { workingSetBytes: 7 }, cpu: { usageCoreNanoSeconds: 2e9 } },
  })
  expect((await ask('/metrics')).body).toContain(
    'container_cpu_usage_seconds_total{container="c",namespace="default",pod="here"} 2\n',
  )
  expect(await parsed('/configz')).toMatchObject({ kubeletconfig: { maxPods: 9 } })
  expect(await ask('/healthz')).toMatchObject({ status: 200, body: 'ok' })
})

test('shows logs of containers', async () => {
  const { body } = await ask('/containerLogs/default/here/c', 'tailLines=3&follow=true')
  expect(await (body as Readable).toArray()).toEqual([
    'here {"follow":true,"previous":false,"timestamps":false,"tailLines":3}',
  ])
  await expect(ask('/containerLogs/default/elsewhere/c')).rejects.toThrow('pods "elsewhere" not found')
})

test("shows the machine's logs and nothing outside their directory", async () => {
  expect(await ask('/logs/')).toMatchObject({ status: 200, contentType: 'text/html; charset=utf-8' })
  expect((await ask('/logs/..%2f..%2fetc/passwd')).status).toBe(404)
  expect((await ask('/logs/../../etc/passwd')).status).toBe(404)
  expect((await ask('/logs/nothing-of-this-name')).status).toBe(404)
  expect((await ask('/nothing')).status).toBe(404)
})
