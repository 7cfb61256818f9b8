// What a pod may learn about itself: `fieldRef` and `resourceFieldRef`. Null means "not known yet".
import type { ObjectFieldSelector, Pod, ResourceFieldSelector } from '../api/generated/models.ts'
import { milliValue, wholeValue } from '../api/quantity.ts'
import { containerOf } from './pod-facts.ts'

export interface PodAddresses {
  readonly podAddress: string
  readonly hostAddress: string
}

export interface NodeCapacity {
  readonly cpus: number
  readonly memoryBytes: number
  readonly diskBytes: number
}

/** @throws Error for a field that there is not, with the kubelet's words */
export function fieldValue(pod: Pod, selector: ObjectFieldSelector, addresses: PodAddresses): string {
  const { fieldPath } = selector
  const keyed = /^metadata\.(annotations|labels)\['([^']*)'\]$/.exec(fieldPath)
  if (keyed !== null) return pod.metadata[keyed[1] as 'annotations' | 'labels']?.[keyed[2]!] ?? ''
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name
    case 'metadata.namespace':
      return pod.metadata.namespace ?? ''
    case 'metadata.uid':
      return pod.metadata.uid
    case 'metadata.labels':
      return formatMap(pod.metadata.labels)
    case 'metadata.annotations':
      return formatMap(pod.metadata.annotations)
    case 'spec.nodeName':
      return pod.spec.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? ''
    case 'status.hostIP':
    case 'status.hostIPs':
      return addresses.hostAddress
    case 'status.podIP':
    case 'status.podIPs':
      return addresses.podAddress
    default:
      throw new Error(`unsupported fieldPath: ${fieldPath}`)
  }
}

/** One `key="value"` a line, sorted, values quoted as Go does. */
const formatMap = (map: Record<string, string> | undefined): string =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n')

/** @throws Error for an unknown container or resource */
export function resourceValue(
  pod: Pod,
  selector: ResourceFieldSelector,
  ownContainer: string | undefined,
  node: NodeCapacity,
): string {
  const name = selector.containerName ?? ownContainer ?? ''
  const container = containerOf(pod, name)
  if (container === undefined) throw new Error(`container ${name} not found`)
  const [, list, resource] = /^(limits|requests)\.(.+)$/.exec(selector.resource) ?? []
  if (list === undefined || resource === undefined)
    throw new Error(`unsupported container resource : ${selector.resource}`)
  const { limits, requests } = container.resources ?? {}
  const own = list === 'limits' ? limits?.[resource] : (requests?.[resource] ?? limits?.[resource])
  const valueOf = resource === 'cpu' ? milliValue : wholeValue
  const amount = own === undefined && list === 'limits' ? nodeLimit(node, resource) : valueOf(own)
  return String(Math.ceil(amount / (valueOf(selector.divisor) || valueOf('1'))))
}

/** A container without a limit may use what the node has. Thousandths for cpu, bytes for all others. */
function nodeLimit(node: NodeCapacity, resource: string): number {
  if (resource === 'cpu') return node.cpus * 1_000
  if (resource === 'memory') return node.memoryBytes
  return resource === 'ephemeral-storage' ? node.diskBytes : 0
}
