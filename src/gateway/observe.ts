// What the gateway looks at, out of whatever has the objects: informers that follow them, or lists asked for once.
import type { EndpointSlice, Service } from '../api/generated/models.ts'
import type { KubeObject } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { endpointSlices, ingressClasses, ingresses, namespaces, services } from '../api/resources.ts'
import { authorityIn } from './model/authority-of.ts'
import type { Observed, ObservedMachine } from './model/observed.ts'
import {
  accessPolicies,
  backendTlsPolicies,
  balancingPolicies,
  certificateIssuers,
  consumers,
  gatewayClasses,
  gateways,
  grpcRoutes,
  httpRoutes,
  listenerSets,
  referenceGrants,
  tcpRoutes,
  tlsRoutes,
  trafficPolicies,
  udpRoutes,
} from '../api/gateway-api/resources.ts'

/** That every cluster has. */
export const usualResources: readonly Resource[] = [
  ingressClasses,
  ingresses,
  services,
  endpointSlices,
  namespaces,
] as readonly Resource[]

/** That a cluster has once their definitions are there. */
export const routeResources: readonly Resource[] = [
  gatewayClasses,
  gateways,
  listenerSets,
  httpRoutes,
  grpcRoutes,
  tlsRoutes,
  tcpRoutes,
  udpRoutes,
  referenceGrants,
  backendTlsPolicies,
  accessPolicies,
  trafficPolicies,
  balancingPolicies,
  consumers,
  certificateIssuers,
] as readonly Resource[]

export const resourceOfKind: ReadonlyMap<string, Resource> = new Map(
  [ingresses as Resource, services as Resource, ...routeResources].map(resource => [resource.kind, resource]),
)

export interface ObjectSource {
  /** Nothing where the cluster has no such kind. */
  readonly all: <T extends KubeObject>(resource: Resource<T>) => readonly T[]
  readonly service: (namespace: string, name: string) => Service | undefined
  readonly slices: (namespace: string, service: string) => readonly EndpointSlice[]
  readonly certificate: Observed['certificate']
  readonly configuration: Observed['configuration']
  /** Read from ConfigMaps where it is not given. */
  readonly authority?: Observed['authority']
  readonly secret: Observed['secret']
  /** Nothing is fetched where it is not given. */
  readonly fetchedKeys?: Observed['fetchedKeys']
  readonly sessionKey?: Observed['sessionKey']
  readonly refused?: Observed['refused']
}

export function observed(
  {
    all,
    service,
    slices,
    certificate,
    configuration,
    authority = (namespace, name) => authorityIn({ namespace, name }, configuration(namespace, name)),
    secret,
    fetchedKeys = () => ({}),
    sessionKey,
    refused = new Map(),
  }: ObjectSource,
  machine: ObservedMachine,
): Observed {
  return {
    ingressClasses: all(ingressClasses),
    ingresses: all(ingresses),
    gatewayClasses: all(gatewayClasses),
    gateways: all(gateways),
    listenerSets: all(listenerSets),
    httpRoutes: all(httpRoutes),
    grpcRoutes: all(grpcRoutes),
    tlsRoutes: all(tlsRoutes),
    tcpRoutes: all(tcpRoutes),
    udpRoutes: all(udpRoutes),
    referenceGrants: all(referenceGrants),
    backendTlsPolicies: all(backendTlsPolicies),
    accessPolicies: all(accessPolicies),
    trafficPolicies: all(trafficPolicies),
    balancingPolicies: all(balancingPolicies),
    consumers: all(consumers),
    certificateIssuers: all(certificateIssuers),
    configuration,
    authority,
    secret,
    fetchedKeys,
    sessionKey,
    loadBalancers: all(services).filter(
      ({ spec, status }) => spec.type === 'LoadBalancer' || (status?.loadBalancer?.ingress ?? []).length > 0,
    ),
    service,
    slices,
    labels: labelsIn(all),
    certificate,
    machine,
    refused,
  }
}

/** Read when somebody asks. */
function labelsIn(all: ObjectSource['all']): Observed['labels'] {
  let byName: Map<string, Readonly<Record<string, string>>> | undefined
  return name => {
    byName ??= new Map(all(namespaces).map(({ metadata }) => [metadata.name, metadata.labels ?? {}]))
    return byName.get(name) ?? {}
  }
}
