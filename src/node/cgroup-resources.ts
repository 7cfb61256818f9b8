// From a container's requests and limits to what the kernel is told, with Kubernetes' formulas.
// Source: kubernetes pkg/kubelet/cm/helpers_linux.go and pkg/kubelet/qos/policy.go.
import type { Container, Pod } from '../api/generated/models.ts'
import { milliValue, wholeValue } from '../api/quantity.ts'
import type { ContainerResources } from '../cri/runtime.ts'
import { qosClassOf } from './pod-facts.ts'

const periodMicroseconds = 100_000
const minimumShares = 2
const maximumShares = 262_144
const minimumQuota = 1_000

export function cgroupResources(pod: Pod, container: Container, nodeMemoryBytes: number): ContainerResources {
  const { requests, limits } = container.resources ?? {}
  const cpuLimitMilli = milliValue(limits?.['cpu'])
  const memoryLimitBytes = wholeValue(limits?.['memory'])
  const memoryRequestBytes = wholeValue(requests?.['memory'] ?? limits?.['memory'])
  return {
    cpuShares: sharesOf(milliValue(requests?.['cpu'] ?? limits?.['cpu'])),
    ...(cpuLimitMilli > 0 && {
      cpuPeriod: periodMicroseconds,
      cpuQuota: Math.max(minimumQuota, (cpuLimitMilli * periodMicroseconds) / 1_000),
    }),
    ...(memoryLimitBytes > 0 && { memoryLimitBytes }),
    oomScoreAdjust: oomScoreAdjust(pod, memoryRequestBytes, nodeMemoryBytes),
  }
}

export const sharesOf = (milliCpus: number): number =>
  Math.min(maximumShares, Math.max(minimumShares, Math.floor((milliCpus * 1_024) / 1_000)))

function oomScoreAdjust(pod: Pod, memoryRequestBytes: number, nodeMemoryBytes: number): number {
  const qos = qosClassOf(pod)
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  const score = 1000 - Math.floor((1000 * memoryRequestBytes) / nodeMemoryBytes)
  return Math.min(999, Math.max(3, score))
}
