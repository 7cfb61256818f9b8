// What a pod asks of a node, computed once per pod: plain numbers and lists that filters read fast.
import type { Pod } from '../api/generated/models.ts'
import { hostPortsOf, type HostPort } from '../api/host-ports.ts'
import { podRequests, type Amounts } from '../api/pod-requests.ts'

export interface Requirements {
  /** As last seen. */
  pod: Pod
  readonly requests: Amounts
  readonly hostPorts: readonly HostPort[]
  /** For scores: pods without requests count as small ones. */
  readonly scoredMilliCpu: number
  readonly scoredMemoryBytes: number
}

export const priorityOf = ({ spec }: Pod): number => spec.priority ?? 0

const assumedMilliCpu = 100
const assumedMemoryBytes = 200 * 1024 * 1024

export function requirementsOf(pod: Pod): Requirements {
  const requests = podRequests(pod.spec)
  return {
    pod,
    requests,
    hostPorts: hostPortsOf(pod.spec),
    scoredMilliCpu: requests.get('cpu') || assumedMilliCpu * pod.spec.containers.length,
    scoredMemoryBytes: requests.get('memory') || assumedMemoryBytes * pod.spec.containers.length,
  }
}
