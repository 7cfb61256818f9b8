import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Pod, ReplicaSet } from '../api/generated/models.ts'
import { nextStatus, planReplicas } from './replicas.ts'

const nowMs = Date.parse('2026-01-01T00:10:00Z')

interface PodState {
  ready?: boolean
  phase?: string
  deleting?: boolean
  cost?: number
  node?: string
  readySince?: string
  created?: string
  restarts?: number
}

let serial = 0
function pod(
  name: string,
  {
    ready = true,
    phase = 'Running',
    deleting = false,
    cost,
    node = 'node',
    readySince = '2026-01-01T00:00:00Z',
    created = '2026-01-01T00:00:00Z',
    restarts = 0,
  }: PodState = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'n',
      uid: `${serial++}`,
      resourceVersion: '1',
      creationTimestamp: created,
      labels: { app: 'x' },
      ...(deleting && { deletionTimestamp: '2026-01-01T00:09:00Z' }),
      ...(cost !== undefined && { annotations: { 'controller.kubernetes.io/pod-deletion-cost': `${cost}` } }),
    },
    spec: { containers: [], ...(node && { nodeName: node }) },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: readySince }],
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready, restartCount: restarts }],
    },
  }
}

const plan = (replicas: number, pods: readonly Pod[], minReadySeconds = 0, deleting = false) =>
  planReplicas({ replicas, minReadySeconds, pods, deleting, templateLabels: { app: 'x' } }, nowMs)

describe('which pod goes first', () => {
  test.each<[string, PodState, PodState]>([
    ['one without a node', { node: '' }, {}],
    ['one that is not running yet', { phase: 'Pending' }, {}],
    ['one that is not ready', { ready: false }, {}],
    ['the cheaper one', { cost: 1 }, { cost: 5 }],
    ['the one ready for a shorter time', { readySince: '2026-01-01T00:05:00Z' }, {}],
    ['the one restarted more often', { restarts: 3 }, {}],
    ['the younger one', { created: '2026-01-01T00:05:00Z' }, {}],
  ])('%s', (_, first, second) => {
    expect(plan(1, [pod('b', second), pod('a', first)]).remove.map(one => one.metadata.name)).toEqual(['a'])
  })

  test('one of a crowded node', () => {
    expect(plan(2, [pod('a', { node: 'lonely' }), pod('b'), pod('c')]).remove.map(one => one.metadata.name)).toEqual([
      'b',
    ])
  })
})

test('the wanted number is reached exactly, whatever there is', () => {
  const state = fc.record({
    ready: fc.boolean(),
    phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed'),
    deleting: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.nat({ max: 30 }), fc.array(state, { maxLength: 40 }), (replicas, states) => {
      const pods = states.map((one, index) => pod(`p${index}`, one))
      const active = pods.filter(
        one => !['Succeeded', 'Failed'].includes(one.status.phase!) && one.metadata.deletionTimestamp === undefined,
      )
      const { create, remove, counts } = plan(replicas, pods)
      expect(active.length + create - remove.length).toBe(replicas)
      expect(remove.every(one => active.includes(one))).toBe(true)
      expect(counts.replicas).toBe(active.length)
      expect(counts.availableReplicas!).toBeLessThanOrEqual(counts.readyReplicas!)
    }),
  )
})

test('a pod is available only after it was ready for long enough', () => {
  const { counts, recheckAtMs } = plan(1, [pod('a', { readySince: '2026-01-01T00:09:50Z' })], 30)
  expect([counts.readyReplicas, counts.availableReplicas, recheckAtMs]).toEqual([1, 0, nowMs + 20_000])
})

test('an owner that is being deleted changes nothing', () => {
  expect(plan(3, [], 0, true).create).toBe(0)
})

test('a failure shows as a condition and goes with its cause', () => {
  const owner = { metadata: { generation: 2 }, spec: {}, status: { replicas: 0 } } as ReplicaSet
  const { counts } = plan(0, [])
  const failing = nextStatus(owner, counts, { reason: 'FailedCreate', message: 'quota' }, nowMs)
  expect(failing.conditions).toEqual([
    {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: 'quota',
      lastTransitionTime: '2026-01-01T00:10:00Z',
    },
  ])
  expect(nextStatus({ ...owner, status: failing }, counts, undefined, nowMs)).toEqual({
    replicas: 0,
    terminatingReplicas: 0,
    observedGeneration: 2,
  })
})
