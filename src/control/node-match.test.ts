import { expect, test } from 'vitest'
import type { Node, Pod } from '../api/generated/models.ts'
import { matchesNodeAffinity } from './node-match.ts'

function matches(operator: string, wanted: string, label: string): boolean {
  const term = { matchExpressions: [{ key: 'size', operator, values: [wanted] }] }
  const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
  const pod = { spec: { affinity: { nodeAffinity } } } as unknown as Pod
  return matchesNodeAffinity(pod, { metadata: { name: 'n', labels: { size: label } } } as unknown as Node)
}

test.each([
  ['Gt', '3546343826724305832', '3546343826724305833', true],
  ['Gt', '3546343826724305833', '3546343826724305833', false],
  ['Lt', '3546343826724305833', '3546343826724305832', true],
  ['Lt', '5', '', false],
  ['Gt', '5', '6.5', false],
  ['Gt', '-7', '-6', true],
])('%s %s: %s is %s', (operator, wanted, label, expected) => {
  expect(matches(operator, wanted, label)).toBe(expected)
})
