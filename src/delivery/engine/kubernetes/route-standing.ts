// What a Gateway makes of a route, as the route's status says it of what is written now. Pure. Source: Gateway API, RouteStatus.
import type { HTTPRoute, ParentReference } from '../../../api/gateway-api/types.ts'
import type { GatewayName } from './route-style.ts'

export type RouteStanding =
  /** `by`: its controller, as it names itself. */
  | { readonly state: 'served'; readonly by: string }
  | { readonly state: 'refused'; readonly reason: string }
  /** Nobody has said anything yet. */
  | { readonly state: 'open' }

const told = new Set(['Accepted', 'ResolvedRefs'])

/** @param gateway undefined: any */
export function standingOf({ metadata, status }: HTTPRoute, gateway?: GatewayName): RouteStanding {
  const conditions = (status?.parents ?? [])
    .filter(({ parentRef }) => gateway === undefined || isTo(parentRef, gateway, metadata.namespace))
    .flatMap(parent => parent.conditions.map(condition => ({ ...condition, by: parent.controllerName })))
    .filter(({ observedGeneration = Infinity }) => observedGeneration >= (metadata.generation ?? 0))
  const refusal = conditions.find(({ type, status: value }) => told.has(type) && value === 'False')
  if (refusal !== undefined) return { state: 'refused', reason: `${refusal.reason}: ${refusal.message}` }
  const accepted = conditions.find(({ type, status: value }) => type === 'Accepted' && value === 'True')
  return accepted === undefined ? { state: 'open' } : { state: 'served', by: accepted.by }
}

const isTo = ({ kind, name, namespace }: ParentReference, gateway: GatewayName, own: string | undefined): boolean =>
  kind === 'Gateway' && name === gateway.name && (namespace ?? own) === gateway.namespace
