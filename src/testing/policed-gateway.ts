// A gateway in front of a service of this process, with routes and policies as a cluster has them: each case a path of its own.
import type { EndpointSlice, Service } from '../api/generated/models.ts'
import { policyGroup, policyVersion } from '../api/gateway-names.ts'
import type { AccessPolicy, BalancingPolicy, Consumer, TrafficPolicy } from '../api/gateway-api/policies.ts'
import type { HTTPRouteRule } from '../api/gateway-api/types.ts'
import { gatewayModel, type MadeModel } from '../gateway/model/gateway-model.ts'
import type { Observed } from '../gateway/model/observed.ts'
import { gateway, httpRoute, listener, observedWith, parent, toService } from './gateway-objects.ts'

export const namespace = 'shop'
export const front = '127.0.0.1'

export interface PolicedCluster {
  readonly accessPolicies?: readonly AccessPolicy[]
  readonly trafficPolicies?: readonly TrafficPolicy[]
  readonly balancingPolicies?: readonly BalancingPolicy[]
  readonly consumers?: readonly Consumer[]
  /** What Secrets hold, by their names. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Rules of the one route, each by its name, which is its path, too. */
  readonly rules: Readonly<Record<string, Partial<HTTPRouteRule>>>
  readonly more?: Partial<Observed>
}

/** @param port at which the gateway is asked @param served at which the service `web` of each name answers */
export function policedModel(port: number, served: number, cluster: PolicedCluster): MadeModel {
  const {
    secrets = {},
    rules,
    accessPolicies = [],
    trafficPolicies = [],
    balancingPolicies = [],
    consumers = [],
    more,
  } = cluster
  const service = { metadata: { namespace, name: 'web' }, spec: { ports: [{ name: 'http', port: 80 }] } }
  const slice = {
    metadata: { namespace, name: 'web-1' },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: served, protocol: 'TCP' }],
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true, serving: true } }],
  }
  const observed = observedWith({
    gateways: [gateway({ name: 'entry' }, [listener()], { addresses: [{ type: 'IPAddress', value: front }] })],
    httpRoutes: [
      httpRoute(
        { name: 'cases', parents: [parent('entry')] },
        Object.entries(rules).map(([name, rule]) => ({
          name,
          matches: [{ path: { type: 'PathPrefix', value: `/${name}` } }],
          backendRefs: [toService('web')],
          ...rule,
        })),
      ),
    ],
    service: (inNamespace, name) =>
      inNamespace === namespace && name === 'web' ? (service as unknown as Service) : undefined,
    slices: () => [slice as unknown as EndpointSlice],
    accessPolicies,
    trafficPolicies,
    balancingPolicies,
    consumers,
    secret: (inNamespace, name) => (inNamespace === namespace ? secrets[name] : undefined),
    ...more,
  })
  return gatewayModel(observed, { address: front, port, ownAddresses: [] })
}

const policyObject = <T>(kind: string, name: string, spec: object, created: string): T =>
  ({
    apiVersion: `${policyGroup}/${policyVersion}`,
    kind,
    metadata: { namespace, name, creationTimestamp: created, generation: 1 },
    spec,
  }) as T

const route = (rule: string): object => ({
  group: 'gateway.networking.k8s.io',
  kind: 'HTTPRoute',
  name: 'cases',
  sectionName: rule,
})

/** For one rule of the route, or for what is named. */
export const accessPolicy = (
  name: string,
  target: string | object,
  spec: Omit<AccessPolicy['spec'], 'targetRefs'>,
): AccessPolicy =>
  policyObject('AccessPolicy', name, { targetRefs: [targetOf(target)], ...spec }, '2026-01-01T00:00:00Z')

export const trafficPolicy = (
  name: string,
  target: string | object,
  spec: Omit<TrafficPolicy['spec'], 'targetRefs'>,
): TrafficPolicy =>
  policyObject('TrafficPolicy', name, { targetRefs: [targetOf(target)], ...spec }, '2026-01-01T00:00:00Z')

/** For services, by their names. */
export const balancingPolicy = (
  name: string,
  services: readonly string[],
  spec: Partial<Omit<BalancingPolicy['spec'], 'targetRefs'>>,
  created = '2026-01-01T00:00:00Z',
): BalancingPolicy =>
  policyObject(
    'BalancingPolicy',
    name,
    {
      targetRefs: services.map(service => ({ group: '', kind: 'Service', name: service })),
      algorithm: 'RoundRobin',
      ...spec,
    },
    created,
  )

export const consumer = (
  name: string,
  credentials: Consumer['spec']['credentials'],
  groups: readonly string[] = [],
  created = '2026-01-01T00:00:00Z',
): Consumer => policyObject('Consumer', name, { credentials, groups }, created)

const targetOf = (target: string | object): object => (typeof target === 'string' ? route(target) : target)
