// The node agent with real containers, over a fake API.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Container } from '../../src/api/generated/models.ts'
import { configMaps, events, nodes, pods } from '../../src/api/resources.ts'
import { busyboxImage } from '../../src/testing/busybox-image.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { isReady, NodeFixture } from '../../src/testing/node-fixture.ts'
import { reasonToSkip } from '../../src/testing/private-containerd.ts'

const reason = reasonToSkip()
const forever = ['sh', '-c', 'trap "exit 0" TERM; echo started; sleep 1000000 & wait']

describe.skipIf(reason !== undefined)(`node agent${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let node: NodeFixture
  beforeAll(async () => {
    node = await NodeFixture.start('node', '10.79.0.0/24')
  })
  afterAll(() => node?.close())

  const reasons = (name: string): string[] =>
    node.client
      .informer(events)
      .list()
      .filter(event => event.involvedObject.name === name)
      .map(event => event.reason!)

  test('the node is registered and ready', () => {
    const registered = node.client.informer(nodes).get({ name: 'node-1' })
    expect(registered?.status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
    expect(registered?.status.nodeInfo?.kubeletVersion).toBe('v1.36.0')
  })

  test('a pod becomes ready, says so, and goes', async () => {
    const startMs = performance.now()
    await node.launch('web', { command: forever })
    const pod = await node.untilReady('web')
    console.log(`pod ready after ${Math.round(performance.now() - startMs)} ms`)
    expect(pod.status).toMatchObject({
      phase: 'Running',
      hostIP: node.nodeAddress,
      podIP: expect.stringMatching(/^10\.79\.0\./) as string,
    })
    expect(pod.status.containerStatuses).toMatchObject([
      {
        name: 'main',
        ready: true,
        started: true,
        restartCount: 0,
        containerID: expect.stringMatching(/^containerd:\/\//) as string,
      },
    ])
    expect(await eventually('log', async () => (await node.logs(pod)) || undefined)).toBe('started\n')
    await eventually('events', () => reasons('web').includes('Started'))
    expect(reasons('web')).toEqual(['Pulled', 'Created', 'Started'])
    await node.remove('web')
    await eventually(
      'sandbox removed',
      async () => (await node.place.runtime.listPodSandboxes({ 'io.kubernetes.pod.name': 'web' })).length === 0,
    )
  })

  test('ten pods at once', async () => {
    const startMs = performance.now()
    const names = Array.from({ length: 10 }, (_item, index) => `many-${index}`)
    await Promise.all(names.map(name => node.launch(name, { command: forever })))
    await Promise.all(names.map(name => node.untilReady(name)))
    console.log(`ten pods ready after ${Math.round(performance.now() - startMs)} ms`)
    await Promise.all(names.map(name => node.remove(name, 0)))
    expect(names.map(name => node.show(name))).toEqual(names.map(() => undefined))
  })

  test('a pod that ends keeps its exit code, message and log', async () => {
    const created = await node.launch(
      'job',
      { command: ['sh', '-c', 'echo out; echo "last words" > /dev/termination-log; exit 3'] },
      { restartPolicy: 'Never' },
    )
    const pod = await eventually('job failed', () => node.show('job')?.status.phase === 'Failed' && node.show('job'))
    expect(pod.status.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 3,
      reason: 'Error',
      message: 'last words\n',
    })
    expect(await node.logs(created)).toBe('out\n')
    await node.remove('job')
  })

  test('init containers run one after the other, then the rest', async () => {
    const step = (name: string): Container => ({
      name,
      image: 'sampan.local/busybox:1',
      command: ['sh', '-c', `echo ${name} >> /work/steps`],
      volumeMounts: [{ name: 'work', mountPath: '/work' }],
    })
    const pod = await node.launch(
      'steps',
      { command: ['sh', '-c', 'cat /work/steps; sleep 1000'], volumeMounts: [{ name: 'work', mountPath: '/work' }] },
      { initContainers: [step('one'), step('two')], volumes: [{ name: 'work', emptyDir: {} }] },
    )
    await node.untilReady('steps')
    expect(await eventually('log', async () => (await node.logs(pod)) || undefined)).toBe('one\ntwo\n')
    await node.remove('steps', 0)
  })

  test('configuration arrives as files and variables, and changes of it too', async () => {
    await node.client.create(configMaps, {
      metadata: { name: 'settings', namespace: 'default' },
      data: { color: 'green', 'app.yml': 'a: 1' },
    })
    const pod = await node.launch(
      'config',
      {
        command: [
          'sh',
          '-c',
          'echo $COLOR $ME; cat /etc/config/app.yml; echo; cat /var/run/token; echo; cat /etc/hosts | tail -1; cat /etc/resolv.conf; hostname; sleep 1000',
        ],
        env: [
          { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
          { name: 'ME', value: '$(COLOR)-$(NAME)' },
        ],
        envFrom: [],
        volumeMounts: [
          { name: 'config', mountPath: '/etc/config' },
          { name: 'token', mountPath: '/var/run/token', subPath: 'token' },
        ],
      },
      {
        volumes: [
          { name: 'config', configMap: { name: 'settings' } },
          { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        ],
        serviceAccountName: 'robot',
        dnsPolicy: 'ClusterFirst',
      },
    )
    const ready = await node.untilReady('config')
    const log = await eventually('log', async () => {
      const out = await node.logs(pod)
      return out.includes('ndots') && out.endsWith('config\n') && out
    })
    expect(log.split('\n').slice(0, 4)).toEqual([
      'green green-$(NAME)',
      'a: 1',
      'token-of-robot',
      `${ready.status.podIP}\tconfig`,
    ])
    expect(log).toContain('nameserver 10.43.0.10')
    expect(log).toContain('search default.svc.cluster.local svc.cluster.local cluster.local')
    await node.client.patch(
      configMaps,
      { namespace: 'default', name: 'settings' },
      { type: 'merge', value: { data: { 'app.yml': 'a: 2' } } },
    )
    await eventually('new content', async () => (await node.exec(pod, 'cat', '/etc/config/app.yml')) === 'a: 2')
    await node.remove('config', 0)
  })

  test('a missing ConfigMap keeps the container waiting until it is there', async () => {
    await node.launch('late', {
      command: forever,
      env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'later', key: 'a' } } }],
    })
    await eventually(
      'config error',
      () => node.show('late')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
    )
    expect(node.show('late')?.status.containerStatuses?.[0]?.state?.waiting?.message).toBe(
      'configmap "later" not found',
    )
    await expect(node.logs(node.show('late')!)).rejects.toThrow(
      'container "main" in pod "late" is waiting to start: CreateContainerConfigError',
    )
    await node.client.create(configMaps, { metadata: { name: 'later', namespace: 'default' }, data: { a: '1' } })
    await node.untilReady('late')
    await node.remove('late', 0)
  })

  test('an image that is not there is reported', async () => {
    await node.launch('nowhere', { image: 'localhost:1/nobody:1', command: forever })
    await eventually(
      'pull error',
      () => node.show('nowhere')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImagePull',
    )
    await eventually(
      'back-off',
      () => node.show('nowhere')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'ImagePullBackOff',
    )
    expect(node.show('nowhere')?.status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ ready: false, restartCount: 0 }],
    })
    await node.remove('nowhere', 0)
  })

  test('readiness follows its probe, liveness restarts', async () => {
    const script = 'mkdir -p /www; echo ok > /www/index.html; httpd -p 8080 -h /www; sleep 1000'
    const startMs = performance.now()
    await node.launch('probed', {
      command: ['sh', '-c', script],
      readinessProbe: { httpGet: { port: 8080, path: '/index.html' }, periodSeconds: 1, failureThreshold: 1 },
      livenessProbe: {
        exec: { command: ['test', '!', '-e', '/tmp/sick'] },
        periodSeconds: 1,
        failureThreshold: 1,
        terminationGracePeriodSeconds: 1,
      },
    })
    const pod = await node.untilReady('probed')
    console.log(`probed pod ready after ${Math.round(performance.now() - startMs)} ms`)
    await node.exec(pod, 'rm', '/www/index.html')
    await eventually('unready', () => !isReady(node.show('probed')))
    await node.exec(pod, 'sh', '-c', 'echo ok > /www/index.html')
    await node.untilReady('probed')
    await node.exec(pod, 'touch', '/tmp/sick')
    await eventually('restart', () => node.show('probed')?.status.containerStatuses?.[0]?.restartCount === 1)
    const restarted = await node.untilReady('probed')
    expect(restarted.status.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(137)
    await node.remove('probed', 0)
  })

  test('another image restarts the container with it', async () => {
    await node.place.containerd.importOciImage('sampan.local/busybox:2', await busyboxImage())
    const pod = await node.launch('upgraded', { command: forever })
    await node.untilReady('upgraded')
    await eventually('it can be stopped', async () => (await node.logs(pod)) === 'started\n')
    const [container] = pod.spec.containers
    await node.client.patch(
      pods,
      { namespace: 'default', name: 'upgraded' },
      { type: 'merge', value: { spec: { containers: [{ ...container, image: 'sampan.local/busybox:2' }] } } },
    )
    await eventually('restart', () => node.show('upgraded')?.status.containerStatuses?.[0]?.restartCount === 1)
    const restarted = await node.untilReady('upgraded')
    expect(restarted.status.containerStatuses?.[0]?.image).toMatch(/busybox:[12]$/)
    await node.remove('upgraded', 0)
  })

  test('limits change while the container runs', async () => {
    const pod = await node.launch('resized', {
      command: forever,
      resources: { limits: { memory: '32Mi' }, requests: { memory: '32Mi' } },
    })
    await node.untilReady('resized')
    const [container] = pod.spec.containers
    await node.client.patch(
      pods,
      { namespace: 'default', name: 'resized' },
      {
        type: 'merge',
        value: {
          spec: {
            containers: [{ ...container, resources: { limits: { memory: '64Mi' }, requests: { memory: '64Mi' } } }],
          },
        },
      },
    )
    await eventually('limit', async () =>
      (
        await node.exec(
          pod,
          'sh',
          '-c',
          'cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max',
        )
      ).includes(String(64 * 2 ** 20)),
    )
    expect(node.show('resized')?.status.containerStatuses?.[0]?.restartCount).toBe(0)
    await node.remove('resized', 0)
  })

  test('an ephemeral container joins and sees the processes of its target', async () => {
    await node.launch('debugged', { command: forever })
    await node.untilReady('debugged')
    const pod = await node.client.patch(
      pods,
      { namespace: 'default', name: 'debugged' },
      {
        type: 'merge',
        value: {
          spec: {
            ephemeralContainers: [
              {
                name: 'debugger',
                image: 'sampan.local/busybox:1',
                command: ['sh', '-c', 'ps | grep -c "[t]rap"'],
                targetContainerName: 'main',
              },
            ],
          },
        },
      },
    )
    await eventually(
      'debugger ended',
      () => node.show('debugged')?.status.ephemeralContainerStatuses?.[0]?.state?.terminated !== undefined,
    )
    expect(await node.logs(pod, {}, 'debugger')).toBe('1\n')
    expect(node.show('debugged')?.status.phase).toBe('Running')
    await node.remove('debugged', 0)
  })

  test('postStart runs before the container counts as running', async () => {
    const pod = await node.launch('hooked', {
      command: forever,
      lifecycle: { postStart: { exec: { command: ['sh', '-c', 'sleep 0.3; echo done > /tmp/hook'] } } },
    })
    await node.untilReady('hooked')
    expect(await node.exec(pod, 'cat', '/tmp/hook')).toBe('done\n')
    await node.remove('hooked', 0)
  })

  test('volumes that cannot be made are reported', async () => {
    await node.launch(
      'mountless',
      { command: forever },
      { volumes: [{ name: 'config', configMap: { name: 'nobody' } }] },
    )
    const event = await eventually('event', () =>
      node.client
        .informer(events)
        .list()
        .find(entry => entry.reason === 'FailedMount'),
    )
    expect(event.message).toBe('MountVolume.SetUp failed for volume "config" : configmap "nobody" not found')
    expect(node.show('mountless')?.status.containerStatuses?.[0]?.state?.waiting?.reason).toBe('ContainerCreating')
    await node.remove('mountless', 0)
  })

  test('a crashing container backs off', async () => {
    const pod = await node.launch('crash', { command: ['sh', '-c', 'echo run; exit 1'] })
    const status = await eventually('crash loop', () => {
      const [container] = node.show('crash')?.status.containerStatuses ?? []
      return container?.state?.waiting?.reason === 'CrashLoopBackOff' && container
    })
    expect(status).toMatchObject({
      restartCount: 1,
      ready: false,
      lastState: { terminated: { exitCode: 1 } },
      state: {
        waiting: { message: expect.stringContaining('back-off 10s restarting failed container=main') as string },
      },
    })
    expect(await node.logs(pod, { previous: true })).toBe('run\n')
    await node.remove('crash', 0)
  })

  test('termination waits for preStop and the grace period', async () => {
    await node.launch('graceful', {
      command: ['sh', '-c', 'trap "echo bye; sleep 0.3; exit 0" TERM; sleep 1000000 & wait'],
      lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo stopping > /proc/1/fd/1'] } } },
    })
    const pod = await node.untilReady('graceful')
    const follow = node.logs(pod, { follow: true })
    await node.remove('graceful')
    expect(await follow).toBe('stopping\nbye\n')
  })

  test('containers go on when the agent is replaced', async () => {
    await node.launch('kept', { command: forever })
    const before = await node.untilReady('kept')
    await node.agent.stop()
    await node.startAgent()
    const pod = await node.untilReady('kept')
    expect(pod.status.containerStatuses?.[0]?.containerID).toBe(before.status.containerStatuses?.[0]?.containerID)
    await node.remove('kept')
  })
})
