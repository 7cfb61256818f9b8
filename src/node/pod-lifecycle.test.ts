// The whole agent over a simulated runtime, with time in the test's hand.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { events, nodes, pods, leases } from '../api/resources.ts'
import { RuntimeError } from '../cri/runtime.ts'
import { SimulatedRuntime, type SimulatedProgram } from '../cri/simulated-runtime.ts'
import { silentLogger } from '../lib/logger.ts'
import { eventually } from '../testing/eventually.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { FakeClient } from '../testing/fake-client.ts'
import { testPod } from '../testing/pods.ts'
import { endRecorded } from './container-records.ts'
import { startNodeAgent, type NodeAgent } from './node-agent.ts'

const image = 'sampan.local/busybox:1'
let directory: string
let clock: FakeClock
let client: FakeClient
let runtime: SimulatedRuntime
let agent: NodeAgent
let program: SimulatedProgram
/** By container name, where it is not `program`. */
let programs: Record<string, SimulatedProgram>

const newRuntime = (): SimulatedRuntime =>
  new SimulatedRuntime({ clock, images: [image], program: ({ name }) => programs[name] ?? program })

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
  programs = {}
  runtime = newRuntime()
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

test('a stream that the runtime refuses is refused in its words: the container ended a moment ago', async () => {
  const pod = await client.create(pods, testPod('web', {}))
  await until(() => container()?.state?.running !== undefined)
  const refuse = () => Promise.reject(new RuntimeError('Other', 'container is in CONTAINER_EXITED state'))
  Object.assign(runtime, { attach: refuse, exec: refuse, portForward: refuse })
  const target = { namespace: 'default', pod: 'web', podUid: pod.metadata.uid, container: 'main' }
  const streams = { stdin: false, stdout: true, stderr: true, tty: false }
  const told = {
    status: { reason: 'InternalError', message: 'Internal error occurred: container is in CONTAINER_EXITED state' },
  }
  await expect(agent.attach(target, streams)).rejects.toMatchObject(told)
  await expect(agent.exec(target, ['true'], streams)).rejects.toMatchObject(told)
  await expect(agent.portForward(target, 80)).rejects.toMatchObject(told)
  const broken = Object.assign(new Error('write ECONNRESET'), { syscall: 'write' })
  Object.assign(runtime, { attach: () => Promise.reject(broken) })
  await expect(agent.attach(target, streams)).rejects.toThrow('Internal error occurred: write ECONNRESET')
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

test('why a program could not be started is told, where the program itself said nothing', async () => {
  program = { exitsAfterMs: 100, exitCode: 128, reason: 'StartError', message: 'exec: "nosuch": not found' }
  await client.create(pods, testPod('web', {}, { restartPolicy: 'Never' }))
  await until(() => container()?.state?.running !== undefined)
  await clock.advance(1_000)
  await until(() => show()?.status.phase === 'Failed')
  expect(container()?.state?.terminated).toMatchObject({ reason: 'StartError', message: 'exec: "nosuch": not found' })
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

describe('the node stops and starts again', () => {
  const statusOf = (name: string) => show()?.status.containerStatuses?.find(status => status.name === name)

  /** Time passes until the pods have ended. */
  async function stopNode(limitSeconds = 60): Promise<string[][]> {
    const told: string[][] = []
    let isDone = false
    void agent
      .stopPods(limitSeconds, left => told.push([...left]))
      .finally(() => {
        isDone = true
      })
    for (let second = 0; second < 70 && !isDone; second++) {
      await new Promise(setImmediate)
      if (!isDone) await clock.advance(1_000)
    }
    await until(() => isDone)
    await agent.stop()
    return told
  }

  test('containers end as when their pod is deleted: hook, grace, sandbox; what is left is told', async () => {
    await client.create(
      pods,
      testPod(
        'web',
        { lifecycle: { preStop: { exec: { command: ['say', 'goodbye'] } } } },
        { terminationGracePeriodSeconds: 20 },
      ),
    )
    await until(() => container()?.ready === true)
    expect(await stopNode()).toEqual([['default/web'], []])
    const end = runtime.journal.slice(runtime.journal.indexOf('startContainer main') + 1)
    expect(end).toEqual(['exec main say goodbye', 'stopContainer main 20', 'stopPodSandbox web'])
    expect(show()?.status).toMatchObject({
      phase: 'Running',
      containerStatuses: [{ state: { terminated: { exitCode: 0 } } }],
    })
    expect(show()?.status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False')
  })

  test('without an agent, a container is ended as its annotations say', async () => {
    const preStop = { exec: { command: ['say', 'goodbye'] } }
    await client.create(pods, testPod('web', { lifecycle: { preStop } }, { terminationGracePeriodSeconds: 20 }))
    await until(() => container()?.ready === true)
    await agent.stop()
    const before = runtime.journal.length
    await endRecorded(runtime, clock, 15)
    expect(runtime.journal.slice(before)).toEqual(['exec main say goodbye', 'stopContainer main 15'])
  })

  test.each([
    [5, 5],
    [60, 30],
    [0, 0],
  ])('with %i seconds at most, a stubborn container has %i', async (limitSeconds, expected) => {
    program = { stubborn: true }
    await client.create(pods, testPod('web', {}))
    await until(() => container()?.ready === true)
    await stopNode(limitSeconds)
    expect(runtime.journal).toContain(`stopContainer main ${expected}`)
  })

  test('who asks again with less time is obeyed', async () => {
    program = { stubborn: true }
    await client.create(pods, testPod('web', {}))
    await until(() => container()?.ready === true)
    void agent.stopPods(60, () => {})
    await until(() => runtime.journal.includes('stopContainer main 30'))
    await stopNode(2)
    expect(runtime.journal).toContain('stopContainer main 2')
  })

  test('nothing starts any more, neither of the pods that are there nor new ones', async () => {
    program = { exitsAfterMs: 100, exitCode: 1 }
    await client.create(pods, testPod('web', {}))
    await until(() => container()?.state?.running !== undefined)
    await stopNode()
    const before = runtime.journal.length
    await client.create(pods, testPod('later', {}))
    await clock.advance(60_000)
    expect(runtime.journal.slice(before)).toEqual([])
  })

  test('a pod that always runs starts again, is counted, and shows how it ended', async () => {
    await client.create(pods, testPod('web', {}))
    await until(() => container()?.ready === true)
    const before = container()?.containerID
    await stopNode()
    await startAgent()
    await until(() => container()?.ready === true)
    expect(container()).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 0, containerID: before } },
    })
    await stopNode()
    await startAgent()
    await until(() => container()?.restartCount === 2 && container()?.ready === true)
    // One sandbox in use, one with the attempt before; older ones are taken away.
    await until(() => runtime.sandboxes.size === 2)
  })

  test.each([
    ['stops when it is told to', {}, 'Succeeded', 0],
    ['has to be killed', { stubborn: true }, 'Failed', 137],
  ])('a pod that never runs twice, and %s, is over', async (_how, its, phase, exitCode) => {
    program = its
    await client.create(pods, testPod('web', {}, { restartPolicy: 'Never' }))
    await until(() => container()?.ready === true)
    await stopNode()
    expect([show()?.status.phase, container()?.state?.terminated?.exitCode]).toEqual([phase, exitCode])
    await startAgent()
    await clock.advance(60_000)
    expect([starts(), show()?.status.phase]).toEqual([1, phase])
  })

  test('a container that has done its work does not do it again beside one that has not', async () => {
    programs = { quick: { exitsAfterMs: 100, exitCode: 0 }, slow: { stubborn: true } }
    await client.create(
      pods,
      testPod(
        'web',
        {},
        {
          restartPolicy: 'OnFailure',
          containers: [
            { name: 'quick', image },
            { name: 'slow', image },
          ],
        },
      ),
    )
    await until(() => statusOf('slow')?.ready === true && statusOf('quick')?.state?.running !== undefined)
    await clock.advance(200)
    await until(() => statusOf('quick')?.state?.terminated !== undefined)
    await stopNode()
    await startAgent()
    await until(() => statusOf('slow')?.ready === true)
    expect([statusOf('quick')?.restartCount, statusOf('slow')?.restartCount]).toEqual([0, 1])
    expect(statusOf('quick')?.state?.terminated?.exitCode).toBe(0)
    expect(runtime.journal.filter(entry => entry === 'startContainer quick')).toHaveLength(1)
  })

  test('a pod that never runs twice ends although one of its containers had not begun', async () => {
    runtime.pullImage = async () => await new Promise<string>(() => {})
    await client.create(
      pods,
      testPod(
        'web',
        {},
        {
          restartPolicy: 'Never',
          containers: [
            { name: 'main', image },
            { name: 'late', image: 'sampan.local/slow:1' },
          ],
        },
      ),
    )
    await until(() => statusOf('main')?.ready === true)
    await stopNode()
    expect(show()?.status.phase).toBe('Failed')
    expect(statusOf('late')?.state?.terminated?.reason).toBe('ContainerStatusUnknown')
  })

  test('what the runtime has forgotten is known from the status', async () => {
    await client.create(pods, testPod('web', {}))
    await until(() => container()?.ready === true)
    runtime.crash('main', 3)
    await until(() => container()?.restartCount === 1 && container()?.ready === true)
    await stopNode()
    runtime = newRuntime()
    await startAgent()
    await until(() => container()?.ready === true)
    expect(container()).toMatchObject({ restartCount: 2, lastState: { terminated: { exitCode: 0 } } })
  })

  test('a pod that never runs twice does not run again when the runtime has forgotten it', async () => {
    await client.create(pods, testPod('web', {}, { restartPolicy: 'Never' }))
    await until(() => container()?.ready === true)
    await agent.stop()
    runtime = newRuntime()
    await startAgent()
    await until(() => show()?.status.phase === 'Failed')
    expect(container()?.state?.terminated).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown' })
    expect(starts()).toBe(0)
  })

  test('a sandbox that ended long ago is told so once, not again and again', async () => {
    await client.create(pods, testPod('web', {}))
    await until(() => container()?.ready === true)
    await agent.stop()
    for (const { id } of runtime.sandboxes.values()) await runtime.stopPodSandbox(id)
    const before = runtime.journal.length
    await startAgent()
    await until(() => container()?.restartCount === 1 && container()?.ready === true)
    expect(runtime.journal.slice(before).filter(entry => entry === 'stopPodSandbox web')).toHaveLength(1)
  })
})

describe('a pod that the node does not take', () => {
  const named = (name: string) => client.informer(pods).get({ namespace: 'default', name })
  const onPort = (name: string) => testPod(name, { ports: [{ containerPort: 80, hostPort: 8080 }] })

  test('fails with the reason, and nothing of it is made', async () => {
    await client.create(pods, onPort('first'))
    await client.create(pods, onPort('second'))
    await until(() => named('second')?.status.phase === 'Failed')
    expect(named('second')?.status).toMatchObject({
      reason: 'NodePorts',
      message:
        "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    })
    expect(named('second')?.status.containerStatuses).toBeUndefined()
    await until(() => named('first')?.status.phase === 'Running')
    expect(runtime.journal.filter(entry => entry.endsWith(' second'))).toEqual([])
    expect(
      client
        .informer(events)
        .list()
        .find(({ reason }) => reason === 'NodePorts'),
    ).toMatchObject({ type: 'Warning', message: expect.stringMatching(/^Predicate NodePorts failed/) as string })
    await client.delete(pods, { namespace: 'default', name: 'second' })
    await until(() => named('second') === undefined)
  })

  test('takes no room from the next one, and neither does one that has ended', async () => {
    programs = { brief: { exitsAfterMs: 100, exitCode: 0 } }
    await client.create(
      pods,
      testPod(
        'brief',
        {},
        {
          restartPolicy: 'Never',
          containers: [{ name: 'brief', image, ports: [{ containerPort: 80, hostPort: 8080 }] }],
        },
      ),
    )
    await until(() => named('brief')?.status.phase === 'Running')
    await client.create(pods, onPort('rejected'))
    await until(() => named('rejected')?.status.phase === 'Failed')
    await clock.advance(100)
    await until(() => named('brief')?.status.phase === 'Succeeded')
    await client.create(pods, onPort('taken'))
    await until(() => named('taken')?.status.phase === 'Running')
  })

  test('is looked at again before the next one of its workload is told', async () => {
    const ofSet = (name: string) => {
      const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 's', uid: 'set', controller: true }]
      const made = onPort(name)
      return { ...made, metadata: { ...made.metadata, ownerReferences } }
    }
    await client.create(pods, onPort('holder'))
    await until(() => named('holder')?.status.phase === 'Running')
    for (const name of ['one', 'two', 'three', 'four']) await client.create(pods, ofSet(name))
    await until(() => named('one')?.status.phase === 'Failed')
    await clock.advance(900)
    expect(named('two')?.status.phase).toBeUndefined()
    await clock.advance(100)
    await until(() => named('two')?.status.phase === 'Failed')
    await client.delete(pods, { namespace: 'default', name: 'four' }, { gracePeriodSeconds: 0 })
    await client.delete(pods, { namespace: 'default', name: 'holder' }, { gracePeriodSeconds: 0 })
    await until(() => named('holder') === undefined)
    await clock.advance(2_000)
    await until(() => named('three')?.status.phase === 'Running')
    expect(runtime.journal.filter(entry => entry.endsWith(' four'))).toEqual([])
  })

  test('was never here before: what runs already stays when the agent starts anew', async () => {
    await client.create(pods, onPort('first'))
    await until(() => named('first')?.status.phase === 'Running')
    await agent.stop()
    await client.create(pods, onPort('another'))
    const node = client.informer(nodes).get({ name: 'node-1' })!
    await client.update(nodes, { ...node, spec: { ...node.spec, taints: [{ key: 'gone', effect: 'NoExecute' }] } })
    await startAgent()
    await until(() => named('another')?.status.phase === 'Failed')
    await clock.advance(5_000)
    expect(named('first')?.status.phase).toBe('Running')
  })
})
