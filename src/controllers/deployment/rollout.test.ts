import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Deployment, ReplicaSet } from '../../api/generated/models.ts'
import { replicaAnnotations } from './revisions.ts'
import { limitsOf, planCleanup, planRollout, replicasOf } from './rollout.ts'

const meta = (name: string, second = 0) => ({
  name,
  namespace: 'n',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: new Date(second * 1000).toISOString(),
  generation: 1,
})

function deployment(
  replicas: number,
  maxSurge: number | string,
  maxUnavailable: number | string,
  more: Partial<Deployment['spec']> = {},
): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta('d'),
    status: {},
    spec: {
      replicas,
      selector: { matchLabels: { a: 'b' } },
      template: {},
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
      ...more,
    },
  }
}

function set(
  name: string,
  replicas: number,
  available: number,
  second: number,
  desired = replicas,
  maximum = desired,
): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { ...meta(name, second), annotations: replicaAnnotations(desired, maximum) },
    spec: { replicas, selector: {} },
    status: { replicas, availableReplicas: available, observedGeneration: 1 },
  }
}

interface World {
  sets: ReplicaSet[]
  currentName: string
}

/** What the API and the ReplicaSet controller make of a plan. */
function apply(world: World, target: Deployment): boolean {
  const current = world.sets.find(one => one.metadata.name === world.currentName)
  const plan = planRollout({ deployment: target, current, old: world.sets.filter(one => one !== current), oldPods: [] })
  const { maxSurge } = limitsOf(target)
  const annotate = (one: ReplicaSet): ReplicaSet => ({
    ...one,
    metadata: {
      ...one.metadata,
      annotations: replicaAnnotations(target.spec.replicas!, target.spec.replicas! + maxSurge),
    },
  })
  const before = JSON.stringify(world.sets)
  world.sets = world.sets.map(one => {
    const size = plan.scale.get(one.metadata.name)
    if (size === undefined && replicasOf(one) === 0) return one
    const replicas = size ?? replicasOf(one)
    return annotate({
      ...one,
      spec: { ...one.spec, replicas },
      status: { ...one.status, replicas, availableReplicas: Math.min(one.status.availableReplicas ?? 0, replicas) },
    })
  })
  if (plan.create !== undefined) world.sets.push(annotate(set(world.currentName, plan.create, 0, 1000)))
  return JSON.stringify(world.sets) !== before
}

const total = (world: World): number => world.sets.reduce((sum, one) => sum + replicasOf(one), 0)
const available = (world: World): number =>
  world.sets.reduce((sum, one) => sum + (one.status.availableReplicas ?? 0), 0)

function makeAvailable(world: World, pick: number): boolean {
  const lacking = world.sets.filter(one => (one.status.availableReplicas ?? 0) < replicasOf(one))
  const chosen = lacking[pick % Math.max(1, lacking.length)]
  if (chosen === undefined) return false
  world.sets = world.sets.map(one =>
    one === chosen
      ? { ...one, status: { ...one.status, availableReplicas: (one.status.availableReplicas ?? 0) + 1 } }
      : one,
  )
  return true
}

const limit = fc.oneof(
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: 0, max: 100 }).map(share => `${share}%`),
)

describe('a rolling update', () => {
  test('never has too many pods or too few available ones, and ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        limit,
        limit,
        fc.array(fc.nat(), { minLength: 1 }),
        (replicas, maxSurge, maxUnavailable, luck) => {
          const target = deployment(replicas, maxSurge, maxUnavailable)
          const limits = limitsOf(target)
          const world: World = { sets: [set('old', replicas, replicas, 1)], currentName: 'new' }
          for (let step = 0; step < 500; step++) {
            const changed = apply(world, target)
            expect(total(world)).toBeLessThanOrEqual(replicas + limits.maxSurge)
            expect(available(world)).toBeGreaterThanOrEqual(replicas - limits.maxUnavailable)
            if (!changed && !makeAvailable(world, luck[step % luck.length]!)) break
          }
          expect(world.sets.map(one => [one.metadata.name, replicasOf(one)])).toEqual([
            ['old', 0],
            ['new', replicas],
          ])
        },
      ),
    )
  })

  test('keeps the total in bounds when scaled half-way, and ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 15 }),
        fc.integer({ min: 1, max: 15 }),
        limit,
        limit,
        fc.nat({ max: 8 }),
        fc.array(fc.nat(), { minLength: 1 }),
        (from, to, maxSurge, maxUnavailable, when, luck) => {
          const world: World = { sets: [set('old', from, from, 1)], currentName: 'new' }
          for (let step = 0; step < 500; step++) {
            const target = deployment(step < when ? from : to, maxSurge, maxUnavailable)
            const changed = apply(world, target)
            const most =
              Math.max(from, to) +
              Math.max(limitsOf(deployment(from, maxSurge, maxUnavailable)).maxSurge, limitsOf(target).maxSurge)
            expect(step <= when || total(world) <= most).toBe(true)
            if (!changed && !makeAvailable(world, luck[step % luck.length]!) && step > when) break
          }
          expect(
            world.sets.filter(one => replicasOf(one) > 0).map(one => [one.metadata.name, replicasOf(one)]),
          ).toEqual([['new', to]])
        },
      ),
    )
  })

  test('begins with a ReplicaSet as large as the surge allows', () => {
    const plan = planRollout({
      deployment: deployment(4, '25%', '25%'),
      current: undefined,
      old: [set('old', 4, 4, 1)],
      oldPods: [],
    })
    expect(plan.create).toBe(1)
  })

  test('removes pods that do not work before those that do', () => {
    const plan = planRollout({
      deployment: deployment(4, 0, 1),
      current: set('new', 0, 0, 9, 4),
      old: [set('broken', 2, 0, 1, 4), set('good', 2, 2, 2, 4)],
      oldPods: [],
    })
    expect([...plan.scale]).toEqual([['broken', 1]])
  })
})

test('recreate waits until the old pods are gone', () => {
  const target = deployment(3, 0, 0, { strategy: { type: 'Recreate' } })
  expect([
    ...planRollout({ deployment: target, current: undefined, old: [set('old', 3, 3, 1)], oldPods: [] }).scale,
  ]).toEqual([['old', 0]])
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta('p'),
    spec: { containers: [] },
    status: { phase: 'Running' },
  }
  expect(
    planRollout({ deployment: target, current: undefined, old: [set('old', 0, 0, 1, 3)], oldPods: [pod] }).create,
  ).toBeUndefined()
  expect(
    planRollout({ deployment: target, current: undefined, old: [set('old', 0, 0, 1, 3)], oldPods: [] }).create,
  ).toBe(3)
})

test('a paused deployment is scaled but not rolled out', () => {
  const plan = planRollout({
    deployment: deployment(5, 1, 1, { paused: true }),
    current: undefined,
    old: [set('old', 3, 3, 1)],
    oldPods: [],
  })
  expect(plan.create).toBeUndefined()
  expect([...plan.scale]).toEqual([['old', 5]])
})

test('the history keeps the newest empty ReplicaSets', () => {
  const old = [set('a', 0, 0, 1), set('b', 0, 0, 2), set('c', 0, 0, 3)]
  expect(planCleanup(deployment(1, 1, 1, { revisionHistoryLimit: 1 }), old).map(one => one.metadata.name)).toEqual([
    'a',
    'b',
  ])
})
