import { describe, expect, test } from 'vitest'
import type { Node } from '../../api/generated/models.ts'
import { graceMs, planConditions, planTaints } from './plan.ts'

const nowMs = Date.parse('2026-01-01T00:10:00Z')
const node = (ready: string | undefined, spec: Node['spec'] = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', uid: 'n', resourceVersion: '1', creationTimestamp: '' },
  spec,
  status: { conditions: ready === undefined ? [] : [{ type: 'Ready', status: ready }] },
})
const taints = (given: Node) =>
  planTaints(given, nowMs).map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`)

describe('taints', () => {
  test.each<[string, Node, string[]]>([
    ['none on a ready node', node('True'), []],
    ['on a node that never reported', node(undefined), ['not-ready:NoSchedule']],
    ['on a node that is not ready', node('False'), ['not-ready:NoSchedule', 'not-ready:NoExecute']],
    ['on a silent node', node('Unknown'), ['unreachable:NoSchedule', 'unreachable:NoExecute']],
    ['on a cordoned node', node('True', { unschedulable: true }), ['unschedulable:NoSchedule']],
    [
      'gone when the node is ready again, others kept',
      node('True', {
        taints: [
          { key: 'mine', effect: 'NoSchedule' },
          { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' },
        ],
      }),
      ['mine:NoSchedule'],
    ],
  ])('%s', (_, given, expected) => expect(taints(given)).toEqual(expected))
})

test('a node is silent after the grace period, and only once', () => {
  expect(planConditions(node('True'), nowMs - graceMs, nowMs)).toBeUndefined()
  const conditions = planConditions(node('True'), nowMs - graceMs - 1, nowMs)!
  expect(conditions.map(({ type, status, reason }) => [type, status, reason])[0]).toEqual([
    'Ready',
    'Unknown',
    'NodeStatusUnknown',
  ])
  const silent = node('True')
  silent.status.conditions = conditions
  expect(planConditions(silent, 0, nowMs)).toBeUndefined()
})
