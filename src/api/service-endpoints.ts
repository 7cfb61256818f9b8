// Where a port of a service leads: the endpoints of its slices, those that take new connections and those that only go on
// with what they have. One way for the kernel's rules and for the gateway. Pure.
import type { Endpoint, EndpointSlice, ServicePort } from './generated/models.ts'

export interface EndpointAddress {
  readonly address: string
  readonly port: number
}

export interface PortEndpoints {
  /** Those that are ready; when there are none, those that still serve while they terminate, as Kubernetes does. */
  readonly backends: readonly EndpointAddress[]
  /** Who may go on with what was begun: those, and others that still serve but get nothing new. */
  readonly serving: readonly EndpointAddress[]
}

/** @param nodeName whose own endpoints go first where a slice says so */
export function portEndpoints(
  port: Pick<ServicePort, 'name' | 'protocol'>,
  slices: readonly EndpointSlice[],
  nodeName?: string,
): PortEndpoints {
  const ready = collect(port, slices, ({ conditions }) => conditions?.ready !== false)
  const found =
    ready.length > 0
      ? ready
      : collect(port, slices, ({ conditions }) => conditions?.serving === true && conditions.terminating === true)
  const near = found.filter(({ forNodes }) => nodeName !== undefined && forNodes.includes(nodeName))
  const serving = collect(port, slices, ({ conditions }) => conditions?.ready !== false || conditions.serving === true)
  return { backends: sorted(near.length > 0 ? near : found), serving: sorted(serving) }
}

const sorted = (candidates: readonly Candidate[]): EndpointAddress[] =>
  candidates
    .map(({ endpoint }) => endpoint)
    .sort((left, right) =>
      left.address < right.address ? -1 : left.address > right.address ? 1 : left.port - right.port,
    )

interface Candidate {
  readonly endpoint: EndpointAddress
  /** Names of the nodes that it is meant for. */
  readonly forNodes: readonly string[]
}

function collect(
  port: Pick<ServicePort, 'name' | 'protocol'>,
  slices: readonly EndpointSlice[],
  accepts: (endpoint: Endpoint) => boolean,
): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue
    const target = slice.ports?.find(
      candidate =>
        (candidate.name ?? '') === (port.name ?? '') && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    )
    if (target?.port === undefined) continue
    for (const endpoint of slice.endpoints ?? []) {
      const address = endpoint.addresses[0]
      if (address !== undefined && accepts(endpoint))
        found.set(`${address}:${target.port}`, {
          endpoint: { address, port: target.port },
          forNodes: (endpoint.hints?.forNodes ?? []).map(({ name }) => name),
        })
    }
  }
  return [...found.values()]
}
