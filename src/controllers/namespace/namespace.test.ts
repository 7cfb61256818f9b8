import { expect, test } from 'vitest'
import type { KubeObject } from '../../api/object.ts'
import { configMaps, pods } from '../../api/resources.ts'
import { planConditions, planDeletion } from './namespace.ts'

const object = (name: string, more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'X',
  metadata: { name, namespace: 'n', uid: name, resourceVersion: '1', creationTimestamp: '', ...more },
})
const nowMs = Date.parse('2026-01-01T00:00:00Z')

test('pods go first, and nothing is deleted twice', () => {
  const remaining = [
    { resource: configMaps, objects: [object('c')] },
    { resource: pods, objects: [object('a', { deletionTimestamp: 'x' }), object('b')] },
  ]
  expect(
    planDeletion(remaining).map(({ resource, objects }) => [resource.plural, objects.map(one => one.metadata.name)]),
  ).toEqual([['pods', ['b']]])
  expect(planDeletion([remaining[0]!]).map(({ resource }) => resource.plural)).toEqual(['configmaps'])
})

test('the conditions name what is left and what holds it', () => {
  const conditions = planConditions(
    [{ resource: pods, objects: [object('a', { finalizers: ['example.com/f'] })] }],
    [],
    nowMs,
  )
  expect(conditions.filter(({ status }) => status === 'True').map(({ type, message }) => [type, message])).toEqual([
    ['NamespaceContentRemaining', 'Some resources are remaining: pods. has 1 resource instances'],
    [
      'NamespaceFinalizersRemaining',
      'Some content in the namespace has finalizers remaining: example.com/f in 1 resource instances',
    ],
  ])
  const later = planConditions([], conditions, nowMs + 5000)
  expect(later.find(({ type }) => type === 'NamespaceContentRemaining')).toMatchObject({
    status: 'False',
    reason: 'ContentRemoved',
    lastTransitionTime: '2026-01-01T00:00:05Z',
  })
  expect(later.find(({ type }) => type === 'NamespaceDeletionContentFailure')?.lastTransitionTime).toBe(
    '2026-01-01T00:00:00Z',
  )
})
