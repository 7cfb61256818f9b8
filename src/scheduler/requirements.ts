// What a pod asks of a node, computed once per pod: plain numbers and lists that filters read fast.
import type { Container, Pod, PodSpec, ResourceRequirements } from '../api/generated/models.ts'
import { milliValue, wholeValue } from '../api/quantity.ts'

/** By resource name: thousandths for cpu, whole units for everything else. */
export type Amounts = ReadonlyMap<string, number>

export interface HostPort {
  readonly port: number
  readonly protocol: string
  /** `0.0.0.0` for all addresses. */
  readonly address: string
}

export interface Requirements {
  readonly pod: Pod
  readonly requests: Amounts
  readonly hostPorts: readonly HostPort[]
  /** For scores: pods without requests count as small ones. */
  readonly scoredMilliCpu: number
  readonly scoredMemoryBytes: number
}

const assumedMilliCpu = 100
const assumedMemoryBytes = 200 * 1024 * 1024

export function requirementsOf(pod: Pod): Requirements {
  const requests = podRequests(pod.spec)
  return {
    pod, requests, hostPorts: hostPortsOf(pod.spec),
    scoredMilliCpu: requests.get('cpu') || assumedMilliCpu * pod.spec.containers.length,
    scoredMemoryBytes: requests.get('memory') || assumedMemoryBytes * pod.spec.containers.length,
  }
}

const amountOf = (name: string, quantity: string): number => (name === 'cpu' ? milliValue(quantity) : wholeValue(quantity))

export function amountsOf(list: Readonly<Record<string, string>> | undefined): Map<string, number> {
  return new Map(Object.entries(list ?? {}).map(([name, quantity]) => [name, amountOf(name, quantity)]))
}

function add(target: Map<string, number>, amounts: Amounts): void {
  for (const [name, amount] of amounts) target.set(name, (target.get(name) ?? 0) + amount)
}

function raise(target: Map<string, number>, amounts: Amounts): void {
  for (const [name, amount] of amounts) if (amount > (target.get(name) ?? 0)) target.set(name, amount)
}

const requestsOf = ({ resources }: { resources?: ResourceRequirements }): Map<string, number> => amountsOf(resources?.requests)

/** Containers and sidecars run together; each init container runs beside the sidecars before it. */
function podRequests(spec: PodSpec): Amounts {
  const total = new Map<string, number>()
  for (const container of spec.containers) add(total, requestsOf(container))
  const sidecars = new Map<string, number>()
  const peak = new Map<string, number>()
  for (const container of spec.initContainers ?? []) raise(peak, initPhase(container, sidecars))
  add(total, sidecars)
  raise(total, peak)
  for (const [name, amount] of requestsOf(spec)) total.set(name, amount)
  add(total, amountsOf(spec.overhead))
  return total
}

/** What is in use while this init container starts; sidecars stay. */
function initPhase(container: Container, sidecars: Map<string, number>): Amounts {
  const own = requestsOf(container)
  if (container.restartPolicy === 'Always') {
    add(sidecars, own)
    return new Map(sidecars)
  }
  add(own, sidecars)
  return own
}

function hostPortsOf(spec: PodSpec): HostPort[] {
  return [...spec.containers, ...(spec.initContainers ?? []).filter(container => container.restartPolicy === 'Always')]
    .flatMap(container => container.ports ?? [])
    .filter(port => port.hostPort !== undefined && port.hostPort > 0)
    .map(port => ({ port: port.hostPort!, protocol: port.protocol ?? 'TCP', address: port.hostIP || '0.0.0.0' }))
}
