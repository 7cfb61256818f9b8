// What Sampan's gateway makes of a policy for one of its targets, as its status says it of what is written now. Pure.
import type { PolicyTarget } from '../../../api/gateway-api/policies.ts'
import { gatewayController } from '../../../api/gateway-names.ts'
import type { PolicyObject } from './policy-objects.ts'

export type PolicyStanding =
  | { readonly state: 'enforced' }
  /** It is known, and waits for its target. */
  | { readonly state: 'known' }
  | { readonly state: 'refused'; readonly reason: string }
  /** Nobody has said anything yet. */
  | { readonly state: 'open' }

/** It waits for its target, for the keys of an issuer, or for who lets people log in; or it goes on with the keys of before. */
const passing: ReadonlySet<string> = new Set(['TargetNotFound', 'Pending', 'ProviderNotReached', 'KeysOutdated'])

export function policyStanding(
  { metadata, status }: PolicyObject,
  target: Pick<PolicyTarget, 'kind' | 'name'>,
): PolicyStanding {
  const conditions = (status?.ancestors ?? [])
    .filter(({ controllerName }) => controllerName === gatewayController)
    .filter(({ ancestorRef: { kind, name } }) => kind === target.kind && name === target.name)
    .flatMap(ancestor => ancestor.conditions)
    .filter(({ observedGeneration = 0 }) => observedGeneration >= (metadata.generation ?? 0))
  const failing = conditions.filter(({ status }) => status === 'False')
  const refusal = failing.find(({ reason }) => !passing.has(reason))
  if (refusal !== undefined) return { state: 'refused', reason: `${refusal.reason}: ${refusal.message}` }
  // Until they are there, nobody with a token is let in.
  if (failing.some(({ reason }) => reason === 'Pending')) return { state: 'open' }
  const accepted = conditions.find(({ type }) => type === 'Accepted')
  return { state: accepted === undefined ? 'open' : accepted.status === 'True' ? 'enforced' : 'known' }
}
