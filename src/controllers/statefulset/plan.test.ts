import { describe, expect, test } from 'vitest'
import type { Pod, StatefulSet } from '../../api/generated/models.ts'
import { revisionLabel } from '../../control/controller-revisions.ts'
import { planStatefulSet } from './plan.ts'
import { claimsFor, ordinalOf, podFor } from './stateful-pod.ts'

const nowMs = Date.parse('2026-01-01T01:00:00Z')
const revisions = { current: 'web-old', update: 'web-new' }

const set = (spec: Partial<StatefulSet['spec']> = {}, status: Partial<StatefulSet['status']> = {}): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web', namespace: 'n', uid: 'web', resourceVersion: '1', creationTimestamp: '', generation: 1 },
  spec: {
    replicas: 3,
    serviceName: 'web',
    podManagementPolicy: 'OrderedReady',
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [] } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    ...spec,
  },
  status: { replicas: 0, ...status },
})
function pod(ordinal: number, state: 'ready' | 'starting' | 'Failed' | 'going' = 'ready', revision = 'web-new'): Pod {
  const name = `web-${ordinal}`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'n',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'web', [revisionLabel]: revision },
      ...(state === 'going' && { deletionTimestamp: '2026-01-01T00:30:00Z' }),
    },
    spec: { containers: [] },
    status: {
      phase: state === 'Failed' ? 'Failed' : state === 'starting' ? 'Pending' : 'Running',
      conditions: [
        { type: 'Ready', status: state === 'ready' ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:10:00Z' },
      ],
    },
  }
}
const steps = (given: StatefulSet, pods: Pod[]): string[] => {
  const { create, remove } = planStatefulSet(given, pods, revisions, nowMs)
  return [
    ...create.map(({ ordinal, revision }) => `+${ordinal} ${revision}`),
    ...remove.map(({ metadata }) => `-${metadata.name}`),
  ]
}

describe('in order', () => {
  test('the next pod comes when the one before is ready', () => {
    expect(steps(set(), [])).toEqual(['+0 web-new'])
    expect(steps(set(), [pod(0, 'starting')])).toEqual([])
    expect(steps(set(), [pod(0)])).toEqual(['+1 web-new'])
    expect(steps(set(), [pod(0), pod(1), pod(2)])).toEqual([])
  })

  test('pods go from the last one down, one at a time', () => {
    expect(steps(set({ replicas: 1 }), [pod(0), pod(1), pod(2)])).toEqual(['-web-2'])
    expect(steps(set({ replicas: 1 }), [pod(0), pod(1), pod(2, 'going')])).toEqual([])
    expect(steps(set({ replicas: 1 }), [pod(0, 'starting'), pod(1), pod(2)])).toEqual([])
  })

  test('a pod that ended is made anew', () => {
    const failed = pod(1, 'Failed')
    expect(planStatefulSet(set(), [pod(0), failed, pod(2)], revisions, nowMs)).toMatchObject({
      create: [],
      remove: [failed],
      ended: [failed],
    })
  })

  test('ordinals may start later', () => {
    expect(steps(set({ ordinals: { start: 5 }, replicas: 1 }), [pod(0)])).toEqual(['+5 web-new'])
    expect(steps(set({ ordinals: { start: 5 }, replicas: 1 }), [pod(0), pod(5)])).toEqual(['-web-0'])
  })
})

test('in parallel all come and go at once', () => {
  const parallel = (replicas: number) => set({ podManagementPolicy: 'Parallel', replicas })
  expect(steps(parallel(3), [])).toEqual(['+0 web-new', '+1 web-new', '+2 web-new'])
  expect(steps(parallel(0), [pod(0, 'starting'), pod(1), pod(2)])).toEqual(['-web-2', '-web-1', '-web-0'])
})

describe('an update', () => {
  const old = (ordinal: number, state: Parameters<typeof pod>[1] = 'ready'): Pod => pod(ordinal, state, 'web-old')

  test('replaces from the last pod down to the partition, one at a time', () => {
    expect(steps(set(), [old(0), old(1), old(2)])).toEqual(['-web-2'])
    expect(steps(set(), [old(0), old(1), pod(2, 'starting')])).toEqual([])
    expect(steps(set(), [old(0), old(1), pod(2)])).toEqual(['-web-1'])
    const partitioned = set({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } })
    expect(steps(partitioned, [old(0), old(1), pod(2)])).toEqual([])
    expect(steps(partitioned, [old(0), pod(2)])).toEqual(['+1 web-old'])
  })

  test('as many at once as may be unavailable', () => {
    expect(
      steps(set({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 2 } } }), [
        old(0),
        old(1),
        old(2),
      ]),
    ).toEqual(['-web-2', '-web-1'])
  })

  test('waits for deletions when it is told to', () => {
    const manual = set({ updateStrategy: { type: 'OnDelete' } })
    expect(steps(manual, [old(0), old(1), old(2)])).toEqual([])
    expect(steps(manual, [old(0), old(2)])).toEqual(['+1 web-new'])
  })

  test('is over when every pod is new and ready', () => {
    expect(planStatefulSet(set(), [old(0), pod(1), pod(2)], revisions, nowMs).status).toEqual({
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      updatedReplicas: 2,
      currentRevision: 'web-old',
      updateRevision: 'web-new',
      collisionCount: 0,
      observedGeneration: 1,
    })
    expect(planStatefulSet(set(), [pod(0), pod(1), pod(2)], revisions, nowMs).status).toMatchObject({
      currentRevision: 'web-new',
      updateRevision: 'web-new',
      currentReplicas: 3,
      updatedReplicas: 3,
    })
  })
})

test('a pod has its name, its place and its claims', () => {
  const claiming = set({
    volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } } as never],
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
  })
  const made = podFor(claiming, 1, claiming.spec.template, 'web-new')
  expect(made.metadata).toMatchObject({
    name: 'web-1',
    labels: {
      app: 'web',
      'statefulset.kubernetes.io/pod-name': 'web-1',
      'apps.kubernetes.io/pod-index': '1',
      [revisionLabel]: 'web-new',
    },
  })
  expect(made.metadata.generateName).toBeUndefined()
  expect(made.spec).toMatchObject({
    hostname: 'web-1',
    subdomain: 'web',
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-web-1' } }],
  })
  expect(claimsFor(claiming, 1)).toMatchObject([
    {
      metadata: {
        name: 'data-web-1',
        namespace: 'n',
        labels: { app: 'web' },
        ownerReferences: [{ kind: 'StatefulSet', name: 'web' }],
      },
      spec: { accessModes: ['ReadWriteOnce'] },
    },
  ])
  expect([ordinalOf(claiming, 'web-12'), ordinalOf(claiming, 'web-01'), ordinalOf(claiming, 'other-1')]).toEqual([
    12,
    undefined,
    undefined,
  ])
})
