import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Pod, PodDisruptionBudget } from '../api/generated/models.ts'
import { node, pod, snapshotOf, storageOf } from '../testing/scheduling.ts'
import { preempt, victimsOn } from './preempt.ts'
import { requirementsOf } from './requirements.ts'
import { schedule } from './schedule.ts'
import type { Snapshot } from './snapshot.ts'

const nowMs = Date.parse('2026-01-01T12:00:00Z')
const common = {
  random: { uuid: () => 'u', fraction: () => 0 },
  namespaceLabels: () => undefined,
  storage: storageOf(),
}

/** A pod on a node: its name, priority and milli-CPU. */
function placed(
  nodeName: string,
  name: string,
  priority: number,
  milli: number,
  more: { labels?: Record<string, string>; start?: string; spec?: Partial<Pod['spec']> } = {},
): Pod {
  const { labels = { app: name }, start } = more
  return {
    ...pod({ nodeName, priority, ...more.spec }, { cpu: `${milli}m` }, labels, name),
    status: { phase: 'Running', ...(start && { startTime: `2026-01-01T${start}:00Z` }) },
  }
}

const incoming = (priority: number, milli: number, spec: Partial<Pod['spec']> = {}): Pod =>
  pod({ priority, ...spec }, { cpu: `${milli}m` })

function budget(app: string, disruptionsAllowed: number, disruptedPods?: Record<string, string>): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: app, namespace: 'n', uid: app, resourceVersion: '1', creationTimestamp: '' },
    spec: { selector: { matchLabels: { app } } },
    status: {
      disruptionsAllowed,
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
      ...(disruptedPods && { disruptedPods }),
    },
  } as unknown as PodDisruptionBudget
}

/** `node: victim victim`, or why nobody has to leave. */
function decide(given: Pod, snapshot: Snapshot, budgets: readonly PodDisruptionBudget[] = []): string {
  const requirements = requirementsOf(given)
  const placement = schedule(requirements, snapshot, common)
  if ('node' in placement) return `fits on ${placement.node}`
  const plan = preempt(requirements, snapshot, placement.unfit, { ...common, budgets, nowMs })
  return 'victims' in plan ? `${plan.node}: ${plan.victims.map(({ metadata }) => metadata.name).join(' ')}` : plan.why
}

const a = node('a')
const two = [a, node('b')]

describe('who has to leave', () => {
  const hostAnti = {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } } },
      ],
    },
  }
  const spread = [
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'x' } },
    },
  ]
  const x = { labels: { app: 'x' } }
  test.each<[string, Pod, Snapshot, readonly PodDisruptionBudget[], string]>([
    [
      'only as many as needed, the lowest',
      incoming(10, 500),
      snapshotOf([a], placed('a', 'low', 1, 1000), placed('a', 'lower', 0, 1000)),
      [],
      'a: lower',
    ],
    [
      'of equal priority the one that started last',
      incoming(10, 500),
      snapshotOf([a], placed('a', 'old', 1, 1000, { start: '10:00' }), placed('a', 'new', 1, 1000, { start: '11:00' })),
      [],
      'a: new',
    ],
    [
      'several when one is not enough, the most important first',
      incoming(10, 1500),
      snapshotOf([a], placed('a', 'x', 1, 700), placed('a', 'y', 2, 700), placed('a', 'z', 3, 500)),
      [],
      'a: y x',
    ],
    [
      'the higher one when the lower one would not be enough',
      incoming(10, 1000),
      snapshotOf([a], placed('a', 'small', 0, 200), placed('a', 'big', 5, 1800)),
      [],
      'a: big',
    ],
    [
      'rather one that no budget protects, even if it is higher',
      incoming(10, 500),
      snapshotOf([a], placed('a', 'guarded', 1, 1000), placed('a', 'free', 2, 1000)),
      [budget('guarded', 0)],
      'a: free',
    ],
    [
      'one whose budget still allows it',
      incoming(10, 500),
      snapshotOf([a], placed('a', 'guarded', 1, 1000), placed('a', 'free', 2, 1000)),
      [budget('guarded', 1)],
      'a: guarded',
    ],
    [
      'one that was evicted already',
      incoming(10, 500),
      snapshotOf([a], placed('a', 'guarded', 1, 1000), placed('a', 'free', 2, 1000)),
      [budget('guarded', 0, { guarded: '' })],
      'a: guarded',
    ],
    [
      'the holder of a host port',
      pod({ priority: 10, containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] }),
      snapshotOf(
        [a],
        placed('a', 'other', 0, 100),
        placed('a', 'port', 1, 100, {
          spec: { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] },
        }),
      ),
      [],
      'a: port',
    ],
    [
      'whom the pod wants to be away from',
      incoming(10, 100, { affinity: hostAnti }),
      snapshotOf([a], placed('a', 'x', 1, 100), placed('a', 'y', 1, 100)),
      [],
      'a: x',
    ],
    [
      'who wants to be away from the pod',
      pod({ priority: 10 }, {}, { app: 'x' }),
      snapshotOf([a], placed('a', 'shy', 1, 100, { spec: { affinity: hostAnti } }), placed('a', 'y', 1, 100)),
      [],
      'a: shy',
    ],
    [
      'as many as the spread needs',
      pod({ priority: 10, topologySpreadConstraints: spread }, { cpu: '500m' }, { app: 'x' }),
      snapshotOf(
        two,
        placed('a', 'high', 20, 2000, x),
        placed('b', 'one', 1, 600, x),
        placed('b', 'two', 1, 600, x),
        placed('b', 'three', 1, 600, x),
      ),
      [],
      'b: two three',
    ],
  ])('%s', (_, given, snapshot, budgets, expected) => expect(decide(given, snapshot, budgets)).toBe(expected))
})

describe('the node is chosen by', () => {
  test.each<[string, Snapshot, readonly PodDisruptionBudget[], string]>([
    [
      'fewest violated budgets, before all',
      snapshotOf(two, placed('a', 'guarded', 0, 2000), placed('b', 'free', 9, 2000)),
      [budget('guarded', 0)],
      'b: free',
    ],
    [
      'the lowest highest priority',
      snapshotOf(two, placed('a', 'five', 5, 2000), placed('b', 'x', 4, 1000), placed('b', 'y', 4, 1000)),
      [],
      'b: x y',
    ],
    [
      'the smallest sum of priorities',
      snapshotOf(
        two,
        placed('a', 'x', 4, 1000),
        placed('a', 'y', 3, 1000),
        placed('b', 'v', 4, 1000),
        placed('b', 'w', 2, 1000),
      ),
      [],
      'b: v w',
    ],
    [
      'the fewest victims, also with negative priorities',
      snapshotOf(two, placed('a', 'x', -4, 1000), placed('a', 'y', -4, 1000), placed('b', 'v', -4, 2000)),
      [],
      'b: v',
    ],
    [
      'the latest start of the highest',
      snapshotOf(two, placed('a', 'old', 1, 2000, { start: '10:00' }), placed('b', 'new', 1, 2000, { start: '11:00' })),
      [],
      'b: new',
    ],
    [
      'being the first',
      snapshotOf(two, placed('a', 'x', 1, 2000, { start: '10:00' }), placed('b', 'y', 1, 2000, { start: '10:00' })),
      [],
      'a: x',
    ],
  ])('%s', (_, snapshot, budgets, expected) => expect(decide(incoming(10, 2000), snapshot, budgets)).toBe(expected))
})

describe('nobody leaves', () => {
  const leaving = (reason: string): Pod => {
    const victim = placed('a', 'v', 1, 2000)
    return {
      ...victim,
      metadata: { ...victim.metadata, deletionTimestamp: '2026-01-01T12:00:00Z' },
      status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason }] },
    }
  }
  const unhelpful = (count: number): string =>
    `0/${count} nodes are available: ${count} Preemption is not helpful for scheduling.`
  test.each<[string, Pod, Snapshot, string]>([
    [
      'for a pod that must not preempt',
      incoming(10, 2000, { preemptionPolicy: 'Never' }),
      snapshotOf([a], placed('a', 'v', 1, 2000)),
      'not eligible due to preemptionPolicy=Never.',
    ],
    [
      'of equal priority',
      incoming(1, 2000),
      snapshotOf([a], placed('a', 'v', 1, 2000)),
      '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    ],
    [
      'when it would not be enough',
      incoming(10, 2000),
      snapshotOf([a], placed('a', 'v', 1, 1000), placed('a', 'high', 10, 1000)),
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    ['when the node is too small', incoming(10, 3000), snapshotOf([a], placed('a', 'v', 1, 1000)), unhelpful(1)],
    [
      'when the nodes do not suit the pod',
      incoming(10, 2000, { nodeSelector: { disk: 'fast' } }),
      snapshotOf(two, placed('a', 'v', 1, 1000)),
      unhelpful(2),
    ],
    [
      'on cordoned and tainted nodes',
      incoming(10, 2000),
      snapshotOf(
        [node('a', { unschedulable: true }), node('b', { taints: [{ key: 'k', effect: 'NoSchedule' }] })],
        placed('a', 'v', 1, 1000),
      ),
      unhelpful(2),
    ],
    [
      'for a partner that is not there',
      incoming(10, 100, {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'z' } } },
            ],
          },
        },
      }),
      snapshotOf([a], placed('a', 'v', 1, 1000)),
      unhelpful(1),
    ],
  ])('%s', (_, given, snapshot, expected) => expect(decide(given, snapshot)).toBe(expected))

  test.each<[string, string, string]>([
    [
      'while those who were told to leave are still there',
      'PreemptionByScheduler',
      'not eligible due to a terminating pod on the nominated node.',
    ],
    ['but somebody who leaves for another reason does not stop it', 'EvictionByEvictionAPI', 'a: v'],
  ])('%s', (_, reason, expected) => {
    const snapshot = snapshotOf([a], leaving(reason))
    const given = incoming(10, 2000)
    snapshot.nominations.set(requirementsOf(given), 'a')
    expect(decide(given, snapshot)).toBe(expected)
  })
})

describe('a node that was promised to another pod', () => {
  const promised = (priority: number): Snapshot => {
    const snapshot = snapshotOf([a])
    snapshot.nominations.set(requirementsOf(incoming(priority, 1500)), 'a')
    return snapshot
  }

  test('is taken for pods of lower and equal priority, not for higher ones', () => {
    expect(decide(incoming(4, 1000), promised(5))).toBe(
      '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    )
    expect(decide(incoming(5, 1000), promised(5))).toBe(
      '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    )
    expect(decide(incoming(6, 1000), promised(5))).toBe('fits on a')
  })

  test('is where the pod itself goes, though others fit as well', () => {
    const given = incoming(5, 1000)
    const snapshot = snapshotOf(two, placed('b', 'busy', 1, 900))
    snapshot.nominations.set(requirementsOf(given), 'b')
    expect(decide(given, snapshot)).toBe('fits on b')
  })
})

test('without the victims the pod fits, and no victim is spared for nothing', () => {
  const other = fc.record({
    priority: fc.integer({ min: -2, max: 12 }),
    milli: fc.integer({ min: 0, max: 900 }),
    isGuarded: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(other, { maxLength: 8 }), fc.integer({ min: 1, max: 2000 }), (others, milli) => {
      const pods = others.map(({ priority, milli: taken, isGuarded }, index) =>
        placed('a', `p${index}`, priority, taken, { labels: { app: isGuarded ? 'guarded' : 'free' } }),
      )
      const snapshot = snapshotOf([a], ...pods)
      const given = requirementsOf(incoming(10, milli))
      const info = snapshot.nodes.get('a')!
      const before = new Map(info.requested)
      const found = victimsOn(info, given, snapshot, { ...common, budgets: [budget('guarded', 1)], nowMs })
      expect(info.requested, 'the node itself is untouched').toEqual(before)
      const cpuOf = (list: readonly Pod[]): number =>
        list.reduce((sum, one) => sum + requirementsOf(one).requests.get('cpu')!, 0)
      if (!('victims' in found)) return
      expect(found.victims.every(victim => victim.spec.priority! < 10)).toBe(true)
      const rest = pods.filter(one => !found.victims.includes(one))
      expect(cpuOf(rest) + milli).toBeLessThanOrEqual(2000)
      for (const victim of found.victims) expect(cpuOf([...rest, victim]) + milli).toBeGreaterThan(2000)
    }),
  )
})
