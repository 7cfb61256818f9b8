import { expect, test } from 'vitest'
import type { PodSpec } from '../generated/models.ts'
import { mergeLabelKeys } from './pod-label-keys.ts'

const labels = { app: 'web', 'pod-template-hash': 'abc' }
const hash = (operator: string): object => ({ key: 'pod-template-hash', operator, values: ['abc'] })
const spreadOf = (constraint: object): PodSpec => ({
  containers: [],
  topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', ...constraint }],
})

test.each<[string, object, object | undefined]>([
  [
    'the value of the pod is selected',
    { labelSelector: { matchLabels: { app: 'web' } }, matchLabelKeys: ['pod-template-hash'] },
    { matchLabels: { app: 'web' }, matchExpressions: [hash('In')] },
  ],
  [
    'a label that the pod does not have says nothing',
    { labelSelector: { matchLabels: { app: 'web' } }, matchLabelKeys: ['tier'] },
    { matchLabels: { app: 'web' } },
  ],
  ['what has no selector selects nothing', { matchLabelKeys: ['pod-template-hash'] }, undefined],
  [
    'an empty selector is narrowed',
    { labelSelector: {}, matchLabelKeys: ['pod-template-hash'] },
    { matchExpressions: [hash('In')] },
  ],
])('%s', (_, constraint, expected) => {
  const spec = spreadOf(constraint)
  mergeLabelKeys({ metadata: { labels }, spec })
  expect(spec.topologySpreadConstraints![0]!.labelSelector).toEqual(expected)
})

test('affinity terms have both, whether required or preferred', () => {
  const term = (): {
    topologyKey: string
    labelSelector: object
    matchLabelKeys?: string[]
    mismatchLabelKeys?: string[]
  } => ({ topologyKey: 'zone', labelSelector: {} })
  const spec: PodSpec = {
    containers: [],
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ ...term(), matchLabelKeys: ['pod-template-hash'] }],
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, podAffinityTerm: { ...term(), mismatchLabelKeys: ['pod-template-hash'] } },
        ],
      },
    },
  }
  mergeLabelKeys({ metadata: { labels }, spec })
  expect(spec.affinity!.podAffinity!.requiredDuringSchedulingIgnoredDuringExecution![0]!.labelSelector).toEqual({
    matchExpressions: [hash('In')],
  })
  expect(
    spec.affinity!.podAntiAffinity!.preferredDuringSchedulingIgnoredDuringExecution![0]!.podAffinityTerm.labelSelector,
  ).toEqual({ matchExpressions: [hash('NotIn')] })
})
