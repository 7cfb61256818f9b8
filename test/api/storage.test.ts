// Claims, volumes and classes of storage: the control loops, the provisioner of each node and the scheduler
// against the real API server, with nodes that run nothing.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
  Pod,
  PodSpec,
  StorageClass,
} from '../../src/api/generated/models.ts'
import {
  events,
  namespaces,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  serviceAccounts,
  statefulSets,
  storageClasses,
} from '../../src/api/resources.ts'
import { offerStorageClass } from '../../src/main/default-storage-class.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'

let cluster: TestCluster
let namespace: string
let made = 0

beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 2, hasVolumes: true })
  await offerStorageClass(cluster.client)
})
afterAll(() => cluster.stop())

/** Volumes and classes have no namespace: what a test makes bears the name of its own. */
beforeEach(async () => {
  namespace = `storage-${++made}`
  await cluster.client.create(namespaces, { metadata: { name: namespace } })
  await eventually('the namespace has what pods need', () =>
    cluster.client.informer(serviceAccounts).get({ namespace, name: 'default' }),
  )
})

function makeVolume(
  name: string,
  storage: string,
  spec: Partial<PersistentVolumeSpec> = {},
  labels?: Record<string, string>,
): Promise<PersistentVolume> {
  return cluster.client.create(persistentVolumes, {
    metadata: { name: `${namespace}-${name}`, ...(labels && { labels }) },
    spec: {
      capacity: { storage },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: `/mnt/${name}` },
      storageClassName: namespace,
      ...spec,
    },
  })
}

function makeClaim(
  name: string,
  storage: string,
  spec: Partial<PersistentVolumeClaimSpec> = {},
): Promise<PersistentVolumeClaim> {
  return cluster.client.create(persistentVolumeClaims, {
    metadata: { namespace, name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage } },
      storageClassName: namespace,
      ...spec,
    },
  })
}

const makeClass = (fields: Partial<StorageClass> = {}, name = namespace): Promise<StorageClass> =>
  cluster.client.create(storageClasses, {
    metadata: { name },
    provisioner: 'sampan.dev/local-path',
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
    ...fields,
  })

function makePod(name: string, claims: readonly string[], spec: Partial<PodSpec> = {}): Promise<Pod> {
  const volumes = claims.map(claimName => ({ name: claimName, persistentVolumeClaim: { claimName } }))
  return cluster.client.create(pods, {
    metadata: { namespace, name },
    spec: { containers: [{ name: 'c', image: 'i' }], volumes, ...spec },
  })
}

const claim = (name: string): PersistentVolumeClaim | undefined =>
  cluster.client.informer(persistentVolumeClaims).get({ namespace, name })
const volume = (name: string): PersistentVolume | undefined => cluster.client.informer(persistentVolumes).get({ name })
const own = (name: string): PersistentVolume => volume(`${namespace}-${name}`)!
const pod = (name: string): Pod | undefined => cluster.client.informer(pods).get({ namespace, name })

const untilBound = (name: string): Promise<PersistentVolumeClaim> =>
  eventually(`${name} bound`, () => claim(name)?.status.phase === 'Bound' && claim(name))
const untilRunning = (name: string): Promise<Pod> =>
  eventually(`${name} running`, () => pod(name)?.status.phase === 'Running' && pod(name))
const untilPhase = (name: string, phase: string): Promise<PersistentVolume> =>
  eventually(`${name} ${phase}`, () => own(name).status.phase === phase && own(name))
const untilGone = (what: string, probe: () => unknown): Promise<boolean> =>
  eventually(`${what} gone`, () => probe() === undefined)

const untilSaid = (name: string, reason: string, message: string): Promise<unknown> =>
  eventually(`${name}: ${reason}: ${message}`, () =>
    cluster.client
      .informer(events)
      .list()
      .find(
        event =>
          event.involvedObject.name === name &&
          (event.involvedObject.namespace ?? namespace) === namespace &&
          event.reason === reason &&
          event.message === message,
      ),
  )

const unschedulable = (name: string, message: string): Promise<unknown> =>
  eventually(`${name} waits: ${message}`, () =>
    pod(name)?.status.conditions?.some(
      condition =>
        condition.type === 'PodScheduled' && condition.reason === 'Unschedulable' && condition.message === message,
    ),
  )

test('a claim gets the smallest volume that has what it asks for', async () => {
  await Promise.all([
    makeVolume('small', '1Gi'),
    makeVolume('fits', '5Gi'),
    makeVolume('large', '50Gi'),
    makeVolume('other-class', '4Gi', { storageClassName: 'other' }),
    makeVolume('block', '4Gi', { volumeMode: 'Block' }),
    makeVolume('read-only', '4Gi', { accessModes: ['ReadOnlyMany'] }),
  ])
  await Promise.all(['small', 'fits', 'large'].map(name => untilPhase(name, 'Available')))
  const made = await makeClaim('data', '3Gi')
  expect(await untilBound('data')).toMatchObject({
    metadata: {
      annotations: { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' },
    },
    spec: { volumeName: `${namespace}-fits` },
    status: { accessModes: ['ReadWriteOnce'], capacity: { storage: '5Gi' } },
  })
  expect(own('fits')).toMatchObject({
    metadata: { annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } },
    spec: {
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: 'data', uid: made.metadata.uid },
    },
    status: { phase: 'Bound' },
  })
  expect(['small', 'large', 'other-class', 'block', 'read-only'].map(name => own(name).spec.claimRef)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('a selector decides among volumes', async () => {
  await Promise.all([makeVolume('slow', '1Gi', {}, { disk: 'slow' }), makeVolume('fast', '9Gi', {}, { disk: 'fast' })])
  await makeClaim('data', '1Gi', { selector: { matchLabels: { disk: 'fast' } } })
  expect((await untilBound('data')).spec.volumeName).toBe(`${namespace}-fast`)
})

test('two claims never get the same volume', async () => {
  await Promise.all([1, 2, 3, 4, 5].map(index => makeVolume(`v${index}`, '1Gi')))
  await Promise.all([1, 2, 3, 4, 5].map(index => makeClaim(`c${index}`, '1Gi')))
  const bound = await Promise.all([1, 2, 3, 4, 5].map(index => untilBound(`c${index}`)))
  expect(new Set(bound.map(({ spec }) => spec.volumeName)).size).toBe(5)
})

test('a claim without a class waits, and is bound when a volume comes', async () => {
  await makeClaim('data', '1Gi', { storageClassName: '' })
  await untilSaid('data', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
  expect(claim('data')?.status).toEqual({ phase: 'Pending' })
  await makeVolume('late', '1Gi', { storageClassName: '' })
  await untilBound('data')
})

test('users bind by name, from either side', async () => {
  await makeVolume('meant', '1Gi', { claimRef: { namespace, name: 'awaited' } })
  await untilPhase('meant', 'Available')
  await makeClaim('other', '1Gi')
  await makeClaim('awaited', '1Gi')
  expect((await untilBound('awaited')).spec.volumeName).toBe(`${namespace}-meant`)
  expect(own('meant').metadata.annotations).toBeUndefined()
  await makeClaim('named', '1Gi', { volumeName: `${namespace}-later` })
  await makeVolume('later', '1Gi')
  expect((await untilBound('named')).metadata.annotations).toEqual({ 'pv.kubernetes.io/bind-completed': 'yes' })
  expect(claim('other')?.status.phase).toBe('Pending')
})

test('a claim is told why it cannot have the volume that it names', async () => {
  await Promise.all([
    makeVolume('small', '1Gi'),
    makeVolume('taken', '1Gi', { claimRef: { namespace, name: 'somebody' } }),
  ])
  await makeClaim('large', '2Gi', { volumeName: `${namespace}-small` })
  await untilSaid(
    'large',
    'VolumeMismatch',
    `Cannot bind to requested volume "${namespace}-small": requested PV is too small`,
  )
  await makeClaim('late', '1Gi', { volumeName: `${namespace}-taken` })
  await untilSaid('late', 'FailedBinding', `volume "${namespace}-taken" already bound to a different claim.`)
})

test('volumes whose claims are gone are released: kept, or failed when nobody here can delete them', async () => {
  await Promise.all([
    makeVolume('kept', '1Gi', { claimRef: { namespace, name: 'a' } }),
    makeVolume('doomed', '1Gi', { claimRef: { namespace, name: 'b' }, persistentVolumeReclaimPolicy: 'Delete' }),
  ])
  await Promise.all([makeClaim('a', '1Gi'), makeClaim('b', '1Gi')])
  await Promise.all([untilBound('a'), untilBound('b')])
  await Promise.all(['a', 'b'].map(name => cluster.client.delete(persistentVolumeClaims, { namespace, name })))
  await untilPhase('kept', 'Released')
  const message = 'host_path deleter only supports /tmp/.+ but received provided /mnt/doomed'
  expect((await untilPhase('doomed', 'Failed')).status.message).toBe(message)
  await untilSaid(`${namespace}-doomed`, 'VolumeFailedDelete', message)
  // Taking the reference out offers the volume again.
  await cluster.client.patch(persistentVolumes, own('kept').metadata, {
    type: 'merge',
    value: { spec: { claimRef: null } },
  })
  await untilPhase('kept', 'Available')
})

test('a claim whose volume vanished is lost, and no pod gets it', async () => {
  await makeVolume('gone', '1Gi')
  await makeClaim('data', '1Gi')
  await untilBound('data')
  await cluster.client.delete(persistentVolumes, own('gone').metadata)
  await cluster.client.patch(persistentVolumes, own('gone').metadata, {
    type: 'merge',
    value: { metadata: { finalizers: null } },
  })
  await eventually('lost', () => claim('data')?.status.phase === 'Lost')
  await untilSaid('data', 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  await makePod('p', ['data'])
  await unschedulable(
    'p',
    `0/2 nodes are available: persistentvolumeclaim "data" bound to non-existent persistentvolume "${namespace}-gone". not found`,
  )
})

test('a class that is not there is asked for, and others are told to provision', async () => {
  await makeClaim('data', '1Gi')
  await untilSaid('data', 'ProvisioningFailed', `storageclass.storage.k8s.io "${namespace}" not found`)
  await makeClass({ provisioner: 'example.com/disks', volumeBindingMode: 'Immediate' })
  await untilSaid(
    'data',
    'ExternalProvisioning',
    "Waiting for a volume to be created either by the external provisioner 'example.com/disks' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
  )
  expect(claim('data')?.metadata.annotations).toEqual({
    'volume.beta.kubernetes.io/storage-provisioner': 'example.com/disks',
    'volume.kubernetes.io/storage-provisioner': 'example.com/disks',
  })
})

test('a directory is made where the first pod goes, and goes with the claim', async () => {
  const {
    metadata: { uid },
  } = await makeClaim('data', '1Gi', { storageClassName: undefined })
  expect(claim('data')?.spec.storageClassName).toBe('local-path')
  await untilSaid('data', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
  await makePod('p', ['data'])
  const {
    spec: { nodeName = '' },
  } = await untilRunning('p')
  const name = `pvc-${uid}`
  const directory = `${name}_${namespace}_data`
  expect(claim('data')).toMatchObject({
    metadata: {
      annotations: { 'volume.kubernetes.io/selected-node': nodeName, 'pv.kubernetes.io/bind-completed': 'yes' },
    },
    spec: { volumeName: name },
    status: { phase: 'Bound', capacity: { storage: '1Gi' } },
  })
  expect(volume(name)).toMatchObject({
    metadata: {
      annotations: { 'pv.kubernetes.io/provisioned-by': 'sampan.dev/local-path' },
      finalizers: ['external-provisioner.volume.kubernetes.io/finalizer', 'kubernetes.io/pv-protection'],
    },
    spec: {
      local: { path: `/${nodeName}/${directory}` },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'local-path',
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] },
          ],
        },
      },
    },
    status: { phase: 'Bound' },
  })
  expect(cluster.directories).toContain(`${nodeName}/${directory}`)
  await untilSaid('data', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`)

  await cluster.client.delete(persistentVolumeClaims, { namespace, name: 'data' })
  expect(claim('data')?.metadata.deletionTimestamp).toBeDefined()
  await makePod('late', ['data'])
  await unschedulable('late', '0/2 nodes are available: persistentvolumeclaim "data" is being deleted. not found')
  expect(cluster.directories).toContain(`${nodeName}/${directory}`)
  await Promise.all(['p', 'late'].map(one => cluster.client.delete(pods, { namespace, name: one })))
  await untilGone('the volume', () => volume(name))
  expect(cluster.directories).not.toContain(`${nodeName}/${directory}`)
})

test('a pod goes where its volume is', async () => {
  await makeClaim('data', '1Gi', { storageClassName: 'local-path' })
  await makePod('first', ['data'])
  const home = (await untilRunning('first')).spec.nodeName!
  const away = home === 'node-0' ? 'node-1' : 'node-0'
  await makePod('stranger', ['data'], { nodeSelector: { 'kubernetes.io/hostname': away } })
  await unschedulable(
    'stranger',
    "0/2 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  )
  const others = [1, 2, 3, 4].map(index => `p${index}`)
  await Promise.all(others.map(name => makePod(name, ['data'])))
  expect(new Set((await Promise.all(others.map(untilRunning))).map(({ spec }) => spec.nodeName))).toEqual(
    new Set([home]),
  )
})

test('pods that start at the same moment with one new claim share its node', async () => {
  await makeClaim('data', '1Gi', { storageClassName: 'local-path' })
  const names = [1, 2, 3, 4].map(index => `p${index}`)
  await Promise.all(names.map(name => makePod(name, ['data'])))
  expect(new Set((await Promise.all(names.map(untilRunning))).map(({ spec }) => spec.nodeName)).size).toBe(1)
})

test('a pod waits for its claims, and starts as soon as they are there', async () => {
  await makePod('p', ['data'])
  await unschedulable('p', '0/2 nodes are available: persistentvolumeclaim "data" not found. not found')
  await makeClaim('data', '1Gi')
  await unschedulable('p', '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found')
  await makeVolume('v', '1Gi')
  await untilRunning('p')
})

test('volumes that people made for nodes are chosen with the node', async () => {
  await makeClass({ provisioner: 'kubernetes.io/no-provisioner' })
  const on = (node: string): Partial<PersistentVolumeSpec> => ({
    hostPath: undefined,
    local: { path: '/mnt/disk' },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }],
      },
    },
  })
  await Promise.all([makeClaim('one', '1Gi'), makeClaim('two', '1Gi')])
  await makePod('p', ['one', 'two'])
  await unschedulable(
    'p',
    "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  )
  await Promise.all([
    makeVolume('a0', '1Gi', on('node-0')),
    makeVolume('b0', '1Gi', on('node-1')),
    makeVolume('b1', '2Gi', on('node-1')),
  ])
  expect((await untilRunning('p')).spec.nodeName).toBe('node-1')
  expect(new Set([claim('one'), claim('two')].map(one => one?.spec.volumeName))).toEqual(
    new Set([`${namespace}-b0`, `${namespace}-b1`]),
  )
  expect(own('a0').spec.claimRef).toBeUndefined()
})

test('a claim for one pod alone is not given to a second one', async () => {
  await makeClaim('data', '1Gi', { storageClassName: 'local-path', accessModes: ['ReadWriteOncePod'] })
  await makePod('first', ['data'])
  await untilRunning('first')
  await makePod('second', ['data'])
  await unschedulable(
    'second',
    '0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
  )
  await cluster.client.delete(pods, { namespace, name: 'first' })
  await untilRunning('second')
})

async function makeSet(
  name: string,
  policy: { whenDeleted?: string; whenScaled?: string } = {},
): Promise<{ readonly scale: (replicas: number) => Promise<void>; readonly volumes: () => (string | undefined)[] }> {
  const { client } = cluster
  const settled = (replicas: number) =>
    eventually(`${replicas} ready`, () => {
      const { status, metadata } = client.informer(statefulSets).get({ namespace, name })!
      return (
        status.observedGeneration === metadata.generation &&
        status.replicas === replicas &&
        (status.readyReplicas ?? 0) === replicas
      )
    })
  await client.create(statefulSets, {
    metadata: { namespace, name },
    spec: {
      replicas: 2,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      persistentVolumeClaimRetentionPolicy: policy,
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'data', mountPath: '/data' }] }] },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ] as unknown as PersistentVolumeClaim[],
    },
  })
  await settled(2)
  return {
    volumes: () => [0, 1].map(ordinal => claim(`data-${name}-${ordinal}`)?.spec.volumeName),
    scale: async replicas => {
      await client.patch(statefulSets, { namespace, name }, { type: 'merge', value: { spec: { replicas } } })
      await settled(replicas)
    },
  }
}

test('a StatefulSet keeps its claims while it is scaled, and after it is deleted', async () => {
  const { scale, volumes } = await makeSet('db')
  const before = volumes()
  expect(new Set(before).size).toBe(2)
  await scale(0)
  await scale(2)
  expect(volumes()).toEqual(before)
  await cluster.client.delete(statefulSets, { namespace, name: 'db' })
  await untilGone('its pods', () => pod('db-0') ?? pod('db-1'))
  expect(volumes()).toEqual(before)
})

test('claims go with their pod or with their set where the set says so', async () => {
  const { scale, volumes } = await makeSet('db', { whenDeleted: 'Delete', whenScaled: 'Delete' })
  const [first, second] = volumes()
  expect(claim('data-db-1')?.metadata.ownerReferences).toMatchObject([
    { kind: 'StatefulSet', name: 'db', controller: true },
  ])
  await cluster.client.patch(
    statefulSets,
    { namespace, name: 'db' },
    { type: 'merge', value: { spec: { replicas: 1 } } },
  )
  await untilGone('the pod', () => pod('db-1'))
  // The new pod waits until the claim of the one before has gone.
  await scale(2)
  expect(volumes()[0]).toBe(first)
  expect(volumes()[1]).not.toBe(second)
  await untilGone('the volume', () => volume(second!))
  await cluster.client.delete(statefulSets, { namespace, name: 'db' })
  await untilGone('its claims', () => claim('data-db-0') ?? claim('data-db-1'))
})

test('a claim that vanishes before its pod runs is made again', async () => {
  await makeSet('db')
  const { uid } = claim('data-db-1')!.metadata
  await cluster.client.delete(persistentVolumeClaims, { namespace, name: 'data-db-1' })
  await cluster.client.delete(pods, { namespace, name: 'db-1' })
  await eventually(
    'another claim',
    () => claim('data-db-1')?.status.phase === 'Bound' && claim('data-db-1')?.metadata.uid !== uid,
  )
  await untilRunning('db-1')
})

test('an ephemeral volume lives as long as its pod', async () => {
  const { client } = cluster
  const volumeClaimTemplate = {
    metadata: { labels: { kind: 'scratch' } },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  } as unknown as NonNullable<NonNullable<PodSpec['volumes']>[number]['ephemeral']>['volumeClaimTemplate']
  const volumes = [{ name: 'scratch', ephemeral: { volumeClaimTemplate } }]
  await makeClaim('taken-scratch', '1Gi', { storageClassName: 'local-path' })
  await makePod('taken', [], { volumes })
  await untilSaid(
    'taken',
    'FailedBinding',
    `ephemeral volume scratch: PVC ${namespace}/taken-scratch was not created for pod ${namespace}/taken (pod is not owner)`,
  )
  await client.delete(persistentVolumeClaims, { namespace, name: 'taken-scratch' })
  await untilRunning('taken')
  const {
    metadata: { uid },
  } = await makePod('p', [], { volumes })
  await untilRunning('p')
  expect(claim('p-scratch')?.metadata).toMatchObject({
    labels: { kind: 'scratch' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid, controller: true, blockOwnerDeletion: true }],
  })
  const name = claim('p-scratch')!.spec.volumeName!
  await client.delete(pods, { namespace, name: 'p' })
  await untilGone('the claim', () => claim('p-scratch'))
  await untilGone('the volume', () => volume(name))
})

test('a claim may grow; its directory has no size of its own', async () => {
  await makeClaim('data', '1Gi', { storageClassName: 'local-path' })
  await makePod('p', ['data'])
  await untilRunning('p')
  await cluster.client.patch(
    persistentVolumeClaims,
    { namespace, name: 'data' },
    { type: 'merge', value: { spec: { resources: { requests: { storage: '3Gi' } } } } },
  )
  await eventually('grown', () => claim('data')?.status.capacity?.['storage'] === '3Gi')
  expect(volume(claim('data')!.spec.volumeName!)?.spec.capacity).toEqual({ storage: '3Gi' })
})

test('what is deleted while it is used stays until the claim has gone; what is to be kept is kept', async () => {
  await makeClass({ reclaimPolicy: 'Retain', volumeBindingMode: 'Immediate' })
  await Promise.all([makeClaim('kept', '1Gi'), makeClaim('data', '1Gi', { storageClassName: 'local-path' })])
  await makePod('p', ['data'])
  await untilRunning('p')
  const [kept, data] = await Promise.all([untilBound('kept'), untilBound('data')])
  const [keptVolume, dataVolume] = [kept.spec.volumeName!, data.spec.volumeName!]
  await cluster.client.delete(persistentVolumes, { name: dataVolume })
  await Promise.all(['kept', 'data'].map(name => cluster.client.delete(persistentVolumeClaims, { namespace, name })))
  await eventually('released', () => volume(keptVolume)?.status.phase === 'Released')
  const directoryOf = (name: string): string | undefined => [...cluster.directories].find(path => path.includes(name))
  expect([volume(dataVolume)?.status.phase, directoryOf(dataVolume)]).toEqual(['Bound', expect.any(String)])
  await cluster.client.delete(pods, { namespace, name: 'p' })
  await untilGone('the volume', () => volume(dataVolume))
  expect(directoryOf(dataVolume)).toBeUndefined()
  await cluster.client.delete(persistentVolumes, { name: keptVolume })
  await untilGone('the kept volume', () => volume(keptVolume))
  expect(directoryOf(keptVolume)).toBeDefined()
})

test.each<[string, Partial<PersistentVolumeClaimSpec>, string]>([
  ['block', { volumeMode: 'Block' }, 'expected volumeMode Filesystem, found Block: a directory is no block device'],
  [
    'chosen',
    { selector: { matchLabels: { a: 'b' } } },
    'claim.Spec.Selector is not supported: a new directory has no labels that it could match',
  ],
])('a claim that no directory can serve is told so: %s', async (name, spec, why) => {
  await makeClass({ volumeBindingMode: 'Immediate' })
  await makeClaim(name, '1Gi', spec)
  await untilSaid(name, 'ProvisioningFailed', `failed to provision volume with StorageClass "${namespace}": ${why}`)
})

test('the default class is made once, and claims that waited for one get it', async () => {
  const { client } = cluster
  const standard = await client.get(storageClasses, { name: 'local-path' })
  expect(standard).toMatchObject({
    metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'sampan.dev/local-path',
    volumeBindingMode: 'WaitForFirstConsumer',
    reclaimPolicy: 'Delete',
  })
  await client.delete(storageClasses, { name: 'local-path' })
  await offerStorageClass(client)
  expect(client.informer(storageClasses).get({ name: 'local-path' })).toBeUndefined()
  await makeClaim('data', '1Gi', { storageClassName: undefined })
  await untilSaid('data', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
  const {
    metadata: { annotations },
    provisioner,
    reclaimPolicy,
    volumeBindingMode,
    allowVolumeExpansion,
  } = standard
  await makeClass({
    metadata: { name: 'local-path', annotations } as StorageClass['metadata'],
    provisioner,
    reclaimPolicy,
    volumeBindingMode,
    allowVolumeExpansion,
  } as Partial<StorageClass>)
  await eventually('the class', () => claim('data')?.spec.storageClassName === 'local-path')
})

test('a cluster where people chose a default keeps it', async () => {
  const { client } = cluster
  await client.patch(
    namespaces,
    { name: 'kube-system' },
    { type: 'merge', value: { metadata: { annotations: { 'sampan.dev/default-storage-class': null } } } },
  )
  await client.delete(storageClasses, { name: 'local-path' })
  await makeClass({
    metadata: {
      name: namespace,
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    } as unknown as StorageClass['metadata'],
  })
  await offerStorageClass(client)
  expect((await client.get(storageClasses, { name: 'local-path' })).metadata.annotations).toBeUndefined()
})
