// The Gateway API's standard channel.
import { backendTlsPolicy } from './backend-tls-policy.ts'
import { tcpRoute, tlsRoute, udpRoute } from './connection-routes.ts'
import type { GatewayDefinition } from './definition.ts'
import { gatewayClass } from './gateway-class.ts'
import { gateway } from './gateway.ts'
import { grpcRoute } from './grpc-route.ts'
import { httpRoute } from './http-route.ts'
import { listenerSet } from './listener-set.ts'
import { referenceGrant } from './reference-grant.ts'

export const gatewayDefinitions: readonly GatewayDefinition[] = [
  backendTlsPolicy,
  gatewayClass,
  gateway,
  grpcRoute,
  httpRoute,
  listenerSet,
  referenceGrant,
  tcpRoute,
  tlsRoute,
  udpRoute,
]
