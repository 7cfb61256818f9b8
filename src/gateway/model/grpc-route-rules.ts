// The rules of a GRPCRoute in the model's words: a call is a request for `/SERVICE/METHOD`, and services are spoken to in
// HTTP/2. Pure. Source: Gateway API, GRPCRoute; gRPC over HTTP/2.
import type { GRPCRoute, GRPCRouteMatch } from '../../api/gateway-api/types.ts'
import { headerMatches } from './http-route-rules.ts'
import type { PathMatch } from './model.ts'
import type { WrittenRule } from './route-rules.ts'

export const grpcRules = (route: GRPCRoute): readonly WrittenRule[] =>
  (route.spec.rules ?? [{}]).map(({ name, matches = [], filters = [], backendRefs = [] }, index) => ({
    route,
    name: name ?? String(index),
    matches: (matches.length === 0 ? [{}] : matches).map(({ method, headers = [] }: GRPCRouteMatch) => ({
      path: callPath(method),
      headers: headerMatches(headers),
      query: [],
    })),
    filters,
    backendRefs,
    protocol: 'h2',
  }))

function callPath({ type = 'Exact', service, method }: Partial<NonNullable<GRPCRouteMatch['method']>> = {}): PathMatch {
  if (service === undefined && method === undefined) return { kind: 'prefix', value: '/' }
  if (type === 'Exact' && service !== undefined)
    return method === undefined
      ? { kind: 'prefix', value: `/${service}` }
      : { kind: 'exact', value: `/${service}/${method}` }
  const patternOf = (text: string | undefined): string =>
    text === undefined ? '[^/]+' : type === 'Exact' ? text.replaceAll('.', String.raw`\.`) : `(?:${text})`
  return { kind: 'pattern', value: `/${patternOf(service)}/${patternOf(method)}` }
}
