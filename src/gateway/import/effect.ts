// What a plugin of Kong becomes: parts of policies, or filters of routes. Pure.
import type { AccessPolicy, TrafficPolicy } from '../../api/gateway-api/policies.ts'
import type { HTTPRouteFilter, PathModifier } from '../../api/gateway-api/types.ts'

export interface Effect {
  /** Where it stands, for the report, and which of several it is. */
  readonly at: string
  readonly plugin: string
  /** Of the policy. */
  readonly name: string
  readonly authentication?: NonNullable<AccessPolicy['spec']['authentication']>
  readonly addresses?: NonNullable<AccessPolicy['spec']['addresses']>
  /** Of the claim that has to have one of the groups of an acl. */
  readonly groupsClaim?: string
  /** Consumers that it lets in, where there is no acl. */
  readonly consumers?: readonly string[]
  /** Whom of those that showed who they are it lets in, or keeps out. */
  readonly groups?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] }
  readonly traffic?: Omit<TrafficPolicy['spec'], 'targetRefs'>
  readonly filters?: readonly HTTPRouteFilter[]
  readonly path?: PathModifier
  /** A filter answers, so that no service is asked. */
  readonly isAnswered?: boolean
  /** That a policy refers to, such as Secrets. */
  readonly objects?: readonly object[]
  /** It kept somebody out in a way that there is not here: nobody is let in. */
  readonly isClosed?: boolean
}
