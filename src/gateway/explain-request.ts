// Which rule takes a request that somebody has in mind, and what becomes of it; where none does, what comes nearest. Pure.
import { sameJson } from '../api/validation/scalars.ts'
import { entranceFacts, openedBy, type EntranceFacts } from './entrance-facts.ts'
import { answersTo, compareHosts, findRule, matchesPath, type AskedRequest } from './model/find-rule.ts'
import type { Entrance, Host, Rule } from './model/model.ts'
import { otherReading } from './model/plain-path.ts'
import { textOfHost } from './model/host-names.ts'
import { withoutPackets } from './model/without-packets.ts'
import { conditionWords, ruleFacts, type KnownModel, type RuleFacts } from './rule-facts.ts'

export interface RequestInMind extends AskedRequest {
  readonly scheme: 'http' | 'https'
  /** Where it is sent to. */
  readonly address: string
  readonly port: number
  /** `?page=2`, or nothing. */
  readonly search: string
}

export type Explanation =
  | {
      readonly found: 'rule'
      readonly entrance: EntranceFacts
      readonly by: readonly string[]
      readonly rule: RuleFacts
    }
  /** Nobody listens there. */
  | { readonly found: 'no entrance'; readonly entrances: readonly EntranceFacts[] }
  /** It is asked for in another way than the entrance takes. */
  | { readonly found: 'other protocol'; readonly entrance: EntranceFacts; readonly entrances: readonly EntranceFacts[] }
  /** Some services read its path in another way, and that leads elsewhere. */
  | { readonly found: 'two readings'; readonly entrance: EntranceFacts; readonly other: string }
  | { readonly found: 'no rule'; readonly entrance: EntranceFacts; readonly missed: Missed }

export interface Missed {
  /** Of the entrance: names with rules. */
  readonly hosts: readonly string[]
  /** Of the host that was asked for; none: there is no such host. */
  readonly paths: readonly string[]
  /** Rules for the path that want more of a request than it has. */
  readonly unmet: readonly { readonly owner: string; readonly conditions: readonly string[] }[]
  /** That would take it. */
  readonly elsewhere: readonly EntranceFacts[]
}

export function explainRequest(all: KnownModel, request: RequestInMind): Explanation {
  const known = { ...all, model: withoutPackets(all.model) }
  const { entrances } = known.model
  const entrance = entrances.find(({ address, port }) => address === request.address && port === request.port)
  if (entrance === undefined) return { found: 'no entrance', entrances: taking(entrances, request) }
  if (!speaks(entrance, request))
    return { found: 'other protocol', entrance: entranceFacts(entrance), entrances: taking(entrances, request) }
  const rule = findRule(entrance, request)
  const other = otherReading(request.path)
  if (other !== undefined && entrance.carries === undefined) {
    const read = findRule(readAnew(entrance), { ...request, path: other })
    if (!isSame(read, rule)) return { found: 'two readings', entrance: entranceFacts(entrance), other }
  }
  const host = rule && hostsFor(entrance, request).find(({ rules }) => rules.includes(rule))
  if (rule === undefined || host === undefined)
    return { found: 'no rule', entrance: entranceFacts(entrance), missed: missedAt(entrance, known, request) }
  return {
    found: 'rule',
    entrance: entranceFacts(entrance),
    by: openedBy(rule, host, entrance, known),
    rule: ruleFacts(rule, host, entrance, known, request),
  }
}

/** Rules may name paths that are read in another way. */
const readAnew = ({ hosts }: Entrance): Pick<Entrance, 'hosts'> => ({
  hosts: hosts.map(host => ({
    ...host,
    rules: host.rules.map(rule => {
      const { path } = rule.match
      const value = path.kind === 'pattern' ? undefined : otherReading(path.value)
      return value === undefined ? rule : { ...rule, match: { ...rule.match, path: { ...path, value } } }
    }),
  })),
})

/** Whether they lead to the same. */
const isSame = (left: Rule | undefined, right: Rule | undefined): boolean =>
  left === right || (left !== undefined && right !== undefined && sameJson(left.action, right.action))

/** The most telling one first. */
const hostsFor = ({ hosts }: Entrance, request: RequestInMind): readonly Host[] =>
  hosts.filter(({ name }) => answersTo(name, request.host)).toSorted(compareHosts)

/** Connections of any kind are handed on. */
const speaks = ({ carries, tls }: Entrance, { scheme }: Pick<RequestInMind, 'scheme'>): boolean =>
  carries === 'connections' || (scheme === 'https') === (carries === 'names' || tls !== undefined)

const taking = (entrances: readonly Entrance[], request: RequestInMind): readonly EntranceFacts[] =>
  entrances.filter(entrance => findRule(entrance, request) !== undefined).map(entranceFacts)

function missedAt(entrance: Entrance, { model }: KnownModel, request: RequestInMind): Missed {
  const rules = hostsFor(entrance, request).flatMap(host => host.rules)
  const others = model.entrances.filter(other => other !== entrance && speaks(other, request))
  return {
    hosts: unique(entrance.hosts.filter(host => host.rules.length > 0).map(({ name }) => textOfHost(name))),
    paths: unique(rules.map(({ match }) => match.path.value)),
    unmet: rules.filter(({ match }) => matchesPath(match.path, request.path)).map(unmetOf),
    elsewhere: taking(others, request),
  }
}

const unmetOf = ({ source, match }: Rule): Missed['unmet'][number] => ({
  owner: source.split(' ').slice(0, 2).join(' '),
  conditions: conditionWords(match),
})

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)]
