// The rules of an HTTPRoute in the model's words. Pure. Source: Gateway API, HTTPRoute.
import type { HTTPRoute, HTTPRouteMatch, HTTPRouteRule, NamedMatch } from '../../api/gateway-api/types.ts'
import { durationMs } from './durations.ts'
import type { PathMatch, RequestMatch, ValueMatch } from './model.ts'
import { plainPath } from './plain-path.ts'
import type { WrittenRule } from './route-rules.ts'

export const httpRules = (route: HTTPRoute): readonly WrittenRule[] =>
  route.spec.rules.map(({ name, matches, filters = [], backendRefs = [], timeouts }, index) => ({
    route,
    name: name ?? String(index),
    matches: matches.map(requestMatch),
    filters,
    backendRefs,
    ...timeoutOf(timeouts),
  }))

/** The shorter one of both; 0 is for ever. */
function timeoutOf({ request, backendRequest }: HTTPRouteRule['timeouts'] = {}): Pick<WrittenRule, 'timeoutMs'> {
  const limits = [request, backendRequest].flatMap(text => (text === undefined ? [] : durationMs(text) || []))
  return limits.length === 0 ? {} : { timeoutMs: Math.min(...limits) }
}

const requestMatch = ({ path, method, headers = [], queryParams = [] }: HTTPRouteMatch): RequestMatch => ({
  path: pathMatch(path),
  ...(method !== undefined && { method }),
  headers: headerMatches(headers),
  query: firstOfEach(queryParams, name => name),
})

const pathKinds = { Exact: 'exact', PathPrefix: 'prefix', RegularExpression: 'pattern' } as const

const pathMatch = ({ type, value }: HTTPRouteMatch['path']): PathMatch => ({
  kind: pathKinds[type],
  value: type === 'RegularExpression' ? value : plainPath(value),
})

export const headerMatches = (headers: readonly NamedMatch[]): readonly ValueMatch[] =>
  firstOfEach(headers, name => name.toLowerCase())

/** Of several for the same name, the first one counts. */
function firstOfEach(all: readonly NamedMatch[], keyOf: (name: string) => string): readonly ValueMatch[] {
  const byName = new Map<string, ValueMatch>()
  for (const { type, name, value } of all) {
    const key = keyOf(name)
    if (!byName.has(key)) byName.set(key, { name, kind: type === 'Exact' ? 'exact' : 'pattern', value })
  }
  return [...byName.values()]
}
