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

export function policyStanding(
  { metadata, status }: PolicyObject,
  target: Pick<PolicyTarget, 'kind' | 'name'>,
): PolicyStanding {
  const conditions = (status?.ancestors ?? [])
    .filter(({ controllerName }) => controllerName === gatewayController)
    .filter(({ ancestorRef: { kind, name } }) => kind === target.kind && name === target.name)
    .flatMap(ancestor => ancestor.conditions)
    .filter(({ observedGeneration = 0 }) => observedGeneration >= (metadata.generation ?? 0))
  const refusal = conditions.find(({ status: value, reason }) => value === 'False' && reason !== 'TargetNotFound')
  if (refusal !== undefined) return { state: 'refused', reason: `${refusal.reason}: ${refusal.message}` }
  const accepted = conditions.find(({ type }) => type === 'Accepted')
  return { state: accepted === undefined ? 'open' : accepted.status === 'True' ? 'enforced' : 'known' }
}
