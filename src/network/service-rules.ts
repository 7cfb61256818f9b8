// What traffic to services should do, computed from Services and EndpointSlices: pure data, compared
// with what was there before and turned into an nftables script by `nftables-script.ts`.
import type { EndpointSlice, Pod, Service } from '../api/generated/models.ts'
import { portEndpoints, type EndpointAddress } from '../api/service-endpoints.ts'

export type Protocol = 'tcp' | 'udp' | 'sctp'

export type Backend = EndpointAddress

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
  /** How many of a thousand places each backend has, of which each connection gets one; undefined: all have the same. */
  readonly places?: readonly number[]
  /** Who may send; undefined: everybody. */
  readonly sources?: PortSources
}

/** Ranges. */
export interface PortSources {
  /** Of each of these lists, a sender has to be in one. */
  readonly allow: readonly (readonly string[])[]
  readonly deny: readonly string[]
}

/** Some of what is sent there may be for nobody. */
export const isOpenInPart = ({ places, sources }: PortRule): boolean => places !== undefined || sources !== undefined

/** @param nodeName of this machine, whose own endpoints go first where a slice says so */
export function portRules(service: Service, slices: readonly EndpointSlice[], nodeName?: string): PortRule[] {
  const { spec, status, metadata } = service
  if (spec.type === 'ExternalName' || !spec.clusterIP || spec.clusterIP === 'None') return []
  // What somebody in between serves is led there by him.
  const balancers =
    status.loadBalancer?.ingress?.flatMap(({ ip, ipMode }) => (ip && ipMode !== 'Proxy' ? [ip] : [])) ?? []
  const addresses = [...new Set([spec.clusterIP, ...(spec.externalIPs ?? []), ...balancers])]
  return (spec.ports ?? []).map(port => {
    const protocol = (port.protocol ?? 'TCP').toLowerCase() as Protocol
    return {
      chain: `service/${metadata.namespace}/${metadata.name}/${protocol}/${port.port}`,
      protocol,
      addresses,
      port: port.port,
      nodePort: port.nodePort || undefined,
      ...portEndpoints(port, slices, nodeName),
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
