import { expect, test } from 'vitest'
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetSpec } from '../../api/generated/models.ts'
import { planDisruption } from './plan.ts'

const nowMs = Date.UTC(2026, 0, 1)
const ago = (seconds: number): string => new Date(nowMs - seconds * 1000).toISOString().replace('.000', '')

const budget = (spec: PodDisruptionBudgetSpec, status: object = {}): PodDisruptionBudget =>
  ({ metadata: { name: 'b', namespace: 'n', generation: 2 }, spec, status }) as unknown as PodDisruptionBudget
const pod = (name: string, { ready = true, controlled = true, ending = false } = {}): Pod =>
  ({
    metadata: {
      name,
      namespace: 'n',
      ...(controlled && { ownerReferences: [{ controller: true, uid: 'rs', kind: 'ReplicaSet' }] }),
      ...(ending && { deletionTimestamp: ago(1) }),
    },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }) as unknown as Pod
const three = [pod('a'), pod('b'), pod('c', { ready: false })]
const scale = (replicas: number) => () => ({ uid: 'rs', replicas })

test.each<[string, PodDisruptionBudgetSpec, Pod[], number, object]>([
  [
    'a number that must stay',
    { minAvailable: 1 },
    three,
    3,
    { expectedPods: 3, desiredHealthy: 1, currentHealthy: 2, disruptionsAllowed: 1 },
  ],
  [
    'a share that must stay, rounded up',
    { minAvailable: '50%' },
    three,
    3,
    { expectedPods: 3, desiredHealthy: 2, disruptionsAllowed: 0 },
  ],
  [
    'a number that may go',
    { maxUnavailable: 2 },
    three,
    4,
    { expectedPods: 4, desiredHealthy: 2, disruptionsAllowed: 0 },
  ],
  [
    'a share that may go, rounded up',
    { maxUnavailable: '34%' },
    three,
    3,
    { expectedPods: 3, desiredHealthy: 1, disruptionsAllowed: 1 },
  ],
  ['more than there are may go', { maxUnavailable: 9 }, three, 3, { desiredHealthy: 0, disruptionsAllowed: 2 }],
  ['nobody there', { minAvailable: 0 }, [], 0, { expectedPods: 0, disruptionsAllowed: 0 }],
  [
    'pods that end are not healthy',
    { minAvailable: 1 },
    [pod('a'), pod('b', { ending: true })],
    2,
    { currentHealthy: 1, disruptionsAllowed: 0 },
  ],
])('%s', (_what, spec, pods, replicas, status) => {
  const plan = planDisruption(budget(spec), pods, scale(replicas), nowMs)
  expect(plan.status).toMatchObject({ observedGeneration: 2, ...status })
  const allowed = plan.status.disruptionsAllowed! > 0
  expect(plan.status.conditions).toEqual([
    {
      type: 'DisruptionAllowed',
      status: allowed ? 'True' : 'False',
      reason: allowed ? 'SufficientPods' : 'InsufficientPods',
      message: '',
      observedGeneration: 2,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ])
})

test('pods of no controller count for no share, and are named', () => {
  const plan = planDisruption(
    budget({ maxUnavailable: 1 }),
    [pod('a'), pod('b', { controlled: false })],
    scale(1),
    nowMs,
  )
  expect(plan.status).toMatchObject({ expectedPods: 1, currentHealthy: 2, disruptionsAllowed: 2 })
  expect(plan.unmanaged.map(({ metadata }) => metadata.name)).toEqual(['b'])
})

test('a controller that nobody knows allows nothing', () => {
  const { status } = planDisruption(
    budget({ maxUnavailable: 1 }, { disruptionsAllowed: 3 }),
    three,
    () => undefined,
    nowMs,
  )
  expect(status).toMatchObject({
    disruptionsAllowed: 0,
    conditions: [{ status: 'False', reason: 'SyncFailed', message: 'found no controllers for pod "a"' }],
  })
})

test('evicted pods count as gone for two minutes, unless they are going anyway', () => {
  const noted = { disruptedPods: { a: ago(20), b: ago(121), c: ago(1), gone: ago(1) } }
  const plan = planDisruption(
    budget({ minAvailable: 1 }, noted),
    [pod('a'), pod('b'), pod('c', { ending: true })],
    scale(3),
    nowMs,
  )
  expect(plan.status).toMatchObject({ currentHealthy: 1, disruptedPods: { a: ago(20) } })
  expect(Object.keys(plan.status.disruptedPods!)).toEqual(['a'])
  expect(plan.notDeleted.map(({ metadata }) => metadata.name)).toEqual(['b'])
  expect(plan.recheckAfterMs).toBe(100_001)
})

test('the time of the condition stays while it does', () => {
  const before = {
    conditions: [
      { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '', lastTransitionTime: ago(60) },
    ],
  }
  expect(
    planDisruption(budget({ minAvailable: 1 }, before), three, scale(3), nowMs).status.conditions![0]!
      .lastTransitionTime,
  ).toBe(ago(60))
})
