// What the gateway sees of the cluster and of its machine when it makes its model.
import type { CertificateIssuer } from '../../api/gateway-api/certificate-issuers.ts'
import type { AccessPolicy, BalancingPolicy, Consumer, TrafficPolicy } from '../../api/gateway-api/policies.ts'
import type { EndpointSlice, Ingress, IngressClass, Service } from '../../api/generated/models.ts'
import type {
  BackendTLSPolicy,
  GRPCRoute,
  Gateway,
  GatewayClass,
  HTTPRoute,
  ListenerSet,
  ReferenceGrant,
  TCPRoute,
  TLSRoute,
  UDPRoute,
} from '../../api/gateway-api/types.ts'
import type { FetchedKeys, KeySource } from '../providers/key-source.ts'
import type { SigningKey } from './policing.ts'
import type { PolicyLookup } from './policies/policy-place.ts'
import type { AuthorityLookup } from './authority-of.ts'
import type { FoundCertificate } from './certificate-of.ts'
import type { IssuerLookup } from './issuer-lookup.ts'

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
  readonly udpRoutes: readonly UDPRoute[]
  readonly referenceGrants: readonly ReferenceGrant[]
  readonly backendTlsPolicies: readonly BackendTLSPolicy[]
  readonly accessPolicies: readonly AccessPolicy[]
  readonly trafficPolicies: readonly TrafficPolicy[]
  readonly balancingPolicies: readonly BalancingPolicy[]
  readonly consumers: readonly Consumer[]
  readonly certificateIssuers: readonly CertificateIssuer[]
  /** Services of that type, and those that still have an address by it. */
  readonly loadBalancers: readonly Service[]
  readonly service: (namespace: string, name: string) => Service | undefined
  readonly slices: (namespace: string, service: string) => readonly EndpointSlice[]
  /** Labels of a namespace. */
  readonly labels: (namespace: string) => Readonly<Record<string, string>>
  /** What a ConfigMap holds. */
  readonly configuration: (namespace: string, name: string) => Readonly<Record<string, string>> | undefined
  /** Certificates of authorities that a ConfigMap holds. */
  readonly authority: AuthorityLookup
  /** What a Secret holds, decoded; undefined: there is none. */
  readonly secret: (namespace: string, name: string) => Readonly<Record<string, string>> | undefined
  /** What there is by now of the keys that providers publish. */
  readonly fetchedKeys: (source: KeySource) => FetchedKeys
  /** By which sessions of those who logged in are verified; undefined: it is not known here. */
  readonly sessionKey: SigningKey | undefined
  /** Of a Secret. */
  readonly certificate: (namespace: string, name: string) => FoundCertificate
  readonly machine: ObservedMachine
  /** Why what an object asks for cannot be served, found out by trying: by its owner's text (`Ingress shop/web`). */
  readonly refused: ReadonlyMap<string, string>
}

/** Together with who gets certificates. */
export interface Issuing extends Observed {
  readonly issuerOf: IssuerLookup
}

/** Together with what policies make of it. */
export interface Policed extends Issuing {
  readonly policies: PolicyLookup
}

export interface ObservedMachine {
  /** That it has, beyond 127.0.0.0/8. */
  readonly addresses: ReadonlySet<string>
  /** `127.0.0.1:80`, that other programs listen at. */
  readonly taken: ReadonlySet<string>
}
