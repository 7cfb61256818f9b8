// Waiting for a run that does not begin, with a real API server and time that the test moves; controllers are played by
// the test.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Job, PodSpec } from '../../../api/generated/models.ts'
import { jobs } from '../../../api/resources.ts'
import { eventually } from '../../../testing/eventually.ts'
import { FakeClock, settle } from '../../../testing/fake-clock.ts'
import { freshNamespace } from '../../../testing/fresh-namespace.ts'
import { startTestServer, type TestServer } from '../../../testing/in-process-server.ts'
import { addUnplacedPod, sayNodeComes, sayUnplaced } from '../../../testing/unplaced-pod.ts'
import { waitForRun } from './wait-for-run.ts'

let server: TestServer
let clock: FakeClock
let namespace: string
let job: Job
beforeEach(async () => {
  server = await startTestServer()
  clock = new FakeClock()
  namespace = await freshNamespace(server)
  const spec: PodSpec = { restartPolicy: 'Never', containers: [{ name: 'web', image: 'x' }] }
  job = await server.local.create<Job>(jobs, { metadata: { name: 'run', namespace }, spec: { template: { spec } } })
  const labels = { 'batch.kubernetes.io/job-name': 'run' }
  await addUnplacedPod(server.local, job, { name: 'run-a', namespace, labels }, spec)
})
afterEach(() => server.close())

interface Wait {
  readonly ended: ReturnType<typeof waitForRun>
  readonly told: readonly string[]
  readonly heldUp: readonly string[]
}

async function begun(): Promise<Wait> {
  const told: string[] = []
  const heldUp: string[] = []
  const ended = waitForRun({
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
  ended.catch(() => {})
  await eventually('it is seen', () => told.some(line => line.includes('finds no node')))
  return { ended, told, heldUp }
}

const isToldToEnd = async (): Promise<boolean> =>
  (await server.local.get(jobs, { namespace, name: 'run' })).spec.activeDeadlineSeconds === 1

test('one whose pod finds no node is told of once, and ended when nobody made room for a minute', async () => {
  const { ended, told, heldUp } = await begun()
  await clock.advance(50_000)
  await sayUnplaced(server.local, { namespace, name: 'run-a' }, '0/2 nodes: no cpu')
  await eventually('the news is seen', () => told.at(-1)?.includes('0/2') === true)
  expect(heldUp).toEqual(['pod run-a finds no node: 0/1 nodes: no cpu'])
  await clock.advance(10_000)
  await eventually('it is told to end', isToldToEnd)
  await clock.advance(30_000)
  expect(await ended).toMatchObject({ exitCode: 1, reason: 'pod run-a finds no node: 0/2 nodes: no cpu' })
})

test('one whose pod gets a node made for it goes on to the end of its time', async () => {
  await sayNodeComes(server.local, namespace, 'run-a')
  const { ended } = await begun()
  await clock.advance(299_000)
  await settle()
  expect(await isToldToEnd()).toBe(false)
  await clock.advance(1_000)
  await eventually('it is told to end', isToldToEnd)
  await clock.advance(30_000)
  expect(await ended).toMatchObject({ reason: 'it was not done within 300 seconds' })
})
