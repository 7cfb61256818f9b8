// What a Service holds for itself alone, and the objects that make each of it unique in the store: an
// IPAddress for an address, and for a node port an internal object with the port's number as its name.
// Whoever creates the object has it; other servers on the same store find it taken.
import type { IPAddress, Service } from '../../api/generated/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { ipAddresses } from '../../api/resources.ts'
import { addressLabels } from '../../api/service-ranges.ts'
import type { Clock } from '../../lib/clock.ts'
import { formatTime } from '../../lib/clock.ts'
import type { Random } from '../../lib/random.ts'

/** Not served; a number of its own for TCP and UDP together, as upstream counts them. */
export const nodePortAllocations = { group: 'ranges', plural: 'servicenodeports' } as const

export interface Holding {
  readonly resource: typeof ipAddresses | typeof nodePortAllocations
  /** The address, or the port's number. */
  readonly name: string
}

export type Allocated = KubeObject & { readonly spec?: IPAddress['spec'] }

export const addressHolding = (address: string): Holding => ({ resource: ipAddresses, name: address })
export const portHolding = (port: number): Holding => ({ resource: nodePortAllocations, name: String(port) })

export function holdingsOf({ spec }: Service): Holding[] {
  return [...addressesOf(spec).map(addressHolding), ...nodePortsOf(spec).map(portHolding)]
}

function addressesOf({ type, clusterIP, clusterIPs }: Service['spec']): string[] {
  if (type === 'ExternalName') return []
  return [...new Set(clusterIPs ?? [clusterIP ?? ''])].filter(address => address !== '' && address !== 'None')
}

function nodePortsOf({ ports = [], healthCheckNodePort }: Service['spec']): number[] {
  return [...new Set([...ports.map(({ nodePort = 0 }) => nodePort), healthCheckNodePort ?? 0])].filter(
    port => port !== 0,
  )
}

export function makeHolding(
  { resource, name }: Holding,
  { metadata: { namespace, name: owner } }: Service,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Allocated {
  const isAddress = resource === ipAddresses
  return {
    kind: isAddress ? 'IPAddress' : 'NodePortAllocation',
    apiVersion: isAddress ? 'networking.k8s.io/v1' : 'ranges/v1',
    metadata: {
      name,
      uid: random.uuid(),
      creationTimestamp: formatTime(clock.now()),
      ...(isAddress && { generation: 1, labels: addressLabels() }),
    },
    spec: { parentRef: { group: '', resource: 'services', namespace, name: owner } },
  } as unknown as Allocated
}

export function isHeldBy({ spec }: Allocated, { metadata }: Pick<Service, 'metadata'>): boolean {
  const parent = spec?.parentRef
  return (
    parent !== undefined &&
    (parent.group ?? '') === '' &&
    parent.resource === 'services' &&
    parent.namespace === metadata.namespace &&
    parent.name === metadata.name
  )
}
