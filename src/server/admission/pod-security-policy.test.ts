import { expect, test } from 'vitest'
import type { Namespace } from '../../api/generated/models.ts'
import { policyOf, type Mode } from './pod-security-policy.ts'

test.each<[Mode, string, string, string]>([
  ['enforce', 'strict', 'v1.x', 'restricted:latest'],
  ['audit', 'strict', '1.30', 'privileged:latest'],
  ['warn', 'strict', 'newest', 'privileged:latest'],
  ['warn', 'baseline', 'v1.30', 'baseline:v1.30'],
])('%s: %s, %s is %s', (mode, level, version, expected) => {
  const labels = {
    [`pod-security.kubernetes.io/${mode}`]: level,
    [`pod-security.kubernetes.io/${mode}-version`]: version,
  }
  const policy = policyOf({ metadata: { labels } } as unknown as Namespace, mode)
  expect(`${policy.level}:${policy.version}`).toBe(expected)
})
