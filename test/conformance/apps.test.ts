// Conformance of garbage collection, deployments, replica sets, replication controllers and jobs, whose
// pods hollow nodes pretend to run.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'
import { Api, pathsIn, type Json } from './api.ts'
import { replace } from './operations.ts'

let cluster: TestCluster
let api: Api
let namespace: string
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 0 })
  cluster.run = undefined
  await cluster.addNode('node-0')
  api = new Api(cluster.server)
})
afterAll(() => cluster.stop())
beforeEach(async () => {
  namespace = await api.namespace()
})

const core = pathsIn(() => namespace)
const apps = pathsIn(() => namespace, 'apis/apps/v1')
const jobs = (name = ''): string => `/apis/batch/v1/namespaces/${namespace}/jobs${name && `/${name}`}`
const template = (app: string, image = 'one:1', spec: object = {}): object => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'c', image }], ...spec },
})
const pods = (app: string): Promise<Json[]> => api.items(core('pods'), `app=${app}`)
const count = (app: string, expected: number): Promise<Json[]> =>
  eventually(`${expected} pods of ${app}`, async () => {
    const found = await pods(app)
    return found.length === expected && found.every(pod => pod.status.phase === 'Running') && found
  })
const controller = (name: string, replicas: number): object => ({
  metadata: { name },
  spec: { replicas, selector: { app: name }, template: template(name) },
})
const replicaSet = (name: string, replicas: number): object => ({
  metadata: { name, labels: { app: name } },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name) },
})
const deployment = (name: string, replicas: number, spec: object = {}): object => ({
  metadata: { name, labels: { app: name } },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name), ...spec },
})
const owner = (object: Json, kind = 'ReplicationController', more: object = {}): object => ({
  apiVersion: kind === 'Pod' || kind === 'ReplicationController' ? 'v1' : 'apps/v1',
  kind,
  name: object.metadata.name,
  uid: object.metadata.uid,
  ...more,
})
const rolledOut = (name: string): Promise<Json> =>
  api.until(
    apps('deployments', name),
    ({ metadata, spec, status }) =>
      status.observedGeneration === metadata.generation &&
      [status.replicas, status.updatedReplicas, status.availableReplicas].every(
        number => (number ?? 0) === spec.replicas,
      ),
  )
const setImage = (name: string, image: string): Promise<Json> =>
  api.patch(
    apps('deployments', name),
    { spec: { template: { spec: { containers: [{ name: 'c', image }] } } } },
    'strategic',
  )
const images = async (app: string): Promise<string[]> => [
  ...new Set(
    (await pods(app))
      .filter(pod => pod.metadata.deletionTimestamp === undefined)
      .map(pod => pod.spec.containers[0].image),
  ),
]

describe('garbage collection', () => {
  test('Garbage collector should delete pods created by rc when not orphaning [Conformance]', async () => {
    await api.post(core('replicationcontrollers'), controller('rc', 2))
    await count('rc', 2)
    await api.delete(core('replicationcontrollers', 'rc'), { propagationPolicy: 'Background' })
    await count('rc', 0)
  })

  test('Garbage collector should orphan pods created by rc if delete options say so [Conformance]', async () => {
    await api.post(core('replicationcontrollers'), controller('rc', 10))
    await count('rc', 10)
    await api.delete(core('replicationcontrollers', 'rc'), { propagationPolicy: 'Orphan' })
    await api.gone(core('replicationcontrollers', 'rc'))
    const orphans = await pods('rc')
    expect(orphans).toHaveLength(10)
    expect(orphans.flatMap(pod => pod.metadata.ownerReferences ?? [])).toEqual([])
  })

  test('Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so [Conformance]', async () => {
    await api.post(core('replicationcontrollers'), controller('rc', 10))
    const [held] = await count('rc', 10)
    await api.patch(core('pods', held.metadata.name), { metadata: { finalizers: ['e2e.example.com/hold'] } })
    await api.delete(core('replicationcontrollers', 'rc'), { propagationPolicy: 'Foreground' })
    await eventually('the others go', async () => (await pods('rc')).length === 1)
    expect((await api.get(core('replicationcontrollers', 'rc'))).metadata.finalizers).toEqual(['foregroundDeletion'])
    await api.patch(core('pods', held.metadata.name), { metadata: { finalizers: null } })
    await api.gone(core('replicationcontrollers', 'rc'))
    expect(await pods('rc')).toEqual([])
  })

  test("Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted [Conformance]", async () => {
    await api.post(core('replicationcontrollers'), controller('going', 10))
    const staying = await api.post(core('replicationcontrollers'), controller('staying', 0))
    const shared = (await count('going', 10)).slice(0, 5)
    for (const pod of shared)
      await api.patch(core('pods', pod.metadata.name), {
        metadata: { ownerReferences: [...pod.metadata.ownerReferences, owner(staying)] },
      })
    await api.delete(core('replicationcontrollers', 'going'), { propagationPolicy: 'Foreground' })
    await api.gone(core('replicationcontrollers', 'going'))
    const left = await pods('going')
    expect(new Set(left.map(pod => pod.metadata.name))).toEqual(new Set(shared.map(pod => pod.metadata.name)))
    expect(left.every(pod => pod.metadata.deletionTimestamp === undefined)).toBe(true)
  })

  test('Garbage collector should not be blocked by dependency circle [Conformance]', async () => {
    const made: Json[] = []
    for (const name of ['a', 'b', 'c'])
      made.push(
        await api.post(core('pods'), {
          metadata: { name, labels: { app: 'circle' } },
          spec: { containers: [{ name: 'c', image: 'x:1' }] },
        }),
      )
    const [a, b, c] = made
    for (const [pod, of] of [
      [a, c],
      [b, a],
      [c, b],
    ])
      await api.patch(core('pods', pod.metadata.name), {
        metadata: { ownerReferences: [owner(of, 'Pod', { controller: true, blockOwnerDeletion: true })] },
      })
    await api.delete(core('pods', 'a'), { propagationPolicy: 'Foreground' })
    await count('circle', 0)
  })

  test('Garbage collector should delete RS created by deployment when not orphaning [Conformance]', async () => {
    await api.post(apps('deployments'), deployment('d', 2))
    await rolledOut('d')
    await api.delete(apps('deployments', 'd'), { propagationPolicy: 'Background' })
    await eventually('the replica set goes', async () => (await api.items(apps('replicasets'))).length === 0)
    await count('d', 0)
  })

  test('Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan [Conformance]', async () => {
    await api.post(apps('deployments'), deployment('d', 2))
    await rolledOut('d')
    await api.delete(apps('deployments', 'd'), { propagationPolicy: 'Orphan' })
    await api.gone(apps('deployments', 'd'))
    const [set] = await api.items(apps('replicasets'))
    expect(set.metadata.ownerReferences).toBeUndefined()
    expect(await pods('d')).toHaveLength(2)
  })
})

describe.each([
  [
    'Deployment Deployment should have a working scale subresource [Conformance]',
    () => apps('deployments'),
    (name: string) => deployment(name, 1),
  ],
  [
    'ReplicaSet Replicaset should have a working scale subresource [Conformance]',
    () => apps('replicasets'),
    (name: string) => replicaSet(name, 1),
  ],
  [
    'ReplicationController should get and update a ReplicationController scale [Conformance]',
    () => core('replicationcontrollers'),
    (name: string) => controller(name, 1),
  ],
])('scale', (codename, collection, object) => {
  test(codename, async () => {
    const path = `${collection()}/x`
    await api.post(collection(), object('x'))
    await count('x', 1)
    const scale = await api.get(`${path}/scale`)
    expect(scale).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 1 } })
    expect(
      (
        await replace(api, `${path}/scale`, current => {
          current.spec.replicas = 2
        })
      ).spec.replicas,
    ).toBe(2)
    expect((await api.get(path)).spec.replicas).toBe(2)
    expect((await api.patch(`${path}/scale`, { spec: { replicas: 4 } })).spec.replicas).toBe(4)
    await count('x', 4)
  })
})

test('StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should have a working scale subresource [Conformance]: of what is stored', async () => {
  await api.post(apps('statefulsets'), {
    metadata: { name: 's' },
    spec: { serviceName: 's', replicas: 1, selector: { matchLabels: { app: 's' } }, template: template('s') },
  })
  expect(
    (
      await replace(api, `${apps('statefulsets', 's')}/scale`, scale => {
        scale.spec.replicas = 2
      })
    ).spec.replicas,
  ).toBe(2)
  await api.patch(`${apps('statefulsets', 's')}/scale`, { spec: { replicas: 4 } })
  expect((await api.get(apps('statefulsets', 's'))).spec.replicas).toBe(4)
})

describe('deployments', () => {
  test.each([
    ['Deployment RollingUpdateDeployment should delete old pods and create new ones [Conformance]', {}],
    [
      'Deployment RecreateDeployment should delete old pods and create new ones [Conformance]',
      { strategy: { type: 'Recreate' } },
    ],
  ])('%s', async (_codename, spec) => {
    await api.post(apps('deployments'), deployment('d', 2, spec))
    await rolledOut('d')
    const before = new Set((await pods('d')).map(pod => pod.metadata.uid))
    await setImage('d', 'two:1')
    await rolledOut('d')
    await eventually(
      'only new pods',
      async () => (await images('d')).join() === 'two:1' && (await pods('d')).length === 2,
    )
    expect((await pods('d')).some(pod => before.has(pod.metadata.uid))).toBe(false)
    expect((await api.get(apps('deployments', 'd'))).metadata.annotations['deployment.kubernetes.io/revision']).toBe(
      '2',
    )
  })

  test('Deployment deployment should delete old replica sets [Conformance]', async () => {
    await api.post(apps('deployments'), deployment('d', 1, { revisionHistoryLimit: 0 }))
    await rolledOut('d')
    await setImage('d', 'two:1')
    await rolledOut('d')
    await eventually(
      'one replica set is left',
      async () => (await api.items(apps('replicasets'), 'app=d')).length === 1,
    )
  })

  test('Deployment deployment should support rollover [Conformance]', async () => {
    await api.post(
      apps('deployments'),
      deployment('d', 2, { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } }),
    )
    await setImage('d', 'two:1')
    await setImage('d', 'three:1')
    await rolledOut('d')
    await eventually('only the last', async () => (await images('d')).join() === 'three:1')
    const sets = await api.items(apps('replicasets'), 'app=d')
    expect(sets.filter(set => set.spec.replicas > 0)).toHaveLength(1)
  })

  test('Deployment deployment should support proportional scaling [Conformance]', async () => {
    await api.post(
      apps('deployments'),
      deployment('d', 10, { strategy: { rollingUpdate: { maxUnavailable: 2, maxSurge: 3 } } }),
    )
    await rolledOut('d')
    // Pods that no node can take never become ready, so the rollout stops where its limits are.
    await api.patch(apps('deployments', 'd'), { spec: { template: { spec: { nodeSelector: { nowhere: '' } } } } })
    const sizes = async (): Promise<number[]> =>
      (await api.items(apps('replicasets'), 'app=d')).map(set => set.spec.replicas).toSorted((a, b) => b - a)
    await eventually('8 old ones and 5 new ones', async () => (await sizes()).join() === '8,5')
    await api.patch(apps('deployments', 'd'), { spec: { replicas: 30 } })
    await eventually('20 and 13', async () => (await sizes()).join() === '20,13')
  })

  test('Deployment should run the lifecycle of a Deployment [Conformance]', async () => {
    const path = apps('deployments', 'd')
    const watch = await api.watch(apps('deployments'), '?labelSelector=static=true')
    await api.post(apps('deployments'), {
      ...deployment('d', 2),
      metadata: { name: 'd', labels: { app: 'd', static: 'true' } },
    })
    await watch.next('ADDED')
    await rolledOut('d')
    await api.patch(path, { metadata: { labels: { patched: 'yes' } }, spec: { replicas: 1 } }, 'strategic')
    await watch.next('MODIFIED', seen => seen.metadata.labels.patched === 'yes')
    await rolledOut('d')
    await api.patch(`${path}/scale`, { spec: { replicas: 3 } })
    await rolledOut('d')
    const patched = await api.patch(`${path}/status`, {
      metadata: { annotations: { status: 'patched' } },
      status: { readyReplicas: 0, availableReplicas: 0 },
    })
    expect(patched.metadata.annotations.status).toBe('patched')
    expect(await api.items('/apis/apps/v1/deployments', 'static=true')).toHaveLength(1)
    await api.delete(`${apps('deployments')}?labelSelector=static=true`)
    await watch.next('DELETED')
    watch.close()
  })
})

describe('replica sets and replication controllers', () => {
  const kinds = [
    ['ReplicaSet', () => apps('replicasets'), replicaSet],
    ['ReplicationController', () => core('replicationcontrollers'), controller],
  ] as const
  async function adopts(collection: string, object: object): Promise<void> {
    const pod = await api.post(core('pods'), {
      metadata: { name: 'orphan', labels: { app: 'x' } },
      spec: { containers: [{ name: 'c', image: 'x:1' }] },
    })
    const made = await api.post(collection, object)
    await api.until(core('pods', 'orphan'), ({ metadata }) => metadata.ownerReferences?.[0].uid === made.metadata.uid)
    expect((await count('x', 1))[0].metadata.uid).toBe(pod.metadata.uid)
  }
  async function releases(pod: string, uid: string): Promise<void> {
    await api.patch(core('pods', pod), { metadata: { labels: { app: 'other' } } })
    await api.until(core('pods', pod), ({ metadata }) =>
      (metadata.ownerReferences ?? []).every((one: Json) => one.uid !== uid),
    )
    await count('x', 1)
  }

  test('ReplicationController should adopt matching pods on creation [Conformance]', () =>
    adopts(core('replicationcontrollers'), controller('x', 1)))

  test('ReplicationController should release no longer matching pods [Conformance]', async () => {
    const made = await api.post(core('replicationcontrollers'), controller('x', 1))
    const [pod] = await count('x', 1)
    await releases(pod.metadata.name, made.metadata.uid)
  })

  test('ReplicaSet should adopt matching pods on creation and release no longer matching pods [Conformance]', async () => {
    await adopts(apps('replicasets'), replicaSet('x', 1))
    await releases('orphan', (await api.get(apps('replicasets', 'x'))).metadata.uid)
  })

  test('ReplicaSet Replace and Patch tests [Conformance]', async () => {
    await api.post(apps('replicasets'), replicaSet('x', 1))
    await count('x', 1)
    await replace(api, apps('replicasets', 'x'), set => {
      set.spec.replicas = 2
    })
    await count('x', 2)
    await api.patch(
      apps('replicasets', 'x'),
      {
        metadata: { labels: { patched: 'true' } },
        spec: {
          replicas: 3,
          template: { spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'two:1' }] } },
        },
      },
      'strategic',
    )
    await count('x', 3)
    expect((await api.get(apps('replicasets', 'x'))).spec.template.spec.containers).toMatchObject([
      { name: 'c', image: 'two:1' },
    ])
  })

  test('ReplicationController should surface a failure condition on a common issue like exceeded quota [Conformance]', async () => {
    await api.post(core('resourcequotas'), { metadata: { name: 'q' }, spec: { hard: { pods: '2' } } })
    await api.until(core('resourcequotas', 'q'), ({ status }) => status.hard?.pods === '2')
    await api.post(core('replicationcontrollers'), controller('x', 3))
    const failing = await api.until(
      core('replicationcontrollers', 'x'),
      ({ status }) => status.conditions?.[0].type === 'ReplicaFailure',
    )
    expect(failing.status.conditions[0]).toMatchObject({
      status: 'True',
      reason: 'FailedCreate',
      message: expect.stringContaining('exceeded quota'),
    })
    await replace(api, `${core('replicationcontrollers', 'x')}/scale`, scale => {
      scale.spec.replicas = 2
    })
    await api.until(core('replicationcontrollers', 'x'), ({ status }) => (status.conditions ?? []).length === 0)
  })

  test('ReplicationController should test the lifecycle of a ReplicationController [Conformance]', async () => {
    const path = core('replicationcontrollers', 'x')
    const watch = await api.watch(core('replicationcontrollers'))
    await api.post(core('replicationcontrollers'), {
      ...controller('x', 1),
      metadata: { name: 'x', labels: { static: 'true' } },
    })
    await watch.next('MODIFIED', ({ status }) => status.readyReplicas === 1)
    expect(
      (await api.patch(path, { metadata: { labels: { patched: 'true' } } }, 'strategic')).metadata.labels.patched,
    ).toBe('true')
    await api.patch(`${path}/status`, { status: { readyReplicas: 0, availableReplicas: 0 } })
    await watch.next('MODIFIED', ({ status }) => status.readyReplicas === 1)
    await api.patch(`${path}/scale`, { spec: { replicas: 2 } })
    await watch.next('MODIFIED', ({ status }) => status.readyReplicas === 2)
    expect(await api.items('/api/v1/replicationcontrollers', 'static=true')).toHaveLength(1)
    await api.delete(`${core('replicationcontrollers')}?labelSelector=static=true`)
    await watch.next('DELETED')
    watch.close()
  })

  test.each(kinds)('%s: a deleted pod is replaced', async (_kind, collection, object) => {
    await api.post(collection(), object('x', 1))
    const [pod] = await count('x', 1)
    await api.delete(core('pods', pod.metadata.name))
    await eventually('another pod', async () => (await pods('x')).some(one => one.metadata.uid !== pod.metadata.uid))
  })
})

describe('jobs', () => {
  const job = (spec: object = {}): object => ({
    metadata: { name: 'j' },
    spec: { template: template('j', 'one:1', { restartPolicy: 'Never' }), ...spec },
  })

  test('Job should delete a job [Conformance]', async () => {
    await api.post(jobs(), job({ parallelism: 2, completions: 4 }))
    await count('j', 2)
    await api.until(jobs('j'), ({ status }) => status.active === 2)
    await api.delete(jobs('j'), { propagationPolicy: 'Foreground' })
    await api.gone(jobs('j'))
    expect(await pods('j')).toEqual([])
  })

  test('Job should adopt matching orphans and release non-matching pods [Conformance]', async () => {
    const made = await api.post(jobs(), job({ parallelism: 2, completions: 4 }))
    const [pod] = await count('j', 2)
    await api.patch(core('pods', pod.metadata.name), { metadata: { ownerReferences: null } })
    await api.until(
      core('pods', pod.metadata.name),
      ({ metadata }) => metadata.ownerReferences?.[0].uid === made.metadata.uid,
    )
    await api.patch(core('pods', pod.metadata.name), {
      metadata: {
        labels: {
          'job-name': null,
          'batch.kubernetes.io/job-name': null,
          'controller-uid': null,
          'batch.kubernetes.io/controller-uid': null,
        },
      },
    })
    await api.until(core('pods', pod.metadata.name), ({ metadata }) => metadata.ownerReferences === undefined)
  })

  test('Job should create pods for an Indexed job with completion indexes and specified hostname [Conformance]', async () => {
    await api.post(jobs(), job({ completionMode: 'Indexed', parallelism: 2, completions: 4 }))
    for (let done = 0; done < 4;) {
      const running = (await pods('j')).filter(pod => pod.status.phase === 'Running')
      for (const pod of running)
        await api.patch(`${core('pods', pod.metadata.name)}/status`, { status: { phase: 'Succeeded' } })
      done += running.length
    }
    const finished = await api.until(
      jobs('j'),
      ({ status }) => status.succeeded === 4 && status.completionTime !== undefined,
    )
    expect(finished.status.completedIndexes).toBe('0-3')
    const made = await pods('j')
    expect(new Set(made.map(pod => pod.metadata.annotations['batch.kubernetes.io/job-completion-index']))).toEqual(
      new Set(['0', '1', '2', '3']),
    )
    for (const pod of made) {
      const index = pod.metadata.annotations['batch.kubernetes.io/job-completion-index']
      expect(pod.spec.hostname).toBe(`j-${index}`)
      expect(pod.spec.containers[0].env.map((one: Json) => one.name)).toContain('JOB_COMPLETION_INDEX')
    }
  })
})
