// Conformance of StatefulSets, DaemonSets, CronJobs and mirrored Endpoints. Hollow nodes pretend to run
// pods; a pod becomes unhealthy when a test says so in its status.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'
import { Api, pathsIn, type Json } from './api.ts'

let cluster: TestCluster
let api: Api
let namespace: string
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 2 })
  api = new Api(cluster.server)
})
afterAll(() => cluster.stop())
beforeEach(async () => {
  namespace = await api.namespace()
})

const core = pathsIn(() => namespace)
const apps = pathsIn(() => namespace, 'apis/apps/v1')
const batch = pathsIn(() => namespace, 'apis/batch/v1')
const template = (app: string, image: string): object => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'c', image }] },
})
const pods = async (app: string): Promise<Json[]> =>
  (await api.items(core('pods'), `app=${app}`)).toSorted((left, right) =>
    left.metadata.name < right.metadata.name ? -1 : 1,
  )
const names = async (app: string): Promise<string> => (await pods(app)).map(({ metadata }) => metadata.name).join(' ')
const images = async (app: string): Promise<string> =>
  (await pods(app))
    .map(({ metadata, spec }) => `${spec.containers[0].image}${metadata.deletionTimestamp === undefined ? '' : '!'}`)
    .join(' ')
const setImage = (path: string, image: string): Promise<Json> =>
  api.patch(path, { spec: { template: { spec: { containers: [{ name: 'c', image }] } } } }, 'strategic')
const setReady = (name: string, status: 'True' | 'False'): Promise<Json> =>
  api.patch(
    `${core('pods', name)}/status`,
    { status: { conditions: [{ type: 'Ready', status, lastTransitionTime: new Date().toISOString() }] } },
    'strategic',
  )
const setPhase = (name: string, phase: string): Promise<Json> =>
  api.patch(`${core('pods', name)}/status`, { status: { phase } }, 'strategic')
/** Nothing happens where something would have to happen otherwise: the loop has seen everything, and acted. */
const observed = (path: string): Promise<Json> =>
  api.until(path, ({ metadata, status }) => status.observedGeneration === metadata.generation)

describe('StatefulSet', () => {
  const set = (more: object = {}): object => ({
    metadata: { name: 'ss' },
    spec: {
      replicas: 3,
      serviceName: 'test',
      selector: { matchLabels: { app: 'ss' } },
      template: template('ss', 'one:1'),
      ...more,
    },
  })
  const path = (): string => apps('statefulsets', 'ss')
  const settled = (replicas: number): Promise<Json> =>
    api.until(
      path(),
      ({ metadata, status }) =>
        status.observedGeneration === metadata.generation &&
        status.replicas === replicas &&
        (status.readyReplicas ?? 0) === replicas,
    )
  const scale = (replicas: number): Promise<Json> => api.patch(path(), { spec: { replicas } }, 'merge')

  test('StatefulSet Basic StatefulSet functionality Scaling should happen in predictable order and halt if any stateful pod is unhealthy [Conformance]', async () => {
    await api.post(apps('statefulsets'), set({ replicas: 1 }))
    await settled(1)
    await setReady('ss-0', 'False')
    await api.until(path(), ({ status }) => (status.readyReplicas ?? 0) === 0)
    await scale(3)
    await observed(path())
    expect(await names('ss')).toBe('ss-0')
    await setReady('ss-0', 'True')
    await settled(3)
    for (const name of ['ss-0', 'ss-1', 'ss-2']) await setReady(name, 'False')
    await api.until(path(), ({ status }) => (status.readyReplicas ?? 0) === 0)
    await scale(0)
    await observed(path())
    expect(await names('ss')).toBe('ss-0 ss-1 ss-2')
    // Then the last one is the first that is unhealthy, and goes.
    for (const name of ['ss-0', 'ss-1']) await setReady(name, 'True')
    await eventually('all gone', async () => (await names('ss')) === '')
  })

  test('StatefulSet Basic StatefulSet functionality Burst scaling should run to completion even with unhealthy pods [Conformance]', async () => {
    await api.post(apps('statefulsets'), set({ replicas: 1, podManagementPolicy: 'Parallel' }))
    await settled(1)
    await setReady('ss-0', 'False')
    await scale(3)
    await eventually('all there', async () => (await names('ss')) === 'ss-0 ss-1 ss-2')
    await setReady('ss-1', 'False')
    await scale(0)
    await eventually('all gone', async () => (await names('ss')) === '')
  })

  test('StatefulSet Basic StatefulSet functionality should perform rolling updates and roll backs of template modifications [Conformance]', async () => {
    await api.post(apps('statefulsets'), set())
    const {
      status: { currentRevision },
    } = await settled(3)
    await setImage(path(), 'two:2')
    const updated = await api.until(
      path(),
      ({ status }) =>
        status.currentRevision === status.updateRevision &&
        status.currentRevision !== currentRevision &&
        status.readyReplicas === 3,
    )
    expect(await images('ss')).toBe('two:2 two:2 two:2')
    expect(
      (await pods('ss')).every(
        ({ metadata }) => metadata.labels['controller-revision-hash'] === updated.status.updateRevision,
      ),
    ).toBe(true)
    await setImage(path(), 'one:1')
    await api.until(
      path(),
      ({ status }) =>
        status.currentRevision === currentRevision &&
        status.updateRevision === currentRevision &&
        status.readyReplicas === 3,
    )
    expect(await images('ss')).toBe('one:1 one:1 one:1')
  })

  test('StatefulSet Basic StatefulSet functionality should perform canary updates and phased rolling updates of template modifications [Conformance]', async () => {
    const partition = (number: number): object => ({
      spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: number } } },
    })
    await api.post(apps('statefulsets'), set())
    await settled(3)
    await api.patch(path(), partition(3), 'merge')
    await setImage(path(), 'two:2')
    await observed(path())
    expect(await images('ss')).toBe('one:1 one:1 one:1')
    await api.patch(path(), partition(2), 'merge')
    await eventually('the canary', async () => (await images('ss')) === 'one:1 one:1 two:2')
    await settled(3)
    await api.delete(core('pods', 'ss-0'))
    await api.delete(core('pods', 'ss-2'))
    await eventually('the same again', async () => (await images('ss')) === 'one:1 one:1 two:2')
    await settled(3)
    await api.patch(path(), partition(0), 'merge')
    await eventually('the rest', async () => (await images('ss')) === 'two:2 two:2 two:2')
  })

  test('StatefulSet Basic StatefulSet functionality Should recreate evicted statefulset [Conformance]', async () => {
    await api.post(apps('statefulsets'), set({ replicas: 1 }))
    await settled(1)
    const [before] = await pods('ss')
    await setPhase('ss-0', 'Failed')
    await eventually('another pod of that name', async () =>
      (await pods('ss')).some(
        ({ metadata, status }) => metadata.uid !== before.metadata.uid && status.phase === 'Running',
      ),
    )
    await settled(1)
  })
})

describe('Daemon set', () => {
  const set = (spec: object = {}): object => ({
    metadata: { name: 'ds' },
    spec: { selector: { matchLabels: { app: 'ds' } }, template: template('ds', 'one:1'), ...spec },
  })
  const path = (): string => apps('daemonsets', 'ds')
  const settled = (count: number): Promise<Json> =>
    api.until(
      path(),
      ({ metadata, status }) =>
        status.observedGeneration === metadata.generation &&
        status.desiredNumberScheduled === count &&
        (status.numberAvailable ?? 0) === count &&
        (status.updatedNumberScheduled ?? 0) === count &&
        status.numberMisscheduled === 0,
    )
  const revisions = (): Promise<Json[]> => api.items(apps('controllerrevisions'), 'app=ds')

  test('Daemon set should run and stop simple daemon [Conformance]', async () => {
    await api.post(apps('daemonsets'), set())
    await settled(2)
    const [stopped] = await pods('ds')
    await api.delete(core('pods', stopped.metadata.name))
    await eventually(
      'it came back',
      async () => (await pods('ds')).filter(({ metadata }) => metadata.uid !== stopped.metadata.uid).length === 2,
    )
    expect(new Set((await pods('ds')).map(({ spec }) => spec.nodeName))).toEqual(new Set(['node-0', 'node-1']))
  })

  test('Daemon set should run and stop complex daemon [Conformance]', async () => {
    const label = (color: string | null): Promise<Json> =>
      api.patch('/api/v1/nodes/node-0', { metadata: { labels: { color } } }, 'merge')
    await api.post(
      apps('daemonsets'),
      set({
        template: {
          metadata: { labels: { app: 'ds' } },
          spec: { nodeSelector: { color: 'blue' }, containers: [{ name: 'c', image: 'one:1' }] },
        },
      }),
    )
    await settled(0)
    await label('blue')
    await settled(1)
    await label('green')
    await eventually('it stopped', async () => (await names('ds')) === '')
    await api.patch(
      path(),
      { spec: { updateStrategy: { type: 'RollingUpdate' }, template: { spec: { nodeSelector: { color: 'green' } } } } },
      'strategic',
    )
    await settled(1)
    await label(null)
    await settled(0)
  })

  test('Daemon set should retry creating failed daemon pods [Conformance]', async () => {
    await api.post(apps('daemonsets'), set())
    await settled(2)
    const [failed] = await pods('ds')
    await setPhase(failed.metadata.name, 'Failed')
    await api.gone(core('pods', failed.metadata.name))
    await settled(2)
  })

  test('Daemon set should update pod when spec was updated and update strategy is RollingUpdate [Conformance]', async () => {
    await api.post(apps('daemonsets'), set())
    await settled(2)
    await setImage(path(), 'two:2')
    await settled(2)
    expect(await images('ds')).toBe('two:2 two:2')
    expect(new Set((await revisions()).map(({ revision }) => revision))).toEqual(new Set([1, 2]))
  })

  test('Daemon set should rollback without unnecessary restarts [Conformance]', async () => {
    await api.post(apps('daemonsets'), set())
    await settled(2)
    const before = await pods('ds')
    // The first new pod fits on no node, so the roll-out stops there.
    const container = (image: string, cpu: string | null): object => ({
      spec: {
        template: {
          spec: { containers: [{ name: 'c', image, resources: { requests: cpu === null ? null : { cpu } } }] },
        },
      },
    })
    await api.patch(path(), container('bad:1', '1000'), 'strategic')
    await eventually('one pod replaced', async () => (await images('ds')).includes('bad:1'))
    await api.patch(path(), container('one:1', null), 'strategic')
    await settled(2)
    const after = new Set((await pods('ds')).map(({ metadata }) => metadata.uid))
    expect(before.filter(({ metadata }) => after.has(metadata.uid))).toHaveLength(1)
  })

  test('ControllerRevision should manage the lifecycle of a ControllerRevision [Conformance]', async () => {
    await api.post(apps('daemonsets'), set())
    await settled(2)
    const [first] = await revisions()
    const revisionPath = apps('controllerrevisions', first.metadata.name)
    expect((await api.get(revisionPath)).metadata.ownerReferences).toMatchObject([
      { kind: 'DaemonSet', name: 'ds', controller: true },
    ])
    expect(
      (await api.patch(revisionPath, { metadata: { labels: { touched: 'yes' } } }, 'strategic')).metadata.labels,
    ).toMatchObject({ touched: 'yes', app: 'ds' })
    const { metadata: _own, ...content } = first
    await api.post(apps('controllerrevisions'), {
      ...content,
      metadata: { name: 'another', labels: { app: 'other' } },
      revision: 9,
    })
    await api.delete(apps('controllerrevisions', 'another'))
    await api.gone(apps('controllerrevisions', 'another'))
    await setImage(path(), 'two:2')
    await settled(2)
    expect(await revisions()).toHaveLength(2)
    await api.delete(`${apps('controllerrevisions')}?labelSelector=touched%3Dyes`)
    expect((await revisions()).map(({ revision }) => revision)).toEqual([2])
  })
})

describe('CronJob', () => {
  const cron = (spec: object = {}): object => ({
    metadata: { name: 'cj' },
    spec: {
      schedule: '*/1 * * * ?',
      ...spec,
      jobTemplate: {
        spec: {
          template: {
            metadata: { labels: { app: 'cj' } },
            spec: { restartPolicy: 'OnFailure', containers: [{ name: 'c', image: 'one:1' }] },
          },
        },
      },
    },
  })
  const path = (): string => batch('cronjobs', 'cj')
  const jobs = (): Promise<Json[]> => api.items(batch('jobs'))
  /** Makes a time due: as if the last one had been so many minutes ago. */
  const due = (minutes: number): Promise<Json> =>
    api.patch(
      `${path()}/status`,
      { status: { lastScheduleTime: new Date(Date.now() - minutes * 60_000).toISOString() } },
      'merge',
    )
  const running = (count: number): Promise<Json> =>
    api.until(path(), ({ status }) => (status.active ?? []).length === count)

  test('CronJob should schedule multiple jobs concurrently [Conformance]', async () => {
    await api.post(batch('cronjobs'), cron({ concurrencyPolicy: 'Allow' }))
    await api.post(batch('jobs'), {
      metadata: {
        name: 'earlier',
        ownerReferences: [
          {
            apiVersion: 'batch/v1',
            kind: 'CronJob',
            name: 'cj',
            uid: (await api.get(path())).metadata.uid,
            controller: true,
          },
        ],
      },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'one:1' }] } } },
    })
    await due(2)
    await eventually('another job', async () => (await jobs()).length >= 2)
    await api.until(path(), ({ status }) => (status.active ?? []).length >= 2)
  })

  test('CronJob should not schedule jobs when suspended [Slow] [Conformance]', async () => {
    await api.post(batch('cronjobs'), cron({ suspend: true }))
    await due(5)
    // The loop works off changes in order: when it acted on this one, it has seen the other.
    await api.patch(path(), { spec: { suspend: true }, metadata: { labels: { seen: 'yes' } } }, 'merge')
    await api.post(batch('cronjobs'), { ...cron(), metadata: { name: 'other' } })
    await api.patch(
      `${batch('cronjobs', 'other')}/status`,
      { status: { lastScheduleTime: new Date(Date.now() - 120_000).toISOString() } },
      'merge',
    )
    await eventually('the other one acts', async () =>
      (await jobs()).some(({ metadata }) => metadata.name.startsWith('other-')),
    )
    expect((await jobs()).filter(({ metadata }) => metadata.name.startsWith('cj-'))).toEqual([])
  })

  test('CronJob should not schedule new jobs when ForbidConcurrent [Slow] [Conformance]', async () => {
    await api.post(batch('cronjobs'), cron({ concurrencyPolicy: 'Forbid' }))
    await due(2)
    await running(1)
    await due(2)
    await eventually('it says why', async () =>
      (await api.items(core('events'))).some(({ reason }) => reason === 'JobAlreadyActive'),
    )
    expect(await jobs()).toHaveLength(1)
  })

  test('CronJob should replace jobs when ReplaceConcurrent [Conformance]', async () => {
    await api.post(batch('cronjobs'), cron({ concurrencyPolicy: 'Replace' }))
    const {
      metadata: { uid },
    } = await api.get(path())
    await api.post(batch('jobs'), {
      metadata: {
        name: 'earlier',
        ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'cj', uid, controller: true }],
      },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'one:1' }] } } },
    })
    await running(1)
    await due(2)
    await api.gone(batch('jobs', 'earlier'))
    await running(1)
    expect((await jobs()).map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^cj-\d+$/)])
  })
})

test('EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete [Conformance]', async () => {
  const path = core('endpoints', 'custom')
  const subset = (ip: string, more: object = {}): object => ({
    addresses: [{ ip }],
    ports: [{ name: 'example', port: 9376, protocol: 'TCP' }],
    ...more,
  })
  const slices = (): Promise<Json[]> =>
    api.items(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, 'kubernetes.io/service-name=custom')
  const addresses = async (): Promise<string> =>
    (await slices())
      .flatMap(slice =>
        slice.endpoints.map((endpoint: Json) => `${endpoint.addresses[0]} ${endpoint.conditions.ready}`),
      )
      .join(', ')
  await api.post(core('services'), {
    metadata: { name: 'custom' },
    spec: { ports: [{ name: 'example', port: 80, protocol: 'TCP' }] },
  })
  await api.post(core('endpoints'), {
    metadata: { name: 'custom', labels: { mine: 'yes' } },
    subsets: [subset('10.1.2.3', { notReadyAddresses: [{ ip: '10.1.2.4' }] })],
  })
  await eventually('the mirror', async () => (await addresses()) === '10.1.2.3 true, 10.1.2.4 false')
  const [slice] = await slices()
  expect(slice).toMatchObject({
    addressType: 'IPv4',
    ports: [{ name: 'example', port: 9376, protocol: 'TCP' }],
    metadata: {
      labels: { mine: 'yes', 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' },
      ownerReferences: [{ kind: 'Endpoints', name: 'custom', controller: true }],
    },
  })
  await api.put(path, { ...(await api.get(path)), subsets: [subset('10.2.3.4')] })
  await eventually('the change', async () => (await addresses()) === '10.2.3.4 true')
  expect((await slices())[0].metadata.name).toBe(slice.metadata.name)
  await api.patch(path, { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } } })
  await eventually('no mirror', async () => (await slices()).length === 0)
  await api.patch(path, { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': null } } })
  await eventually('the mirror again', async () => (await slices()).length === 1)
  await api.delete(path)
  await eventually('the end of the mirror', async () => (await slices()).length === 0)
})

test('PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC [Conformance]', async () => {
  const volumes = '/api/v1/persistentvolumes'
  const spec = { accessModes: ['ReadWriteOnce'], storageClassName: '' }
  const volume = await api.post(volumes, {
    metadata: { name: `pv-${namespace}`, labels: { of: namespace } },
    spec: { ...spec, capacity: { storage: '1Gi' }, hostPath: { path: '/tmp/pv' } },
  })
  const claim = await api.post(core('persistentvolumeclaims'), {
    metadata: { name: 'pvc', labels: { of: namespace } },
    spec: { ...spec, resources: { requests: { storage: '1Gi' } } },
  })
  expect([volume.metadata.finalizers, claim.metadata.finalizers]).toEqual([
    ['kubernetes.io/pv-protection'],
    ['kubernetes.io/pvc-protection'],
  ])
  expect(await api.items(volumes, `of=${namespace}`)).toHaveLength(1)
  expect(await api.items(core('persistentvolumeclaims'), `of=${namespace}`)).toHaveLength(1)
  const volumePath = `${volumes}/pv-${namespace}`
  const claimPath = core('persistentvolumeclaims', 'pvc')
  for (const path of [volumePath, claimPath]) {
    expect((await api.patch(path, { metadata: { labels: { patched: 'yes' } } })).metadata.labels).toMatchObject({
      patched: 'yes',
      of: namespace,
    })
    const current = await api.get(path)
    expect(
      (
        await api.put(path, {
          ...current,
          metadata: { ...current.metadata, labels: { ...current.metadata.labels, updated: 'yes' } },
        })
      ).metadata.labels,
    ).toMatchObject({ patched: 'yes', updated: 'yes' })
  }
  await api.post(core('pods'), {
    metadata: { name: 'user' },
    spec: {
      containers: [{ name: 'c', image: 'one:1' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'pvc' } }],
    },
  })
  await api.until(core('pods', 'user'), ({ spec: { nodeName } }) => Boolean(nodeName))
  await api.delete(claimPath)
  // A claim in use stays; the one made after it has been looked at as well by then.
  await api.post(core('persistentvolumeclaims'), {
    metadata: { name: 'unused' },
    spec: { ...spec, resources: { requests: { storage: '1Gi' } } },
  })
  await api.delete(core('persistentvolumeclaims', 'unused'))
  await api.gone(core('persistentvolumeclaims', 'unused'))
  expect((await api.get(claimPath)).metadata.deletionTimestamp).toBeDefined()
  await api.delete(core('pods', 'user'))
  await api.gone(claimPath)
  await api.delete(`${volumes}?labelSelector=of%3D${namespace}`)
  await api.gone(volumePath)
})
