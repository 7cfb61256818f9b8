// What the gateway sees of the cluster and of its machine when it makes its model.
import type { EndpointSlice, Ingress, IngressClass, Service } from '../../api/generated/models.ts'
import type {
  GRPCRoute,
  Gateway,
  GatewayClass,
  HTTPRoute,
  ListenerSet,
  ReferenceGrant,
  TCPRoute,
  TLSRoute,
} from '../../api/gateway-api/types.ts'
import type { FoundCertificate } from './certificate-of.ts'

export interface Observed {
  readonly ingressClasses: readonly IngressClass[]
  readonly ingresses: readonly Ingress[]
  readonly gatewayClasses: readonly GatewayClass[]
  readonly gateways: readonly Gateway[]
  readonly listenerSets: readonly ListenerSet[]
  readonly httpRoutes: readonly HTTPRoute[]
  readonly grpcRoutes: readonly GRPCRoute[]
  readonly tlsRoutes: readonly TLSRoute[]
  readonly tcpRoutes: readonly TCPRoute[]
  readonly referenceGrants: readonly ReferenceGrant[]
  /** Services of that type, and those that still have an address by it. */
  readonly loadBalancers: readonly Service[]
  readonly service: (namespace: string, name: string) => Service | undefined
  readonly slices: (namespace: string, service: string) => readonly EndpointSlice[]
  /** Labels of a namespace. */
  readonly labels: (namespace: string) => Readonly<Record<string, string>>
  /** Of a Secret. */
  readonly certificate: (namespace: string, name: string) => FoundCertificate
  readonly machine: ObservedMachine
}

export interface ObservedMachine {
  /** That it has, beyond 127.0.0.0/8. */
  readonly addresses: ReadonlySet<string>
  /** `127.0.0.1:80`, that other programs listen at. */
  readonly taken: ReadonlySet<string>
}
