import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Pod } from '../api/generated/models.ts'
import { node, pod, snapshotOf, storageOf } from '../testing/scheduling.ts'
import { imageScore } from './image-score.ts'
import { requirementsOf } from './requirements.ts'
import { availability } from './rule.ts'
import { schedule } from './schedule.ts'
import type { Snapshot } from './snapshot.ts'

const options = {
  random: { uuid: () => 'u', fraction: () => 0.5 },
  namespaceLabels: () => undefined,
  storage: storageOf(),
}

const place = (given: Pod, snapshot: Snapshot): string => {
  const placement = schedule(requirementsOf(given), snapshot, options)
  return 'node' in placement
    ? placement.node
    : availability(
        snapshot.nodes.size,
        Array.from(placement.unfit.values(), ({ reasons }) => reasons),
      )
}

const hostAnti = {
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } } },
    ],
  },
}

describe('why a pod finds no node', () => {
  test.each<[string, Pod, Snapshot, string]>([
    ['too little cpu', pod({}, { cpu: '3' }), snapshotOf([node('a')]), '0/1 nodes are available: 1 Insufficient cpu.'],
    [
      'cpu and memory',
      pod({}, { cpu: '3', memory: '8Gi' }),
      snapshotOf([node('a')]),
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.',
    ],
    [
      'cordoned',
      pod(),
      snapshotOf([node('a', { unschedulable: true })]),
      '0/1 nodes are available: 1 node(s) were unschedulable.',
    ],
    [
      'tainted',
      pod(),
      snapshotOf([node('a', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] })]),
      '0/1 nodes are available: 1 node(s) had untolerated taint(s).',
    ],
    [
      'named nodes',
      pod(
        {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
              },
            },
          },
        },
        { cpu: '3' },
      ),
      snapshotOf([node('a', { unschedulable: true }), node('b')]),
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity].",
    ],
    [
      'selector',
      pod({ nodeSelector: { disk: 'fast' } }),
      snapshotOf([node('a')]),
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ],
    [
      'anti-affinity',
      pod({ affinity: hostAnti }),
      snapshotOf([node('a')], pod({ nodeName: 'a' }, {}, { app: 'x' })),
      "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
    ],
    [
      "others' anti-affinity",
      pod({}, {}, { app: 'x' }),
      snapshotOf([node('a')], pod({ nodeName: 'a', affinity: hostAnti })),
      "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
    ],
    [
      'host port',
      pod({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] }),
      snapshotOf(
        [node('a')],
        pod({ nodeName: 'a', containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80 }] }] }),
      ),
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    ],
  ])('%s', (_, given, snapshot, message) => expect(place(given, snapshot)).toBe(message))
})

describe('where a pod goes', () => {
  test.each<[string, Pod, Snapshot, string]>([
    [
      'to the emptier node',
      pod(),
      snapshotOf([node('a'), node('b')], pod({ nodeName: 'a' }, { cpu: '1', memory: '2Gi' })),
      'b',
    ],
    [
      'past a taint it tolerates',
      pod({ tolerations: [{ key: 'k', operator: 'Exists' }] }),
      snapshotOf([node('a', { taints: [{ key: 'k', effect: 'NoSchedule' }] })]),
      'a',
    ],
    [
      'where preferred',
      pod({
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 100, preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: ['z'] }] } },
            ],
          },
        },
      }),
      snapshotOf([node('a'), node('b', {}, { zone: 'z' })]),
      'b',
    ],
    [
      'beside its partner',
      pod({ affinity: { podAffinity: hostAnti.podAntiAffinity } }),
      snapshotOf([node('a'), node('b')], pod({ nodeName: 'b' }, { cpu: '1' }, { app: 'x' })),
      'b',
    ],
    [
      'rather to an emptier domain',
      pod(
        {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'zone',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: { app: 'x' } },
            },
          ],
        },
        {},
        { app: 'x' },
      ),
      snapshotOf(
        [node('a', {}, { zone: 'one' }), node('b', {}, { zone: 'one' }), node('c', {}, { zone: 'two' })],
        pod({ nodeName: 'a' }, {}, { app: 'x' }),
      ),
      'c',
    ],
    [
      'where a tainted node does not count for the spread',
      pod(
        {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'DoNotSchedule',
              nodeTaintsPolicy: 'Honor',
              labelSelector: { matchLabels: { app: 'x' } },
            },
          ],
        },
        {},
        { app: 'x' },
      ),
      snapshotOf(
        [node('a'), node('b', { taints: [{ key: 'k', effect: 'NoSchedule' }] })],
        pod({ nodeName: 'a' }, {}, { app: 'x' }),
      ),
      'a',
    ],
    [
      'to the node it names, as pods of DaemonSets do',
      pod({
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
            },
          },
        },
      }),
      snapshotOf([node('a'), node('b')]),
      'b',
    ],
    [
      'where others want it',
      pod({}, {}, { app: 'x' }),
      snapshotOf(
        [node('a'), node('b')],
        pod({
          nodeName: 'b',
          affinity: {
            podAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                {
                  weight: 100,
                  podAffinityTerm: {
                    topologyKey: 'kubernetes.io/hostname',
                    labelSelector: { matchLabels: { app: 'x' } },
                  },
                },
              ],
            },
          },
        }),
      ),
      'b',
    ],
    [
      'where others do not mind it',
      pod({}, {}, { app: 'x' }),
      snapshotOf(
        [node('a'), node('b')],
        pod({
          nodeName: 'a',
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                {
                  weight: 1,
                  podAffinityTerm: {
                    topologyKey: 'kubernetes.io/hostname',
                    labelSelector: { matchLabels: { app: 'x' } },
                  },
                },
              ],
            },
          },
        }),
        pod({ nodeName: 'b' }, { cpu: '200m' }),
      ),
      'b',
    ],
    [
      'away from a full domain',
      pod(
        {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'DoNotSchedule',
              labelSelector: { matchLabels: { app: 'x' } },
            },
          ],
        },
        {},
        { app: 'x' },
      ),
      snapshotOf([node('a'), node('b')], pod({ nodeName: 'a' }, {}, { app: 'x' })),
      'b',
    ],
  ])('%s', (_, given, snapshot, name) => expect(place(given, snapshot)).toBe(name))
})

describe('images that are there already', () => {
  const mebibyte = 1024 * 1024
  const having = (name: string, ...images: [string, number][]) => ({
    ...node(name),
    status: {
      ...node(name).status,
      images: images.map(([image, megabytes]) => ({
        names: [`${image}@sha256:0`, image],
        sizeBytes: megabytes * mebibyte,
      })),
    },
  })
  const wants = (...images: string[]) => pod({ containers: images.map(image => ({ name: 'c', image })) })
  const scoreOf = (given: Pod, snapshot: Snapshot, name: string): number | undefined =>
    imageScore(given, snapshot)?.(snapshot.nodes.get(name)!)

  test('draw a pod to their node', () => {
    for (const [left, right] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const)
      expect(place(wants('web'), snapshotOf([having(left), having(right, ['web:latest', 900])]))).toBe(right)
  })

  test('count by their size, by how many nodes have them, and as a share of what is wanted', () => {
    const snapshot = snapshotOf([having('a', ['web:1', 1100]), having('b', ['web:1', 1100], ['tiny:1', 5])])
    expect([
      scoreOf(wants('web:1'), snapshot, 'a'),
      scoreOf(wants('tiny:1'), snapshot, 'b'),
      scoreOf(wants('none:1'), snapshot, 'b'),
    ]).toEqual([100, 0, undefined])
    expect(scoreOf(wants('web:1', 'none:1'), snapshot, 'a')).toBe(Math.trunc((100 * (1100 - 23)) / (2000 - 23)))
    snapshot.setNode(having('b', ['tiny:1', 5]))
    expect([scoreOf(wants('web:1'), snapshot, 'a'), scoreOf(wants('web:1'), snapshot, 'b')]).toEqual([
      Math.trunc((100 * (550 - 23)) / (1000 - 23)),
      0,
    ])
    snapshot.removeNode('a')
    expect(scoreOf(wants('web:1'), snapshot, 'b')).toBeUndefined()
  })
})

test('an init container needs room only while it runs; a sidecar stays', () => {
  const container = (cpu: string, restartPolicy?: string) => ({
    name: cpu,
    restartPolicy,
    resources: { requests: { cpu } },
  })
  const requests = (...init: ReturnType<typeof container>[]) =>
    requirementsOf(pod({ containers: [container('1')], initContainers: init })).requests.get('cpu')
  expect(requests(container('3'))).toBe(3000)
  expect(requests(container('500m'), container('2', 'Always'))).toBe(3000)
  expect(requests(container('2', 'Always'), container('3'))).toBe(5000)
})

test('a node is never given more than it has, whatever comes and goes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ milli: fc.integer({ min: 0, max: 1500 }), leaves: fc.boolean(), which: fc.nat() }), {
        maxLength: 60,
      }),
      steps => {
        const snapshot = snapshotOf([node('a'), node('b')])
        const running: Pod[] = []
        for (const { milli, leaves, which } of steps) {
          if (leaves && running.length > 0)
            snapshot.removePod(running.splice(which % running.length, 1)[0]!.metadata.uid)
          const newcomer = pod({}, { cpu: `${milli}m` })
          const requirements = requirementsOf(newcomer)
          const placement = schedule(requirements, snapshot, options)
          if (!('node' in placement)) continue
          snapshot.place(requirements, placement.node)
          running.push(newcomer)
          for (const info of snapshot.nodes.values())
            expect([info.requested.get('cpu') ?? 0, info.pods.size]).toSatisfy(
              ([cpu, count]) => cpu <= 2000 && count <= 10,
            )
        }
      },
    ),
  )
})
