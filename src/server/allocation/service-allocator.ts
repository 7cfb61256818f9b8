// Hands out service addresses and node ports. Each is taken by creating an object for it before the Service
// is stored (see holdings.ts), so that servers on one store cannot give out the same one. What was taken
// for a write that did not happen is given back; what a crash leaves behind, repair.ts finds.
import { internalError, invalid } from '../../api/api-error.ts'
import { invalidValue, type FieldError } from '../../api/field-error.ts'
import type { Service, ServiceCIDR, ServicePort } from '../../api/generated/models.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { serviceCidrs, services } from '../../api/resources.ts'
import { ipv4RangesOf, isReadyRange } from '../../api/service-ranges.ts'
import type { Clock } from '../../lib/clock.ts'
import { addressCount, isHostAddress, nthAddress } from '../../lib/ipv4.ts'
import type { Random } from '../../lib/random.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import {
  addressHolding,
  holdingsOf,
  isHeldBy,
  makeHolding,
  portHolding,
  type Allocated,
  type Holding,
} from './holdings.ts'

export const nodePortRange = { first: 30_000, last: 32_767 } as const

const rangeFull = 'range is full'
const alreadyAllocated = 'provided IP is already allocated'

export interface Allocation {
  /** The write happened: what the Service has no longer is given back. */
  commit(): Promise<void> | undefined
  /** The write surely did not happen: what was taken for it is given back. */
  revert(): Promise<void> | undefined
}

const nothing: Allocation = { commit: () => undefined, revert: () => undefined }

interface Taken {
  readonly holding: Holding
  readonly object: CachedObject
}

/** One write of a Service while it gets what it lacks. */
interface Request {
  readonly service: Service
  readonly dryRun: boolean
  /** What the Service has from before, which need not be taken. */
  readonly held: ReadonlySet<string>
  readonly taken: Taken[]
  readonly errors: FieldError[]
}

const isService = ({ resource: { group, plural } }: KindDefinition): boolean =>
  plural === services.plural && group === services.group
const hasNodePorts = ({ type }: Service['spec']): boolean => type === 'NodePort' || type === 'LoadBalancer'
const needsHealthCheck = ({ type, externalTrafficPolicy }: Service['spec']): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'

export class ServiceAllocator {
  private readonly storage: ObjectStorage
  private readonly made: { readonly clock: Clock; readonly random: Random }

  constructor(storage: ObjectStorage, made: { readonly clock: Clock; readonly random: Random }) {
    this.storage = storage
    this.made = made
  }

  /**
   * Fills in the cluster IP and node ports that the draft asks for; a dry run takes nothing.
   * @throws ApiError Invalid for an address or port that is taken or out of range, InternalError when a range is full
   */
  allocateFor(
    kind: KindDefinition,
    draft: KubeObject,
    old: KubeObject | undefined,
    dryRun: boolean,
  ): Allocation | Promise<Allocation> {
    return isService(kind) ? this.allocate(draft as Service, old as Service | undefined, dryRun) : nothing
  }

  /** After an object is gone from the store. Nothing happens unless it is a Service. */
  release(kind: KindDefinition, object: KubeObject): Promise<void> | undefined {
    return isService(kind) ? this.giveBack(object as Service, holdingsOf(object as Service)) : undefined
  }

  private async allocate(service: Service, old: Service | undefined, dryRun: boolean): Promise<Allocation> {
    const before = old === undefined ? [] : holdingsOf(old)
    const request: Request = { service, dryRun, held: new Set(before.map(({ name }) => name)), taken: [], errors: [] }
    const revert = (): Promise<void> => this.undo(request.taken)
    const outcomes = await Promise.allSettled([
      this.allocateAddress(request),
      this.allocatePorts(request, old === undefined),
    ])
    const failure = outcomes.find(outcome => outcome.status === 'rejected')
    if (failure !== undefined || request.errors.length > 0) {
      await revert()
      throw failure === undefined ? invalid('', 'Service', service.metadata.name, request.errors) : failure.reason
    }
    const kept = new Set(holdingsOf(service).map(({ name }) => name))
    const dropped = before.filter(({ name }) => !kept.has(name))
    return { revert, commit: () => (dropped.length === 0 ? undefined : this.giveBack(service, dropped)) }
  }

  private async allocateAddress(request: Request): Promise<void> {
    const {
      service: { spec },
      held,
    } = request
    if (spec.type === 'ExternalName') return
    if (!spec.clusterIP) spec.clusterIP = await this.takeAnyAddress(request)
    else if (spec.clusterIP !== 'None' && !held.has(spec.clusterIP)) await this.takeAddress(request, spec.clusterIP)
    spec.clusterIPs = [spec.clusterIP]
    spec.ipFamilies ??= ['IPv4']
    spec.ipFamilyPolicy ??= 'SingleStack'
  }

  private async takeAddress(request: Request, address: string): Promise<void> {
    const problem = !this.ranges().some(range => isHostAddress(address, range))
      ? 'the provided network does not match the current range'
      : (await this.take(request, addressHolding(address)))
        ? undefined
        : alreadyAllocated
    if (problem !== undefined)
      request.errors.push(invalidValue('spec.clusterIPs', [address], `failed to allocate IP ${address}: ${problem}`))
  }

  private async takeAnyAddress(request: Request): Promise<string> {
    for (const range of this.ranges()) {
      const hosts = addressCount(range) - 2
      for (const index of this.indexes(hosts, reserved(hosts, 16, 256))) {
        const address = nthAddress(range, index + 1)
        if (await this.take(request, addressHolding(address))) return address
      }
    }
    throw internalError(`failed to allocate a serviceIP: ${rangeFull}`)
  }

  private ranges(): string[] {
    return this.storage
      .cache(serviceCidrs)
      .list()
      .map(({ object }) => object as ServiceCIDR)
      .filter(isReadyRange)
      .flatMap(ipv4RangesOf)
  }

  private async allocatePorts(request: Request, isNew: boolean): Promise<void> {
    const {
      service: { spec },
    } = request
    if (!hasNodePorts(spec)) return
    const ports = spec.ports ?? []
    // What is asked for goes first, so that nothing that is only found stands in its way.
    const asked = new Map(
      ports
        .entries()
        .filter(([, { nodePort }]) => nodePort)
        .map(([index, { nodePort }]) => [nodePort!, index]),
    )
    await Promise.all(
      asked.entries().map(([port, index]) => this.takePort(request, port, `spec.ports[${index}].nodePort`)),
    )
    if (spec.type === 'NodePort' || spec.allocateLoadBalancerNodePorts !== false)
      await this.fillPorts(request, ports, isNew)
    if (needsHealthCheck(spec)) await this.allocateHealthCheckPort(request)
  }

  private async fillPorts(request: Request, ports: ServicePort[], isNew: boolean): Promise<void> {
    const lacking = ports.filter(({ nodePort }) => !nodePort)
    // At first, the same port of TCP and UDP gets the same node port.
    const numbers = new Map<number | ServicePort, Promise<number>>()
    await Promise.all(
      lacking.map(async port => {
        const same = isNew
          ? ports.find(other => other.port === port.port && !lacking.includes(other))?.nodePort
          : undefined
        const sharing = isNew ? port.port : port
        if (same === undefined && !numbers.has(sharing)) numbers.set(sharing, this.takeAnyPort(request, 'a nodePort: '))
        port.nodePort = same ?? (await numbers.get(sharing)!)
      }),
    )
  }

  private async allocateHealthCheckPort(request: Request): Promise<void> {
    const {
      service: { spec },
    } = request
    if (spec.healthCheckNodePort) await this.takePort(request, spec.healthCheckNodePort, 'spec.healthCheckNodePort')
    else spec.healthCheckNodePort = await this.takeAnyPort(request, 'a HealthCheck NodePort 0: ')
  }

  private async takePort(request: Request, port: number, field: string): Promise<void> {
    const { first, last } = nodePortRange
    if (request.held.has(String(port))) return
    const problem =
      port < first || port > last
        ? `provided port is not in the valid range. The range of valid ports is ${first}-${last}`
        : (await this.take(request, portHolding(port)))
          ? undefined
          : 'provided port is already allocated'
    if (problem !== undefined) request.errors.push(invalidValue(field, port, problem))
  }

  private async takeAnyPort(request: Request, what: string): Promise<number> {
    const { first, last } = nodePortRange
    const count = last - first + 1
    for (const index of this.indexes(count, reserved(count, 32, 128)))
      if (await this.take(request, portHolding(first + index))) return first + index
    throw internalError(`failed to allocate ${what}${rangeFull}`)
  }

  /** Every place once: from a random one on through the upper part, then through the part for those that are asked for. */
  private *indexes(count: number, offset: number): Iterable<number> {
    for (const [start, length] of [
      [offset, count - offset],
      [0, offset],
    ] as const) {
      const first = Math.floor(this.made.random.fraction() * length)
      for (let step = 0; step < length; step++) yield start + ((first + step) % length)
    }
  }

  /** False when somebody has it. */
  private async take({ service, dryRun, taken }: Request, holding: Holding): Promise<boolean> {
    if (this.storage.get(holding.resource, holding.name) !== undefined) return false
    if (dryRun) return true
    const written = await this.storage.put(holding.resource, holding.name, makeHolding(holding, service, this.made), 0)
    if (written.ok) taken.push({ holding, object: written.object })
    return written.ok
  }

  private async undo(taken: readonly Taken[]): Promise<void> {
    await Promise.all(taken.map(({ holding, object }) => this.storage.delete(holding.resource, object)))
  }

  private async giveBack(service: Service, holdings: readonly Holding[]): Promise<void> {
    await Promise.all(
      holdings.map(async ({ resource, name }) => {
        const found = this.storage.get(resource, name)
        if (found !== undefined && isHeldBy(found.object as Allocated, service))
          await this.storage.delete(resource, found)
      }),
    )
  }
}

/** How many of the first places are left for those that ask for one. Source: KEP-3070. */
function reserved(count: number, step: number, maximum: number): number {
  const minimum = 16
  return count <= minimum ? 0 : Math.min(Math.max(Math.floor(count / step), minimum), maximum)
}
