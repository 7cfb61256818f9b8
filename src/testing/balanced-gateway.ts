// A gateway in front of services whose instances come and go, each service at a path of its own.
import type { EndpointSlice, Service } from '../api/generated/models.ts'
import type { BalancingPolicy } from '../api/gateway-api/policies.ts'
import type { MadeModel } from '../gateway/model/gateway-model.ts'
import { toService } from './gateway-objects.ts'
import { balancingPolicy, namespace, policedModel } from './policed-gateway.ts'

export interface BalancedService {
  /** Ports of 127.0.0.1. */
  readonly instances: readonly number[]
  /** That are about to end. */
  readonly ending?: readonly number[]
  /** undefined: it has no policy. */
  readonly policy?: Partial<Omit<BalancingPolicy['spec'], 'targetRefs'>>
  readonly appProtocol?: string
}

export type BalancedServices = Readonly<Record<string, BalancedService>>

/** @param port at which the gateway is asked */
export const balancedModel = (port: number, services: BalancedServices): MadeModel =>
  policedModel(port, 0, {
    rules: Object.fromEntries(Object.keys(services).map(name => [name, { backendRefs: [toService(name)] }])),
    balancingPolicies: Object.entries(services).flatMap(([name, { policy }]) =>
      policy === undefined ? [] : [balancingPolicy(name, [name], policy)],
    ),
    more: {
      service: (inNamespace, name) =>
        inNamespace === namespace && services[name] !== undefined ? serviceOf(name, services[name]) : undefined,
      slices: (_, name) => slicesOf(services[name]!),
    },
  })

const serviceOf = (name: string, { appProtocol }: BalancedService): Service =>
  ({ metadata: { namespace, name }, spec: { ports: [{ name: 'http', port: 80, appProtocol }] } }) as unknown as Service

/** Instances of one address have ports of their own. */
const slicesOf = ({ instances, ending = [] }: BalancedService): readonly EndpointSlice[] =>
  [...instances, ...ending].map(
    port =>
      ({
        metadata: { namespace, name: `at-${port}` },
        addressType: 'IPv4',
        ports: [{ name: 'http', port, protocol: 'TCP' }],
        endpoints: [
          {
            addresses: ['127.0.0.1'],
            conditions: ending.includes(port)
              ? { ready: false, serving: true, terminating: true }
              : { ready: true, serving: true },
          },
        ],
      }) as unknown as EndpointSlice,
  )
