// The kinds of the Gateway API's standard channel and those of the policies, as they are installed.
import { backendTlsPolicy } from './backend-tls-policy.ts'
import { certificateIssuer } from './certificate-issuer.ts'
import type { GatewayDefinition } from './definition.ts'
import { gatewayClass } from './gateway-class.ts'
import { gateway } from './gateway.ts'
import { grpcRoute } from './grpc-route.ts'
import { httpRoute } from './http-route.ts'
import { listenerSet } from './listener-set.ts'
import { accessPolicy } from './policies/access-policy.ts'
import { balancingPolicy } from './policies/balancing-policy.ts'
import { consumer } from './policies/consumer.ts'
import { trafficPolicy } from './policies/traffic-policy.ts'
import { referenceGrant } from './reference-grant.ts'
import { tcpRoute } from './tcp-route.ts'
import { tlsRoute } from './tls-route.ts'
import { udpRoute } from './udp-route.ts'

export const gatewayDefinitions: readonly GatewayDefinition[] = [
  accessPolicy,
  backendTlsPolicy,
  balancingPolicy,
  certificateIssuer,
  consumer,
  gatewayClass,
  gateway,
  grpcRoute,
  httpRoute,
  listenerSet,
  referenceGrant,
  tcpRoute,
  tlsRoute,
  trafficPolicy,
  udpRoute,
]
