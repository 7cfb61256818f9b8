// HTTPRoutes out of the routes of another gateway, within what the kind takes: 16 rules, 64 matches for each and 128 for
// all, 16 host names. Pure.
import { gatewayGroup } from '../../api/gateway-names.ts'
import type {
  HTTPRoute,
  HTTPRouteFilter,
  HTTPRouteMatch,
  HTTPRouteRule,
  ParentReference,
} from '../../api/gateway-api/types.ts'
import type { Written } from './context.ts'
import type { Arranged } from './arrange.ts'
import type { Names } from './names.ts'
import type { SourceBackend, SourceRoute } from './source-route.ts'

export interface MadeRoute {
  readonly source: SourceRoute
  readonly object: Written<HTTPRoute>
  /** Sends plain requests to where TLS is; no policy is for it. */
  readonly isRedirect: boolean
}

export interface Surroundings {
  readonly namespace: string
  /** The Gateway that routes are attached to. */
  readonly parent: ParentReference
  readonly names: Names
}

const mostMatches = 64
const mostRules = 16
const mostHosts = 16

export function httpRoutes(all: readonly Arranged[], surroundings: Surroundings): readonly MadeRoute[] {
  const byRoute = Map.groupBy(all, ({ piece }) => piece.route)
  return [...byRoute].flatMap(([source, pieces]) => {
    const { secureOnly, plainOnly } = source
    const place = source.parent ?? surroundings.parent
    const parent =
      secureOnly !== undefined ? { ...place, port: 443 } : plainOnly === true ? { ...place, port: 80 } : place
    const made = objectsOf(source, rulesOf(source, pieces), parent, source.name, surroundings)
    const redirect =
      secureOnly?.redirect === undefined
        ? []
        : objectsOf(
            source,
            redirectRules(source, pieces, secureOnly.redirect),
            { ...place, port: 80 },
            `${source.name}-to-https`,
            surroundings,
          )
    return [
      ...made.map(object => ({ source, object, isRedirect: false })),
      ...redirect.map(object => ({ source, object, isRedirect: true })),
    ]
  })
}

function objectsOf(
  { hosts }: SourceRoute,
  rules: readonly HTTPRouteRule[],
  parent: ParentReference,
  name: string,
  { namespace, names }: Surroundings,
): readonly Written<HTTPRoute>[] {
  const hostLists = hosts.length === 0 ? [undefined] : chunks(hosts, mostHosts)
  return hostLists.flatMap(hostnames =>
    chunks(rules, mostRules, ({ matches }) => matches.length, 2 * mostMatches).map((some): Written<HTTPRoute> => ({
      apiVersion: `${gatewayGroup}/v1`,
      kind: 'HTTPRoute',
      metadata: { name: names.take('HTTPRoute', name), namespace },
      spec: { parentRefs: [parent], ...(hostnames && { hostnames: [...hostnames] }), rules: [...some] },
    })),
  )
}

/** A change of a prefix is for one match alone; all others of the same handling are one rule. */
function rulesOf(source: SourceRoute, pieces: readonly Arranged[]): readonly HTTPRouteRule[] {
  const handled = Map.groupBy(pieces, each =>
    JSON.stringify([each.piece.change, each.piece.filters, each.piece.isAnswered, isAlone(each) && each.match.value]),
  )
  return [...handled.values()].flatMap(some => {
    const { piece } = some[0]!
    const matches = some.flatMap(({ match }) => conditionsOf(source, match))
    const filters = withChange([...source.filters, ...(piece.filters ?? [])], piece.change)
    const isAnswered = source.isAnswered === true || piece.isAnswered === true
    return chunks(matches, isAlone(some[0]!) ? 1 : mostMatches).map((chunk): HTTPRouteRule => ({
      matches: [...chunk],
      ...(filters.length > 0 && { filters }),
      ...(!isAnswered && { backendRefs: source.backends.map(referenceTo) }),
      ...(source.timeout !== undefined && !isAnswered && { timeouts: { backendRequest: source.timeout } }),
    }))
  })
}

const isAlone = ({ piece: { change } }: Arranged): boolean => change?.type === 'ReplacePrefixMatch'

/** One URLRewrite is all that a rule may have. */
function withChange(filters: readonly HTTPRouteFilter[], path: Arranged['piece']['change']): HTTPRouteFilter[] {
  if (path === undefined) return [...filters]
  const written = filters.find(filter => filter.type === 'URLRewrite')
  if (written === undefined) return [...filters, { type: 'URLRewrite', urlRewrite: { path } }]
  return filters.map(filter =>
    filter === written ? { type: 'URLRewrite', urlRewrite: { path, ...written.urlRewrite } } : filter,
  )
}

const referenceTo = ({ namespace, name, port, weight = 1 }: SourceBackend) => ({
  group: '',
  kind: 'Service',
  name,
  ...(namespace !== undefined && { namespace }),
  port,
  weight,
})

function redirectRules(
  source: SourceRoute,
  pieces: readonly Arranged[],
  statusCode: 301 | 302 | 307 | 308,
): readonly HTTPRouteRule[] {
  return chunks(
    pieces.flatMap(({ match }) => conditionsOf(source, match)),
    mostMatches,
  ).map(matches => ({
    matches: [...matches],
    filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode } }],
  }))
}

/** One match for each method and each way to have the headers. */
function conditionsOf({ methods, headers }: SourceRoute, path: HTTPRouteMatch['path']): readonly HTTPRouteMatch[] {
  const ways = headers.reduce<readonly NonNullable<HTTPRouteMatch['headers']>[]>(
    (all, { name, values }) =>
      all.flatMap(before =>
        values.map(({ kind, value }) => [
          ...before,
          {
            type: 'RegularExpression' as const,
            name,
            value: `(?i)${kind === 'exact' ? escapedText(value) : value}`,
          },
        ]),
      ),
    [[]],
  )
  return (methods.length === 0 ? [undefined] : methods).flatMap(method =>
    ways.map(way => ({ path, ...(method !== undefined && { method }), ...(way.length > 0 && { headers: way }) })),
  )
}

const escapedText = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)

function chunks<T>(
  all: readonly T[],
  most: number,
  sizeOf: (each: T) => number = () => 0,
  mostSize = Infinity,
): readonly (readonly T[])[] {
  const lists: T[][] = []
  let size = 0
  for (const each of all) {
    const last = lists.at(-1)
    size += sizeOf(each)
    if (last === undefined || last.length === most || size > mostSize) {
      lists.push([each])
      size = sizeOf(each)
    } else last.push(each)
  }
  return lists
}
