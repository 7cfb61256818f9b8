// Policies for the routes that were made: each is one object with all routes that it is for, so that what it counts is
// counted together as before. Pure.
import { gatewayGroup, policyGroup, policyVersion } from '../../api/gateway-names.ts'
import { mostLimits } from '../model/policing.ts'
import type { ImportContext } from './context.ts'
import type { Effect } from './effect.ts'

export interface PolicedRoute {
  readonly at: string
  readonly targets: readonly { readonly kind: 'HTTPRoute' | 'GRPCRoute'; readonly name: string }[]
  readonly effects: readonly Effect[]
}

interface Wanted {
  readonly kind: 'AccessPolicy' | 'TrafficPolicy'
  readonly name: string
  readonly at: string
  readonly spec: object
  readonly targets: object[]
  readonly counts: boolean
}

const mostTargets = 16
const mostConsumers = 64
const nobody = { addresses: { deny: ['0.0.0.0/0', '::/0'] } }

/** @param groups of each Consumer */
export function policiesFor(
  routes: readonly PolicedRoute[],
  groups: ReadonlyMap<string, readonly string[]>,
  { namespace, names, report }: ImportContext,
): readonly object[] {
  const wanted = new Map<string, Wanted>()
  const want = (key: string, policy: Omit<Wanted, 'targets'>, { targets }: PolicedRoute): void => {
    const all = wanted.get(key) ?? { ...policy, targets: [] }
    all.targets.push(...targets.map(target => ({ group: gatewayGroup, ...target })))
    wanted.set(key, all)
  }
  for (const route of routes) {
    const { effects } = route
    const list = effects.find(effect => effect.groups !== undefined)
    const ways = effects.filter(effect => effect.authentication !== undefined)
    if (ways.length > 1)
      report.changed(route.at, `of ${ways.map(({ plugin }) => plugin).join(' and ')} each has to be met`)
    if (list !== undefined && ways.some(({ authentication, groupsClaim }) => authentication?.jwt && !groupsClaim))
      report.changed(
        list.at,
        'who has a token is the Consumer whose name is its sub; give Consumers such names, or nobody is let in',
      )
    for (const effect of ways) {
      const admitted = admittedBy(effect, list)
      const spec = admitted === undefined ? nobody : { authentication: effect.authentication, ...admitted }
      want(
        `${effect.at}\n${list?.at}`,
        { kind: 'AccessPolicy', name: effect.name, at: effect.at, spec, counts: false },
        route,
      )
    }
    if (list !== undefined && ways.length === 0) {
      report.changed(list.at, 'nobody says who he is there, so that nobody is let in, as before')
      want(list.at, { kind: 'AccessPolicy', name: list.name, at: list.at, spec: nobody, counts: false }, route)
    }
    let limits = 0
    for (const effect of effects) {
      const { at, name, addresses, traffic, isClosed } = effect
      if (addresses !== undefined)
        want(at, { kind: 'AccessPolicy', name, at, spec: { addresses }, counts: false }, route)
      if (isClosed === true)
        want(at, { kind: 'AccessPolicy', name: `${name}-closed`, at, spec: nobody, counts: false }, route)
      limits += traffic?.rateLimits?.length ?? 0
      if (traffic?.rateLimits !== undefined && limits > mostLimits)
        report.leftOut(
          at,
          `${mostLimits} limits are the most for a request, and ${route.at} has others already; choose between them`,
        )
      else if (traffic !== undefined)
        want(at, { kind: 'TrafficPolicy', name, at, spec: traffic, counts: traffic.rateLimits !== undefined }, route)
    }
  }
  return [...wanted.values()].flatMap(({ kind, name, at, spec, targets, counts }) => {
    if (counts && targets.length > mostTargets)
      report.changed(
        at,
        `${mostTargets} routes are the most for one policy: there are several, and each counts by itself`,
      )
    return Array.from({ length: Math.ceil(targets.length / mostTargets) }, (_unused, index) => ({
      apiVersion: `${policyGroup}/${policyVersion}`,
      kind,
      metadata: { name: names.take(kind, name), namespace },
      spec: { targetRefs: targets.slice(index * mostTargets, (index + 1) * mostTargets), ...spec },
    }))
  })

  /** undefined: nobody. */
  function admittedBy(way: Effect, list: Effect | undefined): object | undefined {
    if (list === undefined) return way.consumers === undefined ? {} : { consumers: way.consumers }
    if (way.groupsClaim === undefined) return letIn(list, groups)
    const { allow, deny } = list.groups ?? {}
    if (allow !== undefined && deny === undefined)
      return { authentication: withClaim(way.authentication!, way.groupsClaim, allow) }
    return report.leftOut(
      list.at,
      `whom ${way.groupsClaim} of a token keeps out is not told; nobody is let in until you write whom it lets in`,
    )
  }

  /** undefined: nobody. Who is kept out by a group is told by who is not in it. */
  function letIn({ at, groups: { allow, deny } = {} }: Effect, known: typeof groups): object | undefined {
    if (deny === undefined)
      return { groups: [...new Set(allow)].slice(0, mostConsumers).map(group => group.slice(0, 63)) }
    const others = [...known]
      .filter(
        ([, own]) =>
          !own.some(group => deny.includes(group)) && (allow === undefined || own.some(group => allow.includes(group))),
      )
      .map(([name]) => name)
    if (others.length === 0 || others.length > mostConsumers) {
      report.leftOut(
        at,
        `expected 1 to ${mostConsumers} Consumers that are not in ${deny.join(', ')}, found ${others.length}; nobody is let in until you write groups`,
      )
      return undefined
    }
    report.changed(
      at,
      `whom it lets in is told by name (${others.length} Consumers): add those that come later, or give them a group`,
    )
    return { consumers: others }
  }
}

type Ways = NonNullable<Effect['authentication']>

const withClaim = ({ jwt, oidc, ...others }: Ways, name: string, values: readonly string[]): Ways => ({
  ...others,
  ...(jwt !== undefined && { jwt: { ...jwt, claims: { ...jwt.claims, [name]: [...values].slice(0, 16) } } }),
  ...(oidc !== undefined && { oidc: { ...oidc, claims: { ...oidc.claims, [name]: [...values].slice(0, 16) } } }),
})
