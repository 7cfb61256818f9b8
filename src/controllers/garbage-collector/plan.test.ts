import { expect, test } from 'vitest'
import type { KubeObject } from '../../api/object.ts'
import type { OwnerState } from './plan.ts'
import { planFate } from './plan.ts'

const object = (more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'x', uid: 'x', resourceVersion: '1', creationTimestamp: '', ...more },
})
const owners = (...states: OwnerState[]) =>
  new Map(
    states.map(
      (state, index) => [{ apiVersion: 'v1', kind: 'Pod', name: state, uid: `${state}-${index}` }, state] as const,
    ),
  )

test.each<[string, KubeObject, OwnerState[], boolean, unknown]>([
  ['stays without owners', object(), [], false, { action: 'keep' }],
  ['stays while its owner stays', object(), ['solid'], false, { action: 'keep' }],
  ['goes with its only owner', object(), ['gone'], false, { action: 'delete', propagationPolicy: 'Background' }],
  ['forgets one owner of two', object(), ['solid', 'gone'], false, { action: 'disown', uids: ['gone-1'] }],
  [
    'forgets an owner that waits for it',
    object(),
    ['waiting', 'solid'],
    false,
    { action: 'disown', uids: ['waiting-0'] },
  ],
  [
    'goes before the owner that waits, its own dependents first',
    object(),
    ['waiting'],
    true,
    { action: 'delete', propagationPolicy: 'Foreground' },
  ],
  [
    'goes at once when it has none',
    object(),
    ['waiting'],
    false,
    { action: 'delete', propagationPolicy: 'Background' },
  ],
  [
    'leaves its dependents when that was asked for',
    object({ finalizers: ['orphan'] }),
    ['gone'],
    true,
    { action: 'delete', propagationPolicy: 'Orphan' },
  ],
  [
    'is left alone while it is being deleted',
    object({ deletionTimestamp: '2026-01-01T00:00:00Z' }),
    ['gone'],
    false,
    { action: 'keep' },
  ],
])('an object %s', (_, given, states, hasDependents, fate) => {
  expect(planFate(given, owners(...states), hasDependents)).toEqual(fate)
})
