// Entrances out of what is offered at them: listeners by their names, each with its rules. A request belongs to the
// listener with the most telling name; what others have for such names is out of reach, and left out. Pure.
// Source: Gateway API, listener isolation.
import { withoutClaims } from './claims.ts'
import { compareHosts } from './find-rule.ts'
import { commonHost, includes } from './host-names.ts'
import type { HostRule, Problem } from './host-rule.ts'
import type { ListenerPlace } from './listeners.ts'
import { placeKey } from './place-key.ts'
import { compareRules } from './match-order.ts'
import { checkName } from './check-name.ts'
import type { CarriedConnections, ClientCheck, Entrance, Host, HostName, ShownCertificate } from './model.ts'

export interface Offer {
  readonly place: ListenerPlace
  readonly carries?: CarriedConnections | undefined
  /** Networks that may connect. */
  readonly sources?: readonly string[] | undefined
  readonly name: HostName
  readonly rules: readonly HostRule[]
  readonly certificates?: readonly ShownCertificate[]
  /** The own authority of this machine vouches for what none is shown for. */
  readonly isVouched?: boolean
  readonly clients?: ClientCheck | undefined
  /** Its rules are for whatever listener has their names, as those of Ingresses, which know no listeners. */
  readonly isForAll?: boolean
}

export interface MadeEntrances {
  readonly entrances: readonly Entrance[]
  readonly problems: readonly Problem[]
}

export function entrancesOf(offers: readonly Offer[]): MadeEntrances {
  const problems = new Map<string, Problem>()
  const entrances = [...Map.groupBy(offers, ({ place, carries }) => placeKey(place, carries)).values()].map(offered => {
    const [{ place, carries, sources, certificates: shown, clients }] = offered as [Offer]
    // What the first one is decides; listeners that do not agree are told so, but for those that meet at the front.
    const all = offered.filter(
      each =>
        each.carries === carries &&
        (each.certificates === undefined) === (shown === undefined) &&
        checkName(each.clients) === checkName(clients),
    )
    const listeners = listenersAt(all)
    const hosts = listeners.flatMap(listener => {
      const settled = withoutClaims(listener.rules.filter(({ name }) => belongsTo(name, listener, listeners)))
      for (const problem of settled.problems) problems.set(JSON.stringify(problem), problem)
      return hostsOf(listener.name, settled.rules)
    })
    const certificates = all.flatMap(offer => offer.certificates ?? [])
    return {
      address: place.address,
      port: place.port,
      ...(carries !== undefined && { carries }),
      ...(sources !== undefined && { sources }),
      ...(shown !== undefined && {
        tls: {
          certificates,
          ...(all.some(({ isVouched }) => isVouched) && { isVouched: true }),
          ...(clients !== undefined && { clients }),
        },
      }),
      hosts,
    }
  })
  return { entrances, problems: [...problems.values()] }
}

type NamedRules = Pick<Offer, 'name' | 'rules'>

/** One for each name. */
function listenersAt(offers: readonly Offer[]): readonly NamedRules[] {
  const forAll = offers.filter(({ isForAll }) => isForAll).flatMap(({ rules }) => rules)
  return [...Map.groupBy(offers, ({ name }) => keyOf(name)).values()].map(same => {
    const { name } = same[0]!
    const own = same.filter(({ isForAll }) => !isForAll).flatMap(({ rules }) => rules)
    return { name, rules: [...own, ...forAll.flatMap(rule => within(name, rule) ?? [])] }
  })
}

function within(name: HostName, rule: HostRule): HostRule | undefined {
  const common = commonHost(name, rule.name)
  return common === undefined ? undefined : { ...rule, name: common }
}

/** Whether no listener with a more telling name has it. */
const belongsTo = (name: HostName, listener: NamedRules, all: readonly NamedRules[]): boolean =>
  all.every(other => other === listener || !includes(other.name, name) || compareHosts(listener, other) < 0)

function hostsOf(listener: HostName, rules: readonly HostRule[]): readonly Host[] {
  const byName = new Map(Map.groupBy(rules, ({ name }) => keyOf(name)))
  // Where it has no rule, nobody has.
  if (!byName.has(keyOf(listener))) byName.set(keyOf(listener), [])
  return [...byName.entries()].map(([, same]) => ({
    name: same[0]?.name ?? listener,
    listener: keyOf(listener),
    rules: same.map(({ rule }) => rule).toSorted(compareRules),
  }))
}

const keyOf = (name: HostName): string => JSON.stringify(name)
