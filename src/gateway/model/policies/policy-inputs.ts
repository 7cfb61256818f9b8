// What there has to be known to make sense of policies.
import type { FetchedKeys, KeySource } from '../../providers/key-source.ts'
import type { SigningKey } from '../policing.ts'
import type { AuthorityLookup } from '../authority-of.ts'
import type { MissingTarget } from './targets.ts'
import type { AccessPolicy, BalancingPolicy, Consumer, TrafficPolicy } from '../../../api/gateway-api/policies.ts'

export interface PolicyInputs {
  readonly accessPolicies: readonly AccessPolicy[]
  readonly trafficPolicies: readonly TrafficPolicy[]
  readonly balancingPolicies: readonly BalancingPolicy[]
  readonly consumers: readonly Consumer[]
  /** What a Secret holds, decoded; undefined: there is none. */
  readonly secret: (namespace: string, name: string) => Readonly<Record<string, string>> | undefined
  /** What a ConfigMap holds. */
  readonly configuration: (namespace: string, name: string) => Readonly<Record<string, string>> | undefined
  /** Certificates of authorities that a ConfigMap holds. */
  readonly authority: AuthorityLookup
  /** What there is by now of the keys that providers publish. */
  readonly fetchedKeys: (source: KeySource) => FetchedKeys
  /** By which sessions of those who logged in are verified; undefined: it is not known here. */
  readonly sessionKey: SigningKey | undefined
  readonly missingTarget: MissingTarget
  /** Why what an object asks for cannot be served, found out by trying: by its owner's text. */
  readonly refused: ReadonlyMap<string, string>
}
