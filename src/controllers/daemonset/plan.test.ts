import { describe, expect, test } from 'vitest'
import type { DaemonSet, Node, Pod } from '../../api/generated/models.ts'
import { revisionLabel } from '../../control/controller-revisions.ts'
import { podFor } from './daemon-pod.ts'
import { planDaemons } from './plan.ts'

const nowMs = Date.parse('2026-01-01T01:00:00Z')

const node = (name: string, more: Partial<Node['spec']> = {}, labels: Record<string, string> = {}): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels, uid: name, resourceVersion: '1', creationTimestamp: '' },
    spec: more,
    status: {},
  }) as Node
const set = (spec: Partial<DaemonSet['spec']> = {}, template: object = {}): DaemonSet => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'd', namespace: 'n', uid: 'd', resourceVersion: '1', creationTimestamp: '', generation: 2 },
  spec: {
    selector: { matchLabels: { app: 'd' } },
    template: { metadata: { labels: { app: 'd' } }, spec: { containers: [], ...template } },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    ...spec,
  },
  status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
})
let serial = 0
function pod(nodeName: string, hash = 'new', state: 'ready' | 'starting' | 'Failed' | 'going' = 'ready'): Pod {
  const name = `d-${serial++}`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'n',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: `2026-01-01T00:00:${String(serial % 60).padStart(2, '0')}Z`,
      labels: { app: 'd', [revisionLabel]: hash },
      ...(state === 'going' && { deletionTimestamp: '2026-01-01T00:30:00Z' }),
    },
    spec: { nodeName, containers: [] },
    status: {
      phase: state === 'Failed' ? 'Failed' : 'Running',
      conditions: [
        { type: 'Ready', status: state === 'ready' ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:10:00Z' },
      ],
    },
  }
}
const plan = (given: DaemonSet, nodes: Node[], pods: Pod[]) => planDaemons(given, nodes, pods, 'new', nowMs)

describe('a daemon set', () => {
  test('wants one pod on each node that fits, and none elsewhere', () => {
    const nodes = [
      node('a'),
      node('b', { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] }),
      node('c', { taints: [{ key: 'gpu', effect: 'NoSchedule' }] }),
      node('d', {}, { disk: 'ssd' }),
    ]
    expect(plan(set(), nodes, []).create).toEqual(['a', 'b', 'd'])
    expect(plan(set({}, { nodeSelector: { disk: 'ssd' } }), nodes, []).create).toEqual(['d'])
    expect(plan(set({}, { tolerations: [{ operator: 'Exists' }] }), nodes, []).create).toEqual(['a', 'b', 'c', 'd'])
    const stray = pod('a')
    expect(plan(set({}, { nodeSelector: { disk: 'ssd' } }), nodes, [stray])).toMatchObject({
      remove: [stray],
      status: { numberMisscheduled: 1, desiredNumberScheduled: 1 },
    })
  })

  test('leaves a pod alone where no new one would come', () => {
    const kept = pod('c')
    expect(plan(set(), [node('c', { taints: [{ key: 'gpu', effect: 'NoSchedule' }] })], [kept])).toMatchObject({
      remove: [],
      create: [],
      status: { numberMisscheduled: 1 },
    })
    expect(plan(set(), [node('c', { taints: [{ key: 'gpu', effect: 'NoExecute' }] })], [kept]).remove).toEqual([kept])
  })

  test('removes what failed and what is too much, and waits for what goes', () => {
    const failed = pod('a', 'new', 'Failed')
    expect(plan(set(), [node('a')], [failed])).toMatchObject({ remove: [failed], failed: [failed], create: [] })
    const [first, second] = [pod('a'), pod('a')]
    expect(plan(set(), [node('a')], [first, second]).remove).toEqual([second])
    expect(plan(set(), [node('a')], [pod('a', 'new', 'going')]).create).toEqual([])
  })

  test('replaces outdated pods one by one, broken ones at once', () => {
    const nodes = ['a', 'b', 'c'].map(name => node(name))
    const old = nodes.map(({ metadata }) => pod(metadata.name, 'old'))
    expect(plan(set(), nodes, old).remove).toEqual([old[0]])
    expect(plan(set(), nodes, [pod('a', 'new', 'starting'), old[1]!, old[2]!]).remove).toEqual([])
    expect(plan(set(), nodes, [pod('a'), old[1]!, old[2]!]).remove).toEqual([old[1]])
    const broken = pod('b', 'old', 'starting')
    expect(plan(set(), nodes, [old[0]!, broken, old[2]!]).remove).toEqual([broken])
    expect(plan(set({ updateStrategy: { type: 'OnDelete' } }), nodes, old).remove).toEqual([])
  })

  test('that surges starts the new pod before the old one goes', () => {
    const surging = set({
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    })
    const nodes = ['a', 'b'].map(name => node(name))
    const old = nodes.map(({ metadata }) => pod(metadata.name, 'old'))
    expect(plan(surging, nodes, old)).toMatchObject({ create: ['a'], remove: [] })
    expect(plan(surging, nodes, [...old, pod('a', 'new', 'starting')])).toMatchObject({ create: [], remove: [] })
    expect(plan(surging, nodes, [...old, pod('a')])).toMatchObject({ remove: [old[0]] })
  })

  test('counts', () => {
    const nodes = ['a', 'b', 'c'].map(name => node(name))
    expect(plan(set(), nodes, [pod('a'), pod('b', 'new', 'starting'), pod('c', 'old')]).status).toEqual({
      desiredNumberScheduled: 3,
      currentNumberScheduled: 3,
      numberMisscheduled: 0,
      numberReady: 2,
      updatedNumberScheduled: 2,
      numberAvailable: 2,
      numberUnavailable: 1,
      observedGeneration: 2,
    })
    const slow = set({ minReadySeconds: 3600 })
    expect(plan(slow, [node('a')], [pod('a')])).toMatchObject({
      recheckAtMs: Date.parse('2026-01-01T01:10:00Z'),
      status: { numberReady: 1, numberUnavailable: 1 },
    })
  })
})

test('a daemon pod is bound to its node, and puts up with trouble there', () => {
  const made = podFor(
    set({}, { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } } }),
    'a',
    'new',
  )
  expect(made.metadata.labels).toMatchObject({ app: 'd', [revisionLabel]: 'new' })
  expect(made.spec!.affinity!.nodeAffinity).toEqual({
    preferredDuringSchedulingIgnoredDuringExecution: [],
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }],
    },
  })
  expect(made.spec!.tolerations!.map(({ key, effect }) => `${key}:${effect}`)).toEqual([
    'node.kubernetes.io/not-ready:NoExecute',
    'node.kubernetes.io/unreachable:NoExecute',
    'node.kubernetes.io/disk-pressure:NoSchedule',
    'node.kubernetes.io/memory-pressure:NoSchedule',
    'node.kubernetes.io/pid-pressure:NoSchedule',
    'node.kubernetes.io/unschedulable:NoSchedule',
  ])
})
