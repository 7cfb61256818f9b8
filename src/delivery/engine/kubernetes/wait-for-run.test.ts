// Waiting for a run that does not begin, with a real API server and time that the test moves; controllers are played by
// the test.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CoreEvent, Job, Pod } from '../../../api/generated/models.ts'
import { events, jobs, pods } from '../../../api/resources.ts'
import { eventually } from '../../../testing/eventually.ts'
import { FakeClock, settle } from '../../../testing/fake-clock.ts'
import { freshNamespace } from '../../../testing/fresh-namespace.ts'
import { startTestServer, type TestServer } from '../../../testing/in-process-server.ts'
import { waitForRun } from './wait-for-run.ts'

let server: TestServer
let clock: FakeClock
let namespace: string
let job: Job
let told: string[]
let heldUp: string[]
beforeEach(async () => {
  server = await startTestServer()
  clock = new FakeClock()
  namespace = await freshNamespace(server)
  told = []
  heldUp = []
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'web', image: 'x' }] } }
  job = await server.local.create<Job>(jobs, {
    metadata: { name: 'run', namespace },
    spec: { template } as Job['spec'],
  })
  await server.local.create<Pod>(pods, {
    metadata: {
      name: 'run-a',
      namespace,
      labels: { 'batch.kubernetes.io/job-name': 'run' },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'run', uid: job.metadata.uid, controller: true }],
    },
    spec: template.spec as Pod['spec'],
  })
  await unplaced('0/1 nodes: no cpu')
})
afterEach(() => server.close())

function unplaced(message: string): Promise<Pod> {
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }]
  return server.local.patch(
    pods,
    { namespace, name: 'run-a' },
    { type: 'merge', value: { status: { conditions } } },
    { subresource: 'status' },
  )
}

async function begun(): Promise<{ readonly waiting: ReturnType<typeof waitForRun> }> {
  const waiting = waitForRun({
    client: Object.assign(server.local, { raw: () => Promise.reject(new Error('nothing is written')) }),
    clock,
    job,
    watch: {
      progress: text => told.push(text),
      heldUp: text => heldUp.push(text),
      timeLimitSeconds: 300,
      signal: new AbortController().signal,
    },
  })
  waiting.catch(() => {})
  await eventually('it is seen', () => told.some(line => line.includes('finds no node')))
  return { waiting }
}

const isToldToEnd = async (): Promise<boolean> =>
  (await server.local.get(jobs, { namespace, name: 'run' })).spec.activeDeadlineSeconds === 1

test('one whose pod finds no node is told of once, and ended when nobody made room for a minute', async () => {
  const { waiting } = await begun()
  await clock.advance(50_000)
  await unplaced('0/2 nodes: no cpu')
  await eventually('the news is seen', () => told.at(-1)?.includes('0/2') === true)
  expect(heldUp).toEqual(['pod run-a finds no node: 0/1 nodes: no cpu'])
  await clock.advance(10_000)
  await eventually('it is told to end', isToldToEnd)
  await clock.advance(30_000)
  expect(await waiting).toMatchObject({ exitCode: 1, reason: 'pod run-a finds no node: 0/2 nodes: no cpu' })
})

test('one whose pod gets a node made for it goes on to the end of its time', async () => {
  await server.local.create<CoreEvent>(events, {
    metadata: { name: 'up', namespace },
    involvedObject: { kind: 'Pod', namespace, name: 'run-a' },
    reason: 'TriggeredScaleUp',
    type: 'Normal',
    message: 'a node comes',
  })
  const { waiting } = await begun()
  await clock.advance(299_000)
  await settle()
  expect(await isToldToEnd()).toBe(false)
  await clock.advance(1_000)
  await eventually('it is told to end', isToldToEnd)
  await clock.advance(30_000)
  expect(await waiting).toMatchObject({ reason: 'it was not done within 300 seconds' })
})
