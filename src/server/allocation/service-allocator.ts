// Hands out service addresses and node ports. What is taken is known from the Services themselves, so
// nothing of its own is stored; a lost write gives back what it had taken.
import { invalid } from '../../api/api-error.ts'
import { duplicate, invalidValue, type FieldError } from '../../api/field-error.ts'
import type { Service, ServicePort } from '../../api/generated/models.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { services } from '../../api/resources.ts'
import { addressCount, addressInRange, nthAddress } from '../../lib/ipv4.ts'
import type { Random } from '../../lib/random.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'

export const nodePortRange = { first: 30_000, last: 32_767 } as const

/** The same number may serve TCP and UDP. */
const nodePortKey = ({ protocol = 'TCP', nodePort }: ServicePort): string => `${protocol}/${nodePort}`

export class ServiceAllocator {
  private readonly addresses = new Set<string>()
  private readonly nodePorts = new Set<string>()
  private readonly serviceCidr: string
  private readonly random: Random

  constructor(storage: ObjectStorage, serviceCidr: string, random: Random) {
    this.serviceCidr = serviceCidr
    this.random = random
    const cache = storage.cache(services)
    for (const service of cache.values()) this.take(service.object as Service)
    cache.subscribe(({ current, previous }) => {
      if (previous !== undefined) this.giveBack(previous.object as Service)
      const now = cache.get(current.key)
      if (now !== undefined) this.take(now.object as Service)
    })
  }

  /**
   * Fills in the cluster IP and node ports that the draft asks for.
   * @returns how to give them back when the write fails
   * @throws ApiError Invalid for an address or port that is taken or out of range
   */
  allocateFor(kind: KindDefinition, draft: KubeObject, old: KubeObject | undefined, dryRun: boolean): () => void {
    if (kind.resource.plural !== 'services' || kind.resource.group !== '') return () => {}
    const service = draft as Service
    const before = old as Service | undefined
    const errors: FieldError[] = []
    const taken: (() => void)[] = []
    if (service.spec.type !== 'ExternalName') this.allocateAddress(service, before, errors, taken)
    if (service.spec.type === 'NodePort' || service.spec.type === 'LoadBalancer') this.allocatePorts(service, before, errors, taken)
    const release = (): void => taken.forEach(undo => undo())
    if (errors.length > 0) {
      release()
      throw invalid('', 'Service', service.metadata.name, errors)
    }
    if (dryRun) release()
    return release
  }

  private allocateAddress(service: Service, before: Service | undefined, errors: FieldError[], taken: (() => void)[]): void {
    const { spec } = service
    if (!spec.clusterIP && before?.spec.clusterIP && before.spec.type !== 'ExternalName') spec.clusterIP = before.spec.clusterIP
    if (spec.clusterIP === 'None') spec.clusterIPs = ['None']
    else if (spec.clusterIP && spec.clusterIP !== before?.spec.clusterIP) {
      const problem = !addressInRange(spec.clusterIP, this.serviceCidr) ? `the provided IP (${spec.clusterIP}) is not in the valid range. The range of valid IPs is ${this.serviceCidr}`
        : this.addresses.has(spec.clusterIP) ? 'provided IP is already allocated' : undefined
      if (problem === undefined) this.hold(this.addresses, spec.clusterIP, taken)
      else errors.push(invalidValue('spec.clusterIPs', [spec.clusterIP], `failed to allocate IP ${spec.clusterIP}: ${problem}`))
    } else if (!spec.clusterIP) {
      spec.clusterIP = this.freeAddress()
      this.hold(this.addresses, spec.clusterIP, taken)
    }
    spec.clusterIPs = [spec.clusterIP!]
    spec.ipFamilies ??= ['IPv4']
    spec.ipFamilyPolicy ??= 'SingleStack'
  }

  private allocatePorts(service: Service, before: Service | undefined, errors: FieldError[], taken: (() => void)[]): void {
    const had = before?.spec.ports ?? []
    for (const [index, port] of (service.spec.ports ?? []).entries()) {
      if (!port.nodePort) {
        const kept = had.find(candidate => candidate.port === port.port && candidate.protocol === port.protocol)?.nodePort
        port.nodePort = kept ?? this.freePort(port)
        if (kept === undefined) this.hold(this.nodePorts, nodePortKey(port), taken)
      } else if (!had.some(candidate => nodePortKey(candidate) === nodePortKey(port))) {
        const problem = this.portProblem(port, `spec.ports[${index}].nodePort`)
        if (problem === undefined) this.hold(this.nodePorts, nodePortKey(port), taken)
        else errors.push(problem)
      }
    }
    if (service.spec.externalTrafficPolicy === undefined) service.spec.externalTrafficPolicy = 'Cluster'
  }

  private portProblem(port: ServicePort, field: string): FieldError | undefined {
    const { first, last } = nodePortRange
    const { nodePort } = port
    if (nodePort! < first || nodePort! > last) return invalidValue(field, nodePort, `provided port is not in the valid range. The range of valid ports is ${first}-${last}`)
    if (this.nodePorts.has(nodePortKey(port))) return invalidValue(field, nodePort, 'provided port is already allocated')
    return undefined
  }

  private freeAddress(): string {
    const count = addressCount(this.serviceCidr) - 2
    // The first 16 are left for addresses that are asked for by name (kubernetes, DNS).
    for (let attempt = 0, index = 16 + Math.floor(this.random.fraction() * (count - 16)); attempt < count; attempt++, index = (index % count) + 1) {
      const address = nthAddress(this.serviceCidr, index)
      if (!this.addresses.has(address)) return address
    }
    throw invalid('', 'Service', '', [duplicate('spec.clusterIPs', 'the range of service addresses is used up')])
  }

  private freePort(wanted: ServicePort): number {
    const { first, last } = nodePortRange
    const count = last - first + 1
    for (let attempt = 0, index = Math.floor(this.random.fraction() * count); attempt < count; attempt++, index++) {
      const port = first + (index % count)
      if (!this.nodePorts.has(nodePortKey({ ...wanted, nodePort: port }))) return port
    }
    throw invalid('', 'Service', '', [duplicate('spec.ports', 'the range of node ports is used up')])
  }

  private hold<T>(set: Set<T>, value: T, taken: (() => void)[]): void {
    set.add(value)
    taken.push(() => set.delete(value))
  }

  private take({ spec }: Service): void {
    if (spec.clusterIP && spec.clusterIP !== 'None') this.addresses.add(spec.clusterIP)
    for (const port of spec.ports ?? []) if (port.nodePort) this.nodePorts.add(nodePortKey(port))
  }

  private giveBack({ spec }: Service): void {
    if (spec.clusterIP) this.addresses.delete(spec.clusterIP)
    for (const port of spec.ports ?? []) if (port.nodePort) this.nodePorts.delete(nodePortKey(port))
  }
}
