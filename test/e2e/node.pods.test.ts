// The node agent with real containers, over a fake API.
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Container, Pod, PodSpec } from '../../src/api/generated/models.ts'
import { configMaps, events, nodes, pods } from '../../src/api/resources.ts'
import { machineClock } from '../../src/host/machine-clock.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { startNodeAgent, type NodeAgent } from '../../src/node/node-agent.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { FakeClient } from '../../src/testing/fake-client.ts'
import { testPod } from '../../src/testing/pods.ts'
import { privateContainerd, reasonToSkip, type PrivateContainerd } from '../../src/testing/private-containerd.ts'

const reason = reasonToSkip()
const network = { podCidr: '10.79.0.0/24', serviceCidr: '10.43.0.0/16', dnsAddress: '10.43.0.10', nodeAddress: '10.79.255.1', domain: 'cluster.local' }
const forever = ['sh', '-c', 'trap "exit 0" TERM; echo started; while true; do sleep 0.1; done']

describe.skipIf(reason !== undefined)(`node agent${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const client = new FakeClient()
  let place: PrivateContainerd
  let agent: NodeAgent
  const startAgent = (): Promise<NodeAgent> => startNodeAgent({
    client, runtime: place.runtime, nodeName: 'node-1', network, dataDirectory: join(place.directory, 'node'), clock: machineClock,
    random: { uuid: () => crypto.randomUUID(), fraction: () => Math.random() }, logger: silentLogger,
  })
  beforeAll(async () => {
    place = await privateContainerd('node', network.podCidr)
    agent = await startAgent()
  })
  afterAll(async () => {
    await agent?.stop()
    await place?.close()
  })

  const show = (name: string): Pod | undefined => client.informer(pods).get({ namespace: 'default', name })
  const isReady = (pod: Pod | undefined): boolean => pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  const launch = async (name: string, container: Partial<Container>, spec: Partial<PodSpec> = {}): Promise<Pod> => await client.create(pods, testPod(name, container, spec))
  const untilReady = (name: string): Promise<Pod> => eventually(`${name} ready`, () => isReady(show(name)) && show(name))
  const remove = async (name: string, gracePeriodSeconds?: number): Promise<void> => {
    await client.delete(pods, { namespace: 'default', name }, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds })
    await eventually(`${name} gone`, () => show(name) === undefined)
  }
  const logsOf = async (pod: Pod, options = {}, container = 'main'): Promise<string> =>
    await text(await agent.logs({ namespace: 'default', pod: pod.metadata.name, podUid: pod.metadata.uid, container }, options))
  const reasons = (name: string): string[] => client.informer(events).list().filter(event => event.involvedObject.name === name).map(event => event.reason!)

  test('the node is registered and ready', () => {
    const node = client.informer(nodes).get({ name: 'node-1' })
    expect(node?.status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True')
    expect(node?.status.nodeInfo?.kubeletVersion).toBe('v1.36.0')
  })

  test('a pod becomes ready, says so, and goes', async () => {
    const startMs = performance.now()
    await launch('web', { command: forever })
    const pod = await untilReady('web')
    console.log(`pod ready after ${Math.round(performance.now() - startMs)} ms`)
    expect(pod.status).toMatchObject({ phase: 'Running', hostIP: network.nodeAddress, podIP: expect.stringMatching(/^10\.79\.0\./) as string })
    expect(pod.status.containerStatuses).toMatchObject([{ name: 'main', ready: true, started: true, restartCount: 0, containerID: expect.stringMatching(/^containerd:\/\//) as string }])
    expect(await eventually('log', async () => (await logsOf(pod)) || undefined)).toBe('started\n')
    await eventually('events', () => reasons('web').includes('Started'))
    expect(reasons('web')).toEqual(['Pulled', 'Created', 'Started'])
    await remove('web')
    await eventually('sandbox removed', async () => (await place.runtime.listPodSandboxes({ 'io.kubernetes.pod.name': 'web' })).length === 0)
  })

  test('ten pods at once', async () => {
    const startMs = performance.now()
    const names = Array.from({ length: 10 }, (_item, index) => `many-${index}`)
    await Promise.all(names.map(name => launch(name, { command: forever })))
    await Promise.all(names.map(untilReady))
    console.log(`ten pods ready after ${Math.round(performance.now() - startMs)} ms`)
    await Promise.all(names.map(name => remove(name, 0)))
    expect(names.map(show)).toEqual(names.map(() => undefined))
  })

  test('a pod that ends keeps its exit code, message and log', async () => {
    const created = await launch('job', { command: ['sh', '-c', 'echo out; echo "last words" > /dev/termination-log; exit 3'] }, { restartPolicy: 'Never' })
    const pod = await eventually('job failed', () => show('job')?.status.phase === 'Failed' && show('job'))
    expect(pod.status.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 3, reason: 'Error', message: 'last words\n' })
    expect(await logsOf(created)).toBe('out\n')
    await remove('job')
  })

  test('init containers run one after the other, then the rest', async () => {
    const step = (name: string): Container => ({ name, image: 'sampan.local/busybox:1', command: ['sh', '-c', `echo ${name} >> /work/steps`], volumeMounts: [{ name: 'work', mountPath: '/work' }] })
    const pod = await launch('steps', { command: ['sh', '-c', 'cat /work/steps; sleep 1000'], volumeMounts: [{ name: 'work', mountPath: '/work' }] },
      { initContainers: [step('one'), step('two')], volumes: [{ name: 'work', emptyDir: {} }] })
    await untilReady('steps')
    expect(await eventually('log', async () => (await logsOf(pod)) || undefined)).toBe('one\ntwo\n')
    await remove('steps', 0)
  })

  test('configuration arrives as files and variables, and changes of it too', async () => {
    await client.create(configMaps, { metadata: { name: 'settings', namespace: 'default' }, data: { color: 'green', 'app.yml': 'a: 1' } })
    const pod = await launch('config', {
      command: ['sh', '-c', 'echo $COLOR $ME; cat /etc/config/app.yml; echo; cat /var/run/token; echo; cat /etc/hosts | tail -1; cat /etc/resolv.conf; hostname; sleep 1000'],
      env: [{ name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } }, { name: 'ME', value: '$(COLOR)-$(NAME)' }],
      envFrom: [], volumeMounts: [{ name: 'config', mountPath: '/etc/config' }, { name: 'token', mountPath: '/var/run/token', subPath: 'token' }],
    }, {
      volumes: [{ name: 'config', configMap: { name: 'settings' } }, { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }],
      serviceAccountName: 'robot', dnsPolicy: 'ClusterFirst',
    })
    const ready = await untilReady('config')
    const log = await eventually('log', async () => { const out = await logsOf(pod); return out.includes('ndots') && out.endsWith('config\n') && out })
    expect(log.split('\n').slice(0, 4)).toEqual(['green green-$(NAME)', 'a: 1', 'token-of-robot', `${ready.status.podIP}\tconfig`])
    expect(log).toContain('nameserver 10.43.0.10')
    expect(log).toContain('search default.svc.cluster.local svc.cluster.local cluster.local')
    await client.patch(configMaps, { namespace: 'default', name: 'settings' }, { type: 'merge', value: { data: { 'app.yml': 'a: 2' } } })
    const target = { namespace: 'default', pod: 'config', podUid: pod.metadata.uid, container: 'main' }
    await eventually('new content', async () => {
      const session = await agent.exec(target, ['cat', '/etc/config/app.yml'], { stdin: false, stdout: true, stderr: false, tty: false })
      return (await text(session.stdout!)) === 'a: 2'
    })
    await remove('config', 0)
  })

  test('a missing ConfigMap keeps the container waiting until it is there', async () => {
    await launch('late', { command: forever, env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'later', key: 'a' } } }] })
    await eventually('config error', () => show('late')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError')
    expect(show('late')?.status.containerStatuses?.[0]?.state?.waiting?.message).toBe('configmap "later" not found')
    await expect(logsOf(show('late')!)).rejects.toThrow('container "main" in pod "late" is waiting to start: CreateContainerConfigError')
    await client.create(configMaps, { metadata: { name: 'later', namespace: 'default' }, data: { a: '1' } })
    await untilReady('late')
    await remove('late', 0)
  })

  test('an image that is not there is reported', async () => {
    await launch('nowhere', { image: 'localhost:1/nobody:1', command: forever })
    await eventually('pull error', () => show('nowhere')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImagePull')
    await eventually('back-off', () => show('nowhere')?.status.containerStatuses?.[0]?.state?.waiting?.reason === 'ImagePullBackOff')
    await remove('nowhere', 0)
  })

  test('readiness follows its probe, liveness restarts', async () => {
    const script = 'mkdir -p /www; echo ok > /www/index.html; httpd -p 8080 -h /www; sleep 1000'
    const startMs = performance.now()
    await launch('probed', {
      command: ['sh', '-c', script], readinessProbe: { httpGet: { port: 8080, path: '/index.html' }, periodSeconds: 1, failureThreshold: 1 },
      livenessProbe: { exec: { command: ['test', '!', '-e', '/tmp/sick'] }, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 1 },
    })
    const pod = await untilReady('probed')
    console.log(`probed pod ready after ${Math.round(performance.now() - startMs)} ms`)
    const target = { namespace: 'default', pod: 'probed', podUid: pod.metadata.uid, container: 'main' }
    const exec = async (...command: string[]): Promise<void> => {
      const session = await agent.exec(target, command, { stdin: false, stdout: true, stderr: true, tty: false })
      session.stdout?.resume()
      session.stderr?.resume()
      await session.done
    }
    await exec('rm', '/www/index.html')
    await eventually('unready', () => !isReady(show('probed')))
    await exec('sh', '-c', 'echo ok > /www/index.html')
    await untilReady('probed')
    await exec('touch', '/tmp/sick')
    await eventually('restart', () => show('probed')?.status.containerStatuses?.[0]?.restartCount === 1)
    const restarted = await untilReady('probed')
    expect(restarted.status.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(137)
    await remove('probed', 0)
  })

  test('a crashing container backs off', async () => {
    const pod = await launch('crash', { command: ['sh', '-c', 'echo run; exit 1'] })
    const status = await eventually('crash loop', () => {
      const [container] = show('crash')?.status.containerStatuses ?? []
      return container?.state?.waiting?.reason === 'CrashLoopBackOff' && container
    })
    expect(status).toMatchObject({ restartCount: 1, ready: false, lastState: { terminated: { exitCode: 1 } }, state: { waiting: { message: expect.stringContaining('back-off 10s restarting failed container=main') as string } } })
    expect(await logsOf(pod, { previous: true })).toBe('run\n')
    await remove('crash', 0)
  })

  test('termination waits for preStop and the grace period', async () => {
    await launch('graceful', { command: ['sh', '-c', 'trap "echo bye; sleep 0.3; exit 0" TERM; while true; do sleep 0.05; done'], lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo stopping > /proc/1/fd/1'] } } } })
    const pod = await untilReady('graceful')
    const follow = logsOf(pod, { follow: true })
    await remove('graceful')
    expect(await follow).toBe('stopping\nbye\n')
  })

  test('containers go on when the agent is replaced', async () => {
    await launch('kept', { command: forever })
    const before = await untilReady('kept')
    await agent.stop()
    agent = await startAgent()
    const pod = await untilReady('kept')
    expect(pod.status.containerStatuses?.[0]?.containerID).toBe(before.status.containerStatuses?.[0]?.containerID)
    await remove('kept')
  })
})
