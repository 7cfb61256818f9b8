import { expect, test } from 'vitest'
import type { Container, Pod, PodSpec, ResourceRequirements } from '../api/generated/models.ts'
import { cgroupResources, podGroupLimits } from './cgroup-resources.ts'

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
  expect(cgroupResources(pod, container, { memoryBytes: 8 * gibibyte, cgroupVersion: 1 })).toEqual(expected)
})

test('where the kernel can, what is killed for memory takes its container along', () => {
  const container = { name: 'main' }
  const pod = { metadata: { name: 'web' }, spec: { containers: [container] } } as unknown as Pod
  expect(cgroupResources(pod, container, { memoryBytes: gibibyte, cgroupVersion: 2 }).unified).toEqual({
    'memory.oom.group': '1',
  })
})

test('a container without limits of its own has those of its pod', () => {
  const own: Container = { name: 'own', resources: { limits: { memory: '64Mi' } } }
  const none: Container = { name: 'none' }
  const pod = {
    metadata: { name: 'web' },
    spec: { containers: [own, none], resources: { limits: { cpu: '1', memory: '128Mi' } } },
  } as unknown as Pod
  const limits = (container: Container): object => {
    const { cpuQuota, memoryLimitBytes } = cgroupResources(pod, container, { memoryBytes: gibibyte, cgroupVersion: 1 })
    return { cpuQuota, memoryLimitBytes }
  }
  expect(limits(own)).toEqual({ cpuQuota: 100_000, memoryLimitBytes: 64 << 20 })
  expect(limits(none)).toEqual({ cpuQuota: 100_000, memoryLimitBytes: 128 << 20 })
})

const limited = (name: string, cpu?: string, memory?: string, more: Partial<Container> = {}): Container => ({
  name,
  resources: { limits: { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) } },
  ...more,
})

test.each<[string, Partial<PodSpec>, object]>([
  ['nothing', { containers: [limited('a')] }, {}],
  [
    'what its containers may use together',
    { containers: [limited('a', '500m', '64Mi'), limited('b', '1', '64Mi')] },
    { cpuQuota: 150_000, memoryBytes: 128 << 20 },
  ],
  [
    'nothing of what one container has no limit for',
    { containers: [limited('a', '500m', '64Mi'), limited('b', '1')] },
    { cpuQuota: 150_000 },
  ],
  [
    'what the largest init container needs, beside the sidecars',
    {
      containers: [limited('a', '100m', '64Mi')],
      initContainers: [limited('side', '100m', '32Mi', { restartPolicy: 'Always' }), limited('first', '300m', '16Mi')],
    },
    { cpuQuota: 40_000, memoryBytes: 96 << 20 },
  ],
  [
    'what the pod as a whole says',
    { containers: [limited('a', '100m', '64Mi'), limited('b')], resources: { limits: { memory: '256Mi' } } },
    { memoryBytes: 256 << 20 },
  ],
  [
    'what running it costs in addition',
    { containers: [limited('a', '100m', '64Mi')], overhead: { cpu: '50m', memory: '16Mi' } },
    { cpuQuota: 15_000, memoryBytes: 80 << 20 },
  ],
])('the group of a pod is bounded by %s', (_what, spec, expected) => {
  expect(podGroupLimits({ spec } as unknown as Pod)).toEqual(expected)
})
