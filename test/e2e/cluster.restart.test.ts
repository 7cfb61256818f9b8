// What pods are after `down` and `up`, and after a server that died; and that a machine with much to do at once
// does not take healthy pods for dead.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContainerStatus, CoreEvent, Job, Pod, PodSpec } from '../../src/api/generated/models.ts'
import { signal } from '../../src/host/daemon.ts'
import { ClusterFixture, folder, readText, reasonToSkipCluster, succeeded } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const image = 'sampan.local/busybox:1'
const sh = (script: string): string[] => ['sh', '-c', script]
const untilTold = (farewell: string): string => `trap "${farewell}" TERM; echo up; sleep 1000000 & wait`

describe.skipIf(reason !== undefined)(`restart${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let outside: string
  beforeAll(async () => {
    cluster = await ClusterFixture.up('restart')
    outside = folder(cluster.directory, 'outside')
    await cluster.pushBusybox()
    await eventually(
      'the service account',
      async () => (await cluster.kubectl('get', 'serviceaccount', 'default')).code === 0,
    )
  })
  afterAll(() => cluster?.close())

  const podOf = (name: string, containers: readonly object[], spec: Partial<PodSpec> = {}): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      containers: containers.map((container, index) => ({
        name: index === 0 ? 'main' : `other-${index}`,
        image,
        volumeMounts: [{ name: 'outside', mountPath: '/outside' }],
        ...container,
      })),
      volumes: [{ name: 'outside', hostPath: { path: outside } }],
      ...spec,
    },
  })
  const create = async (...items: object[]): Promise<void> => {
    succeeded(await cluster.kubectlWith({ apiVersion: 'v1', kind: 'List', items }, 'create'))
  }
  const pod = (name: string): Promise<Pod> => cluster.json<Pod>('get', 'pod', name)
  const statusOf = async (name: string, container = 'main'): Promise<ContainerStatus> =>
    (await pod(name)).status.containerStatuses!.find(status => status.name === container)!
  /** Its signal handler is there, too. */
  const ready = async (name: string): Promise<void> => {
    await eventually(`${name} is up`, async () => (await cluster.kubectl('logs', name)).out === 'up\n', 60_000)
    await cluster.show('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=60s')
  }
  const note = (name: string): string => readText(join(outside, name))

  test('down ends pods as deletion does, and up brings them back as they were', { timeout: 180_000 }, async () => {
    await create(
      podOf('service', [
        {
          command: sh(untilTold('echo term >> /outside/service; exit 7')),
          lifecycle: { preStop: { exec: { command: sh('echo hook >> /outside/service') } } },
        },
      ]),
      podOf('once', [{ command: sh(`echo run >> /outside/once; ${untilTold('exit 3')}`) }], { restartPolicy: 'Never' }),
      podOf('done', [{ command: sh('echo run >> /outside/done') }], { restartPolicy: 'Never' }),
      podOf('half', [{ command: sh('echo run >> /outside/half') }, { command: sh(untilTold('exit 1')) }], {
        restartPolicy: 'OnFailure',
      }),
      podOf(
        'memory',
        [
          {
            command: sh(untilTold('exit 0')),
            volumeMounts: [
              { name: 'memory', mountPath: '/memory' },
              { name: 'disk', mountPath: '/disk' },
            ],
          },
        ],
        {
          volumes: [
            { name: 'memory', emptyDir: { medium: 'Memory' } },
            { name: 'disk', emptyDir: {} },
          ],
        },
      ),
    )
    await Promise.all(['service', 'once', 'memory'].map(name => ready(name)))
    await eventually('done', async () => (await pod('done')).status.phase === 'Succeeded')
    await eventually('half done', async () => (await statusOf('half')).state?.terminated !== undefined)
    await eventually(
      'the other half',
      async () => (await cluster.kubectl('logs', 'half', '-c', 'other-1')).out === 'up\n',
    )
    await cluster.show('exec', 'memory', '--', ...sh('echo kept > /disk/file; echo lost > /memory/file'))
    await cluster.show('exec', 'service', '--', ...sh('kill -TERM 1'))
    await eventually('restarted once', async () => {
      const status = await statusOf('service')
      return status.restartCount === 1 && status.ready
    })
    expect(note('service')).toBe('term\n')
    const [before, doneBefore] = [await statusOf('service'), (await pod('done')).status]

    expect(succeeded(await cluster.down()).err).toMatch(/✓ pods stopped \(4\) +\d/)
    expect(await cluster.leftOvers()).toEqual([])
    expect(note('service')).toBe('term\nhook\nterm\n')
    succeeded(await cluster.up())
    await Promise.all(['service', 'memory'].map(name => ready(name)))

    const service = await statusOf('service')
    expect(service.restartCount).toBe(2)
    expect(service.lastState?.terminated).toMatchObject({ exitCode: 7, containerID: before.containerID })
    expect(await cluster.show('logs', 'service', '--previous')).toBe('up\n')
    expect((await pod('once')).status.phase).toBe('Failed')
    expect((await statusOf('once')).state?.terminated?.exitCode).toBe(3)
    expect(await cluster.show('logs', 'once')).toBe('up\n')
    expect((await pod('done')).status).toEqual(doneBefore)
    await eventually('half goes on', async () => (await statusOf('half', 'other-1')).ready)
    expect([(await statusOf('half')).restartCount, (await statusOf('half', 'other-1')).restartCount]).toEqual([0, 1])
    expect((await statusOf('half')).state?.terminated?.exitCode).toBe(0)
    for (const name of ['once', 'done', 'half']) expect(note(name)).toBe('run\n')
    expect(
      await cluster.show(
        'exec',
        'memory',
        '--',
        ...sh('cat /disk/file; ls /memory; cat /proc/mounts | grep -c " /memory tmpfs" /proc/mounts'),
      ),
    ).toBe('kept\n1\n')
  })

  test('a server that died does not cost pods their hooks and their grace', { timeout: 120_000 }, async () => {
    await create(
      podOf('orphan', [
        {
          command: sh(untilTold('echo term >> /outside/orphan; exit 0')),
          lifecycle: { preStop: { exec: { command: sh('echo hook >> /outside/orphan') } } },
        },
      ]),
    )
    await ready('orphan')
    signal(await cluster.serverPid(), 'SIGKILL')
    succeeded(await cluster.down())
    expect(await cluster.leftOvers()).toEqual([])
    expect(note('orphan')).toBe('hook\nterm\n')
    succeeded(await cluster.up())
    await ready('orphan')
    expect((await statusOf('orphan')).restartCount).toBe(1)
  })

  test('--timeout bounds what stubborn pods may take', { timeout: 120_000 }, async () => {
    await create(podOf('stubborn', [{ command: sh('trap "" TERM; echo up; sleep 1000000 & wait') }]))
    await ready('stubborn')
    const startMs = performance.now()
    succeeded(await cluster.down('--timeout', '3'))
    expect(performance.now() - startMs).toBeGreaterThan(2_500)
    expect(performance.now() - startMs).toBeLessThan(25_000)
    succeeded(await cluster.up())
    await ready('stubborn')
    expect((await statusOf('stubborn')).lastState?.terminated?.exitCode).toBe(137)
    await cluster.show('delete', 'pods', '--all', '--grace-period=1', '--wait')
  })

  test('forty pods of two containers at once all do their work', { timeout: 300_000 }, async () => {
    const work = { image, command: sh('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 1') }
    await create({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'many' },
      spec: {
        parallelism: 40,
        completions: 40,
        backoffLimit: 0,
        template: {
          spec: { restartPolicy: 'Never', containers: ['one', 'two'].map(name => ({ name, ...work })) },
        },
      },
    })
    const job = await eventually(
      'the job ended',
      async () => {
        const found = await cluster.json<Job>('get', 'job', 'many')
        return found.status.conditions?.some(({ type }) => ['Complete', 'Failed'].includes(type)) === true && found
      },
      240_000,
    )
    expect(job.status).toMatchObject({ succeeded: 40 })
    expect(job.status.failed).toBeUndefined()
    const { items } = await cluster.json<{ items: CoreEvent[] }>('get', 'events')
    const faults = items.filter(
      ({ type, involvedObject }) => type === 'Warning' && involvedObject.name?.startsWith('many-'),
    )
    expect(faults.map(({ reason: why, message }) => `${why}: ${message}`)).toEqual([])
    const log = join(cluster.dataDirectory, 'server.log')
    if (existsSync(log)) expect(readText(log)).not.toContain('runtime not listed')
  })
})
