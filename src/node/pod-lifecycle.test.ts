// The whole agent over a simulated runtime, with time in the test's hand.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { events, nodes, pods, leases } from '../api/resources.ts'
import { RuntimeError } from '../cri/runtime.ts'
import { SimulatedRuntime, type SimulatedProgram } from '../cri/simulated-runtime.ts'
import { silentLogger } from '../lib/logger.ts'
import { eventually } from '../testing/eventually.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { FakeClient } from '../testing/fake-client.ts'
import { testPod } from '../testing/pods.ts'
import { startNodeAgent, type NodeAgent } from './node-agent.ts'

const image = 'sampan.local/busybox:1'
let directory: string
let clock: FakeClock
let client: FakeClient
let runtime: SimulatedRuntime
let agent: NodeAgent
let program: SimulatedProgram

async function startAgent(): Promise<void> {
  agent = await startNodeAgent({
    client,
    runtime,
    clock,
    nodeName: 'node-1',
    dataDirectory: directory,
    logger: silentLogger,
    network: {
      podCidr: '10.42.0.0/16',
      serviceCidr: '10.43.0.0/16',
      dnsAddress: '10.43.0.10',
      nodeAddress: '10.42.255.1',
      domain: 'cluster.local',
    },
  })
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sampan-agent-'))
  clock = new FakeClock()
  client = new FakeClient()
  program = {}
  runtime = new SimulatedRuntime({ clock, images: [image], program: () => program })
  await startAgent()
})
afterEach(async () => {
  await agent.stop()
  await rm(directory, { recursive: true, force: true })
})

const show = () => client.informer(pods).get({ namespace: 'default', name: 'web' })
const container = () => show()?.status.containerStatuses?.[0]

/** Files take real time: waits without moving the clock. */
const until = (condition: () => boolean): Promise<boolean> => eventually('condition', condition, 5_000)

const starts = (): number => runtime.journal.filter(entry => entry === 'startContainer main').length

test('the node lives: lease and status are renewed', async () => {
  await clock.advance(200)
  const first = client.informer(leases).get({ namespace: 'kube-node-lease', name: 'node-1' })?.spec?.renewTime
  await clock.advance(10_000)
  expect(client.informer(leases).get({ namespace: 'kube-node-lease', name: 'node-1' })?.spec?.renewTime).not.toBe(first)
  const writes = () => client.journal.filter(entry => entry === 'update nodes/status node-1').length
  expect(writes()).toBe(1)
  await clock.advance(300_000)
  expect(writes()).toBe(2)
  expect(client.informer(nodes).get({ name: 'node-1' })?.status.conditions?.at(-1)).toMatchObject({
    type: 'Ready',
    status: 'True',
  })
})

test('the node tells which images it has, biggest first, soon after one was pulled', async () => {
  const images = () => client.informer(nodes).get({ name: 'node-1' })?.status.images
  expect(images()).toEqual([{ names: [image], sizeBytes: image.length }])
  await client.create(pods, testPod('web', {}, { containers: [{ name: 'main', image: 'sampan.local/another-one:2' }] }))
  await until(() => container()?.ready === true)
  await clock.advance(10_000)
  await until(() => images()?.length === 2)
  expect(images()).toEqual([
    { names: ['sampan.local/another-one:2'], sizeBytes: 26 },
    { names: [image], sizeBytes: image.length },
  ])
  for (let index = 0; index < 60; index++) await runtime.pullImage(`sampan.local/image-with-long-name:${index}`)
  await clock.advance(300_000)
  await until(() => images()?.length === 50)
})

test('a crashing container starts again at once, after 10 s, after 20 s, and is counted', async () => {
  program = { exitsAfterMs: 1_000, exitCode: 1 }
  await client.create(pods, testPod('web', {}))
  await until(() => container()?.state?.running !== undefined)
  await clock.advance(1_000)
  await until(() => starts() === 2)
  await clock.advance(1_000)
  await until(() => container()?.state?.waiting?.reason === 'CrashLoopBackOff')
  await clock.advance(9_900)
  expect(starts()).toBe(2)
  await clock.advance(200)
  await until(() => starts() === 3)
  await clock.advance(1_000)
  await clock.advance(19_700)
  expect(starts()).toBe(3)
  await clock.advance(400)
  await until(() => container()?.state?.running !== undefined && container()?.restartCount === 3)
  expect(container()?.lastState?.terminated?.exitCode).toBe(1)
  expect(
    client
      .informer(events)
      .list()
      .filter(({ reason }) => reason === 'BackOff'),
  ).toMatchObject([
    {
      involvedObject: { kind: 'Pod', name: 'web', fieldPath: 'spec.containers{main}' },
      source: { component: 'kubelet', host: 'node-1' },
      type: 'Warning',
      message: expect.stringContaining('Back-off restarting failed container main in pod web_default(') as string,
    },
  ])
})

test('a stubborn container is given its grace period', async () => {
  program = { stubborn: true }
  await client.create(pods, testPod('web', {}, { terminationGracePeriodSeconds: 20 }))
  await until(() => container()?.ready === true)
  await client.delete(pods, { namespace: 'default', name: 'web' })
  await clock.advance(19_000)
  expect(show()).toBeDefined()
  await clock.advance(1_000)
  await until(() => show() === undefined && runtime.sandboxes.size === 0)
  expect(runtime.journal).toContain('stopContainer main 20')
})

test('a new agent adopts what runs and removes what belongs to nobody', async () => {
  await client.create(pods, testPod('web', {}))
  await until(() => container()?.ready === true)
  const before = container()?.containerID
  await agent.stop()
  await runtime.runPodSandbox({
    name: 'lost',
    uid: 'lost',
    namespace: 'default',
    attempt: 0,
    hostname: '',
    logDirectory: '',
    dns: { servers: [], searches: [], options: [] },
    portMappings: [],
    labels: { 'io.kubernetes.pod.uid': 'lost' },
    annotations: {},
    cgroupParent: '',
    sysctls: {},
    namespaces: { network: 'pod', pid: 'container', ipc: 'pod' },
    privileged: false,
    supplementalGroups: [],
  })
  await startAgent()
  await until(() => runtime.sandboxes.size === 1)
  await clock.advance(5_000)
  expect([container()?.containerID, container()?.restartCount, container()?.ready]).toEqual([before, 0, true])
  expect(starts()).toBe(1)
})

test('a finished pod gives its sandbox back and stays as it ended', async () => {
  program = { exitsAfterMs: 100, exitCode: 0 }
  await client.create(pods, testPod('web', {}, { restartPolicy: 'OnFailure' }))
  await until(() => container()?.state?.running !== undefined)
  await clock.advance(100)
  await until(
    () => show()?.status.phase === 'Succeeded' && [...runtime.sandboxes.values()].every(({ ready }) => !ready),
  )
  await clock.advance(60_000)
  expect(starts()).toBe(1)
})

test('a list that began before the pod did does not end it', async () => {
  const gate = Promise.withResolvers<void>()
  const list = runtime.listPodSandboxes.bind(runtime)
  let lists = 0
  runtime.listPodSandboxes = async () => {
    const seen = await list()
    lists += 1
    await gate.promise
    return seen
  }
  for (let index = 0; index < 5; index++) runtime.publish({ type: 'relist' })
  await client.create(pods, testPod('web', {}, { restartPolicy: 'Never' }))
  await until(() => container()?.ready === true)
  gate.resolve()
  await clock.advance(5_000)
  await until(() => lists === 2)
  expect([...runtime.sandboxes.values()].map(({ ready }) => ready)).toEqual([true])
  expect([container()?.ready, show()?.status.phase, starts()]).toEqual([true, 'Running', 1])
})

test('a runtime that does not answer for a moment does not cost a pod its sandbox', async () => {
  program = { exitsAfterMs: 100, exitCode: 1 }
  await client.create(pods, testPod('web', {}))
  await until(() => container()?.state?.running !== undefined)
  runtime.podSandboxStatus = async () => {
    throw new RuntimeError('Timeout', 'deadline exceeded')
  }
  await clock.advance(100)
  await until(() => starts() === 2)
  expect(runtime.sandboxes.size).toBe(1)
})
