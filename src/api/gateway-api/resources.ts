// The resources of the Gateway API and of this gateway's policies, typed, in the version in which the gateway reads and
// writes them.
import type { KubeObject } from '../object.ts'
import { resource, type Resource, type Scope } from '../resource.ts'
import { gatewayGroup, policyGroup, policyVersion } from '../gateway-names.ts'
import type { CertificateIssuer } from './certificate-issuers.ts'
import type { AccessPolicy, BalancingPolicy, Consumer, TrafficPolicy } from './policies.ts'
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
} from './types.ts'

const gatewayResource = <T extends KubeObject>(plural: string, kind: string, scope?: Scope): Resource<T> =>
  resource<T>(gatewayGroup, 'v1', plural, kind, scope)

export const gatewayClasses = gatewayResource<GatewayClass>('gatewayclasses', 'GatewayClass', 'Cluster')
export const gateways = gatewayResource<Gateway>('gateways', 'Gateway')
export const listenerSets = gatewayResource<ListenerSet>('listenersets', 'ListenerSet')
export const httpRoutes = gatewayResource<HTTPRoute>('httproutes', 'HTTPRoute')
export const grpcRoutes = gatewayResource<GRPCRoute>('grpcroutes', 'GRPCRoute')
export const tlsRoutes = gatewayResource<TLSRoute>('tlsroutes', 'TLSRoute')
export const tcpRoutes = gatewayResource<TCPRoute>('tcproutes', 'TCPRoute')
export const udpRoutes = gatewayResource<UDPRoute>('udproutes', 'UDPRoute')
export const referenceGrants = gatewayResource<ReferenceGrant>('referencegrants', 'ReferenceGrant')
export const backendTlsPolicies = gatewayResource<BackendTLSPolicy>('backendtlspolicies', 'BackendTLSPolicy')

const policyResource = <T extends KubeObject>(plural: string, kind: string, scope?: Scope): Resource<T> =>
  resource<T>(policyGroup, policyVersion, plural, kind, scope)

export const accessPolicies = policyResource<AccessPolicy>('accesspolicies', 'AccessPolicy')
export const balancingPolicies = policyResource<BalancingPolicy>('balancingpolicies', 'BalancingPolicy')
export const trafficPolicies = policyResource<TrafficPolicy>('trafficpolicies', 'TrafficPolicy')
export const consumers = policyResource<Consumer>('consumers', 'Consumer')
export const certificateIssuers = policyResource<CertificateIssuer>(
  'certificateissuers',
  'CertificateIssuer',
  'Cluster',
)
