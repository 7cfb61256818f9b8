// A cluster without anything, for tests to put into what they need.
import type { Observed } from '../gateway/model/observed.ts'

export const nothing: Observed = {
  ingressClasses: [],
  ingresses: [],
  gatewayClasses: [],
  gateways: [],
  listenerSets: [],
  httpRoutes: [],
  grpcRoutes: [],
  tlsRoutes: [],
  tcpRoutes: [],
  referenceGrants: [],
  backendTlsPolicies: [],
  accessPolicies: [],
  trafficPolicies: [],
  balancingPolicies: [],
  consumers: [],
  configuration: () => undefined,
  secret: () => undefined,
  loadBalancers: [],
  service: () => undefined,
  slices: () => [],
  labels: () => ({}),
  certificate: () => ({ problem: 'there is no Secret' }),
  refused: new Map(),
  machine: { addresses: new Set(), taken: new Set() },
}
