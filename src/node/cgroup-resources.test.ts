import { expect, test } from 'vitest'
import type { Pod, ResourceRequirements } from '../api/generated/models.ts'
import { cgroupResources } from './cgroup-resources.ts'

const gibibyte = 2 ** 30

test.each<[string, ResourceRequirements, object]>([
  ['nothing asked for', {}, { cpuShares: 2, oomScoreAdjust: 1000 }],
  [
    'limits count as requests',
    { limits: { cpu: '500m', memory: '1Gi' } },
    { cpuShares: 512, cpuPeriod: 100_000, cpuQuota: 50_000, memoryLimitBytes: gibibyte, oomScoreAdjust: -997 },
  ],
  [
    'requests alone set no limits',
    { requests: { cpu: '0.1', memory: '2Gi' } },
    { cpuShares: 102, oomScoreAdjust: 750 },
  ],
  [
    'the smallest quota',
    { limits: { cpu: '1m' } },
    { cpuShares: 2, cpuPeriod: 100_000, cpuQuota: 1_000, oomScoreAdjust: 999 },
  ],
])('%s', (_, resources, expected) => {
  const container = { name: 'main', resources }
  const pod = { metadata: { name: 'web' }, spec: { containers: [container] } } as unknown as Pod
  expect(cgroupResources(pod, container, 8 * gibibyte)).toEqual(expected)
})
