// Rules out of one rule of a route, whatever its kind: filters, services by weight, and what is wrong with them. A rule
// that cannot be as it is written is dropped and told. Pure. Source: Gateway API, HTTPRouteRule and GRPCRouteRule.
import type { BackendReference, HTTPRouteFilter } from '../../api/gateway-api/types.ts'
import { answeringBackend, type WantedBackend } from './backends.ts'
import { fails, type Finding } from './findings.ts'
import { ownerOf } from './host-rule.ts'
import type { BackendProtocol, Handling, RequestMatch, Rule } from './model.ts'
import type { Policed } from './observed.ts'
import { patternProblem } from './patterns.ts'
import type { AnyRoute } from './attachment.ts'
import { placesOf } from './policies/policy-place.ts'
import { ledTo } from './route-backends.ts'
import { filtered, handledBoth, type RulePlace } from './route-filters.ts'

/** A rule as a route has it, its matches said in the model's words. */
export interface WrittenRule {
  readonly route: AnyRoute
  /** That people know it by: its name, or its place in the route. */
  readonly name: string
  readonly matches: readonly RequestMatch[]
  readonly filters: readonly HTTPRouteFilter[]
  readonly backendRefs: readonly (BackendReference & { filters?: HTTPRouteFilter[] })[]
  readonly timeoutMs?: number
  /** That its requests need, whatever a service says. */
  readonly protocol?: BackendProtocol
}

export interface RouteRules {
  readonly rules: readonly MadeRule[]
  /** About what it refers to: where there is one, some of its requests are answered with 500. */
  readonly unresolved: readonly Finding[]
  /** One for each rule that is not served, which it names. */
  readonly dropped: readonly Finding[]
}

export interface MadeRule {
  readonly rule: Rule
  readonly backends: readonly WantedBackend[]
}

export function routeRules(rules: readonly WrittenRule[], place: RulePlace, observed: Policed): RouteRules {
  const made = rules.map(rule => madeRules(rule, place, observed))
  return {
    rules: made.flatMap(each => each.rules),
    unresolved: made.flatMap(each => each.unresolved),
    dropped: made.flatMap(each => each.dropped),
  }
}

function madeRules(written: WrittenRule, place: RulePlace, observed: Policed): RouteRules {
  const { route, name, matches, filters, backendRefs, timeoutMs, protocol } = written
  const referring = {
    kind: route.kind,
    namespace: route.metadata.namespace ?? '',
    ...(protocol !== undefined && { protocol }),
    ...(place.clientCertificate !== undefined &&
      isOfRequests(protocol) && { clientCertificate: place.clientCertificate }),
  }
  const prefix = matches.length === 1 && matches[0]?.path.kind === 'prefix' ? matches[0].path.value : undefined
  const toAll = filtered(filters, prefix, place, referring, observed)
  const toOne = new Map(
    backendRefs.map(reference => [reference, filtered(reference.filters ?? [], prefix, place, referring, observed)]),
  )
  const both = [toAll, ...toOne.values()]
  const found = both.flatMap(({ findings }) => findings)
  const refused = [...found.filter(({ type }) => type === 'Accepted'), ...matches.flatMap(matchProblems)]
  if (refused.length > 0)
    return {
      rules: [],
      unresolved: [],
      dropped: [{ ...refused[0]!, message: `rule ${name}: ${refused.map(({ message }) => message).join(', and ')}` }],
    }
  const policies = observed.policies.of([...place.policed, ...placesOf(route, name)])
  const handling: Handling = {
    ...(policies.length > 0 && { policies }),
    ...toAll.handling,
    ...(timeoutMs !== undefined && { timeoutMs }),
  }
  const answer = handling.redirect === undefined ? undefined : answeringBackend(handling)
  const led =
    answer === undefined
      ? ledTo(backendRefs, referring, reference => handledBoth(handling, toOne.get(reference)!.handling), observed)
      : { shares: [{ backend: answer.id, weight: 1 }], backends: [answer], findings: [] }
  const backends = [...led.backends, ...both.flatMap(each => each.backends)]
  return {
    rules: matches.map(match => ({
      rule: { source: `${ownerOf(route)} ${name}`, match, action: { shares: led.shares } },
      backends,
    })),
    unresolved: [...found.filter(({ type }) => type === 'ResolvedRefs'), ...led.findings],
    dropped: [],
  }
}

const isOfRequests = (protocol: BackendProtocol | undefined): boolean => protocol !== 'tcp' && protocol !== 'udp'

const matchProblems = ({ path, headers, query }: RequestMatch): readonly Finding[] =>
  [path, ...headers, ...query]
    .filter(({ kind }) => kind === 'pattern')
    .flatMap(({ value }) => {
      const problem = patternProblem(value)
      return problem === undefined ? [] : [fails('Accepted', 'UnsupportedValue', problem)]
    })
