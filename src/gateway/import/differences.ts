// Requests that would go another way than before, found by asking both: the other gateway's own rules, and the model that
// is made of the routes. Pure.
import { findRule, type AskedRequest } from '../model/find-rule.ts'
import { gatewayHost, textOfHost } from '../model/host-names.ts'
import { compareRules } from '../model/match-order.ts'
import type { Host, Rule } from '../model/model.ts'
import type { WrittenRule } from '../model/route-rules.ts'
import { examplesOf } from './paths.ts'
import { piecesOf, takes, takesHost, type Piece, type SourceRoute } from './source-route.ts'

export interface Difference {
  /** Whose request it was; undefined: nobody's. */
  readonly before: SourceRoute | undefined
  readonly after: SourceRoute | undefined
  /** One of such requests: `GET shop.example.com/foobar`. */
  readonly example: string
}

/** What takes requests now. */
export interface MadeRules {
  readonly source: SourceRoute
  /** Of the object: `HTTPRoute orders`. */
  readonly name: string
  /** undefined: any. */
  readonly hosts: readonly string[] | undefined
  readonly rules: readonly Pick<WrittenRule, 'matches'>[]
}

/** With more routes for one host, not all are asked for. */
export const mostCompared = 300

/** One for each pair of routes. */
export function differences(routes: readonly SourceRoute[], made: readonly MadeRules[]): readonly Difference[] {
  const pieces = piecesOf(routes)
  const entrance = { hosts: hostsOf(made) }
  const owners = new Map(made.map(({ source, name }) => [name, source]))
  const found = new Map<string, Difference>()
  for (const host of exampleHosts(routes)) {
    const there = pieces.filter(({ route }) => takesHost(route, host))
    const own = { hosts: entrance.hosts.map(each => ({ ...each, listener: '' })) }
    for (const request of there.slice(0, mostCompared).flatMap(piece => requestsFor(piece, host, there))) {
      const before = there.find(piece => takes(piece, request))?.route
      const rule = findRule(own, request)
      const after = rule && owners.get(rule.source)
      const key = `${before?.at}\n${after?.at}`
      if (before === after || found.has(key)) continue
      const headers = Object.entries(request.headers).map(([name, value]) => ` ${name}: ${value}`)
      found.set(key, { before, after, example: `${request.method} ${host}${request.path}${headers.join('')}` })
    }
  }
  return [...found.values()]
}

/** Rules of a listener, those of all routes together. */
function hostsOf(made: readonly MadeRules[]): readonly Host[] {
  const rules = made
    .toSorted(({ name: left }, { name: right }) => (left < right ? -1 : 1))
    .flatMap(({ name, hosts = [undefined], rules: own }) =>
      own.flatMap(({ matches }) =>
        matches.map((match): { hosts: readonly (string | undefined)[]; rule: Rule } => ({
          hosts,
          rule: { source: name, match, action: { shares: [] } },
        })),
      ),
    )
  const byHost = Map.groupBy(
    rules.flatMap(({ hosts, rule }) => hosts.map(host => ({ host, rule }))),
    ({ host }) => host,
  )
  return [...byHost].map(([host, all]) => ({
    name: gatewayHost(host),
    listener: '',
    rules: all.map(({ rule }) => rule).toSorted(compareRules),
  }))
}

/** One that each name and each pattern of names takes, and one that none does. */
function exampleHosts(routes: readonly SourceRoute[]): readonly string[] {
  const hosts = routes.flatMap(route => route.hosts).map(host => textOfHost(gatewayHost(host)).replace('*', 'any'))
  return [...new Set([...hosts, ...(routes.some(route => route.hosts.length === 0) ? ['other.invalid'] : [])])]
}

const someMethods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']
const mostConditions = 8

/** As each of its conditions wants it, as those of others do, and with a method that nobody asks for. */
function requestsFor({ route, path }: Piece, host: string, others: readonly Piece[]): readonly AskedRequest[] {
  const named = new Set(others.flatMap(other => methodsOf(other.route)))
  const free = route.isForCalls === true ? 'POST' : (someMethods.find(method => !named.has(method)) ?? 'GET')
  const ways = [...new Set([route, ...others.map(other => other.route)])]
    .filter(each => each === route || each.methods.length > 0 || each.headers.length > 0)
    .slice(0, mostConditions)
    .flatMap(({ methods, headers }) =>
      (route.isForCalls === true || methods.length === 0 ? [free] : methods).map(method => ({
        method,
        headers: Object.fromEntries(headers.map(({ name, values }) => [name.toLowerCase(), values[0]?.value ?? ''])),
      })),
    )
  const unlike = new Map([...ways, { method: free, headers: {} }].map(way => [JSON.stringify(way), way]))
  const paths = examplesOf(path).filter(asked => route.isForCalls !== true || isCall(asked))
  return paths.flatMap(asked => [...unlike.values()].map(way => ({ ...way, host, path: asked, query: {} })))
}

/** Calls are all POST, for a method of a service. */
const isCall = (path: string): boolean => /^\/[^/]+\/[^/]+$/.test(path)
const methodsOf = ({ isForCalls, methods }: SourceRoute): readonly string[] =>
  isForCalls === true ? ['POST'] : methods
