// What traffic to services should do, computed from Services and EndpointSlices: pure data, compared
// with what was there before and turned into an nftables script by `nftables-script.ts`.
import type { Endpoint, EndpointSlice, Pod, Service, ServicePort } from '../api/generated/models.ts'

export type Protocol = 'tcp' | 'udp' | 'sctp'

export interface Backend {
  readonly address: string
  readonly port: number
}

/** Where one port of one service leads. */
export interface PortRule {
  /** Name of the nftables chain, unique in the table: `service/default/web/tcp/80`. */
  readonly chain: string
  readonly protocol: Protocol
  /** Service addresses: the cluster IP, external and load balancer addresses. */
  readonly addresses: readonly string[]
  readonly port: number
  /** Port of the machine itself: a node port, or the host port of a pod. */
  readonly nodePort: number | undefined
  readonly backends: readonly Backend[]
  /** Who may go on with what was begun: those, and others that still serve but get nothing new. */
  readonly serving: readonly Backend[]
  /** Requests of one client go to one backend. */
  readonly sticky: boolean
}

/** @param nodeName of this machine, whose own endpoints go first where a slice says so */
export function portRules(service: Service, slices: readonly EndpointSlice[], nodeName?: string): PortRule[] {
  const { spec, status, metadata } = service
  if (spec.type === 'ExternalName' || !spec.clusterIP || spec.clusterIP === 'None') return []
  const balancers = status.loadBalancer?.ingress?.flatMap(({ ip }) => (ip ? [ip] : [])) ?? []
  const addresses = [...new Set([spec.clusterIP, ...(spec.externalIPs ?? []), ...balancers])]
  return (spec.ports ?? []).map(port => {
    const protocol = (port.protocol ?? 'TCP').toLowerCase() as Protocol
    return {
      chain: `service/${metadata.namespace}/${metadata.name}/${protocol}/${port.port}`,
      protocol,
      addresses,
      port: port.port,
      nodePort: port.nodePort || undefined,
      ...backendsOf(port, slices, nodeName),
      sticky: spec.sessionAffinity === 'ClientIP',
    }
  })
}

/** Ports of the machine that a pod asked for itself; served where node ports are, unless it names an address. */
export function hostPortRules({ metadata, spec, status }: Pod): PortRule[] {
  const address = status?.podIP
  if (!address || spec.hostNetwork === true || status.phase === 'Succeeded' || status.phase === 'Failed') return []
  return spec.containers
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ hostPort, hostIP, containerPort, protocol: name }) => {
      if (!hostPort) return []
      const protocol = (name ?? 'TCP').toLowerCase() as Protocol
      const backends = [{ address, port: containerPort }]
      const named = hostIP && hostIP !== '0.0.0.0' ? [hostIP] : []
      return [
        {
          // By uid, because names of pods may be longer than those of chains.
          chain: `host-port/${metadata.uid}/${protocol}/${hostPort}`,
          protocol,
          port: hostPort,
          nodePort: named.length === 0 ? hostPort : undefined,
          sticky: false,
          addresses: named,
          backends,
          serving: backends,
        },
      ]
    })
}

export const wantsHostPorts = ({ spec }: Pod): boolean =>
  spec.containers.some(({ ports = [] }) => ports.some(({ hostPort }) => Boolean(hostPort)))

/** Ready endpoints; when there are none, those that still serve while they terminate, as Kubernetes does. */
function backendsOf(
  port: ServicePort,
  slices: readonly EndpointSlice[],
  nodeName: string | undefined,
): Pick<PortRule, 'backends' | 'serving'> {
  const ready = collect(port, slices, ({ conditions }) => conditions?.ready !== false)
  const found =
    ready.length > 0
      ? ready
      : collect(port, slices, ({ conditions }) => conditions?.serving === true && conditions.terminating === true)
  const near = found.filter(({ forNodes }) => nodeName !== undefined && forNodes.includes(nodeName))
  const serving = collect(port, slices, ({ conditions }) => conditions?.ready !== false || conditions.serving === true)
  return { backends: sorted(near.length > 0 ? near : found), serving: sorted(serving) }
}

const sorted = (candidates: readonly Candidate[]): Backend[] =>
  candidates
    .map(({ backend }) => backend)
    .sort((left, right) =>
      left.address < right.address ? -1 : left.address > right.address ? 1 : left.port - right.port,
    )

interface Candidate {
  readonly backend: Backend
  /** Names of the nodes that it is meant for. */
  readonly forNodes: readonly string[]
}

function collect(
  port: ServicePort,
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
          backend: { address, port: target.port },
          forNodes: (endpoint.hints?.forNodes ?? []).map(({ name }) => name),
        })
    }
  }
  return [...found.values()]
}
