// What there has to be known to make sense of policies.
import type {
  AccessPolicy,
  BalancingPolicy,
  Consumer,
  PolicyTarget,
  TrafficPolicy,
} from '../../../api/gateway-api/policies.ts'

export interface PolicyInputs {
  readonly accessPolicies: readonly AccessPolicy[]
  readonly trafficPolicies: readonly TrafficPolicy[]
  readonly balancingPolicies: readonly BalancingPolicy[]
  readonly consumers: readonly Consumer[]
  /** What a Secret holds, decoded; undefined: there is none. */
  readonly secret: (namespace: string, name: string) => Readonly<Record<string, string>> | undefined
  /** What a ConfigMap holds. */
  readonly configuration: (namespace: string, name: string) => Readonly<Record<string, string>> | undefined
  readonly isThere: (target: PolicyTarget, namespace: string) => boolean
  /** Why what an object asks for cannot be served, found out by trying: by its owner's text. */
  readonly refused: ReadonlyMap<string, string>
}
