// From a container's requests and limits to what the kernel is told, with Kubernetes' formulas.
// Source: kubernetes pkg/kubelet/cm/helpers_linux.go and pkg/kubelet/qos/policy.go.
import type { Container, Pod } from '../api/generated/models.ts'
import { podLimits } from '../api/pod-requests.ts'
import { milliValue, wholeValue } from '../api/quantity.ts'
import type { ContainerResources } from '../cri/runtime.ts'
import { cpuPeriodMicroseconds, type GroupLimits } from '../host/cgroups.ts'
import { qosClassOf } from './pod-facts.ts'

const minimumShares = 2
const maximumShares = 262_144
const minimumQuota = 1_000

export interface CgroupMachine {
  readonly memoryBytes: number
  readonly cgroupVersion: 1 | 2
}

export function cgroupResources(pod: Pod, container: Container, machine: CgroupMachine): ContainerResources {
  const { requests } = container.resources ?? {}
  // Where the container has no limit of its own, the pod's bounds it.
  const limits = { ...pod.spec.resources?.limits, ...container.resources?.limits }
  const cpuLimitMilli = milliValue(limits?.['cpu'])
  const memoryLimitBytes = wholeValue(limits?.['memory'])
  const memoryRequestBytes = wholeValue(requests?.['memory'] ?? limits?.['memory'])
  return {
    cpuShares: sharesOf(milliValue(requests?.['cpu'] ?? limits?.['cpu'])),
    ...(cpuLimitMilli > 0 && {
      cpuPeriod: cpuPeriodMicroseconds,
      cpuQuota: quotaOf(cpuLimitMilli),
    }),
    ...(memoryLimitBytes > 0 && { memoryLimitBytes }),
    oomScoreAdjust: oomScoreAdjust(pod, memoryRequestBytes, machine.memoryBytes),
    // A process that is killed for memory takes the container's others along: half a container is of no use.
    ...(machine.cgroupVersion === 2 && { unified: { 'memory.oom.group': '1' } }),
  }
}

/** For the group around all containers of the pod. */
export function podGroupLimits(pod: Pod): GroupLimits {
  const limits = podLimits(pod.spec)
  const [cpuMilli, memoryBytes] = [limits.get('cpu') ?? 0, limits.get('memory') ?? 0]
  return { ...(cpuMilli > 0 && { cpuQuota: quotaOf(cpuMilli) }), ...(memoryBytes > 0 && { memoryBytes }) }
}

const quotaOf = (milliCpus: number): number =>
  Math.max(minimumQuota, Math.floor((milliCpus * cpuPeriodMicroseconds) / 1_000))

export const sharesOf = (milliCpus: number): number =>
  Math.min(maximumShares, Math.max(minimumShares, Math.floor((milliCpus * 1_024) / 1_000)))

function oomScoreAdjust(pod: Pod, memoryRequestBytes: number, nodeMemoryBytes: number): number {
  const qos = qosClassOf(pod)
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  const score = 1000 - Math.floor((1000 * memoryRequestBytes) / nodeMemoryBytes)
  return Math.min(999, Math.max(3, score))
}
