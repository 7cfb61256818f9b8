import { expect, test } from 'vitest'
import type { Pod } from '../../api/generated/models.ts'
import { evictionMs } from './plan.ts'

const nowMs = Date.parse('2026-01-01T00:10:00Z')

test.each<[string, Pod['spec']['tolerations'], number | undefined]>([
  ['at once without a toleration', [], nowMs - 60_000],
  [
    'after its time',
    [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    nowMs + 240_000,
  ],
  ['never', [{ operator: 'Exists' }], undefined],
])('a pod leaves %s', (_, tolerations, expected) => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', uid: 'p', resourceVersion: '1', creationTimestamp: '' },
    spec: { containers: [], tolerations },
    status: {},
  }
  expect(
    evictionMs(
      pod,
      [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: '2026-01-01T00:09:00Z' }],
      nowMs,
    ),
  ).toBe(expected)
})

test('a pod that comes to a tainted node has its whole time there', () => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', uid: 'p', resourceVersion: '1', creationTimestamp: '2026-01-01T00:09:30Z' },
    spec: { containers: [], tolerations: [{ operator: 'Exists', tolerationSeconds: 300 }] },
    status: {},
  }
  expect(evictionMs(pod, [{ key: 'k', effect: 'NoExecute', timeAdded: '2026-01-01T00:01:00Z' }], nowMs)).toBe(
    nowMs + 270_000,
  )
})
