import { describe, expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../api/generated/models.ts'
import { node, pod, snapshotOf, storageOf } from '../testing/scheduling.ts'
import { claimNamed, volumeNamed } from '../testing/storage.ts'
import { claimObstacle, volumePlan, volumeRules } from './volumes.ts'

const bound = { 'pv.kubernetes.io/bind-completed': 'yes' }
const using = (...claims: string[]): Pod =>
  pod({ volumes: claims.map(claimName => ({ name: claimName, persistentVolumeClaim: { claimName } })) })
const classNamed = (name: string, more: Partial<StorageClass> = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '' },
  provisioner: 'example.com/disks',
  volumeBindingMode: 'WaitForFirstConsumer',
  ...more,
})
const late = classNamed('late')
const onA = {
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['a'] }] }],
    },
  },
}
const ofClass = (storageClassName: string, storage = '5Gi') => ({
  storageClassName,
  resources: { requests: { storage } },
})

describe('claims that keep a pod off every node', () => {
  test.each<[string, PersistentVolumeClaim[], StorageClass[], string | undefined]>([
    ['missing', [], [], 'persistentvolumeclaim "data" not found'],
    [
      'lost',
      [{ ...claimNamed('data', { volumeName: 'v' }, bound), status: { phase: 'Lost' } }],
      [],
      'persistentvolumeclaim "data" bound to non-existent persistentvolume "v"',
    ],
    ['of no class', [claimNamed('data')], [], 'pod has unbound immediate PersistentVolumeClaims'],
    [
      'of an unknown class',
      [claimNamed('data', ofClass('late'))],
      [],
      'pod has unbound immediate PersistentVolumeClaims',
    ],
    [
      'of a class that waits for nobody',
      [claimNamed('data', ofClass('late'))],
      [classNamed('late', { volumeBindingMode: 'Immediate' })],
      'pod has unbound immediate PersistentVolumeClaims',
    ],
    [
      'of a class that waits, but with a volume of its own choice',
      [claimNamed('data', { ...ofClass('late'), volumeName: 'v' })],
      [late],
      'pod has unbound immediate PersistentVolumeClaims',
    ],
    ['none: of a class that waits', [claimNamed('data', ofClass('late'))], [late], undefined],
    ['none: bound', [claimNamed('data', { volumeName: 'v' }, bound)], [], undefined],
  ])('%s', (_, claims, classes, expected) =>
    expect(claimObstacle(using('data'), storageOf(claims, [], classes))).toBe(expected),
  )

  test("an ephemeral volume waits for its claim, which has to be the pod's own", () => {
    const given = pod({ volumes: [{ name: 'scratch', ephemeral: {} }] }, {}, {}, 'p')
    expect(claimObstacle(given, storageOf())).toBe(
      'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch"',
    )
    expect(claimObstacle(given, storageOf([claimNamed('p-scratch')]))).toBe(
      'PVC n/p-scratch was not created for pod n/p (pod is not owner)',
    )
  })
})

describe('why a node does not do', () => {
  const reasons = (
    claims: PersistentVolumeClaim[],
    volumes: PersistentVolume[],
    classes: StorageClass[],
    nodeName: string,
  ): readonly string[] => {
    const snapshot = snapshotOf([node('a'), node('b', {}, { zone: 'z' })])
    const found = volumeRules(
      using(...claims.map(({ metadata }) => metadata.name)),
      snapshot,
      storageOf(claims, volumes, classes),
    ).map(rule => rule(snapshot.nodes.get(nodeName)!))
    expect(found.every(one => one === undefined || !one.isResolvable)).toBe(true)
    return found.flatMap(one => one?.reasons ?? [])
  }
  const affinity = "node(s) didn't match PersistentVolume's node affinity"
  const nothing = "node(s) didn't find available persistent volumes to bind"

  test.each<[string, Parameters<typeof reasons>, string[]]>([
    [
      'its volume is elsewhere',
      [[claimNamed('data', { volumeName: 'v' }, bound)], [volumeNamed('v', onA)], [], 'b'],
      [affinity],
    ],
    ['its volume is here', [[claimNamed('data', { volumeName: 'v' }, bound)], [volumeNamed('v', onA)], [], 'a'], []],
    [
      'its volume is gone',
      [[claimNamed('data', { volumeName: 'v' }, bound)], [], [], 'a'],
      ['node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'],
    ],
    [
      'another node was selected',
      [[claimNamed('data', ofClass('late'), { 'volume.kubernetes.io/selected-node': 'a' })], [], [late], 'b'],
      [nothing],
    ],
    ['a volume can be made here', [[claimNamed('data', ofClass('late'))], [], [late], 'b'], []],
    [
      'nobody makes volumes',
      [
        [claimNamed('data', ofClass('hand'))],
        [],
        [classNamed('hand', { provisioner: 'kubernetes.io/no-provisioner' })],
        'b',
      ],
      [nothing],
    ],
    [
      'the class is for other zones',
      [
        [claimNamed('data', ofClass('zoned'))],
        [],
        [classNamed('zoned', { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['z'] }] }] })],
        'a',
      ],
      [nothing],
    ],
    [
      'the class is for this zone',
      [
        [claimNamed('data', ofClass('zoned'))],
        [],
        [classNamed('zoned', { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['z'] }] }] })],
        'b',
      ],
      [],
    ],
    [
      'one volume is elsewhere and another one is nowhere',
      [
        [claimNamed('one', { volumeName: 'v' }, bound), claimNamed('two', ofClass('hand'))],
        [volumeNamed('v', onA)],
        [classNamed('hand', { provisioner: 'kubernetes.io/no-provisioner' })],
        'b',
      ],
      [affinity, nothing],
    ],
  ])('%s', (_, given, expected) => expect(reasons(...given)).toEqual(expected))
})

test('small claims choose first, nobody chooses twice, and the rest is made', () => {
  const claims = [
    claimNamed('large', ofClass('late', '5Gi')),
    claimNamed('small', ofClass('late', '1Gi')),
    claimNamed('huge', ofClass('late', '9Gi')),
    claimNamed('done', { volumeName: 'v' }, bound),
  ]
  const volumes = [
    volumeNamed('one', { storageClassName: 'late', capacity: { storage: '5Gi' } }),
    volumeNamed('two', { storageClassName: 'late', capacity: { storage: '6Gi' } }),
  ]
  const plan = volumePlan(using('large', 'small', 'huge', 'done'), node('a'), storageOf(claims, volumes, [late]))
  expect(plan?.bind.map(({ claim, volume }) => `${claim.metadata.name} ${volume.metadata.name}`)).toEqual([
    'small one',
    'large two',
  ])
  expect(plan?.provision.map(({ metadata }) => metadata.name)).toEqual(['huge'])
})
