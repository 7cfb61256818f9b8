// The rules of an entrance as tables to look up in: name to host, host and path to what is done. What depends on the path
// alone is one entry, however many rules there are; what depends on more is a short list of candidates. A rule that comes
// or goes changes entries, which HAProxy takes while it runs. Pure.
import { hashOf } from '../model/backends.ts'
import { answersTo, compareHosts, matchesPath } from '../model/find-rule.ts'
import { prefixOf } from '../model/match-order.ts'
import { otherReading } from '../model/plain-path.ts'
import type { Action, Entrance, Host, HostName, RequestMatch, Rule } from '../model/model.ts'

export interface RoutingTable {
  /** Each by what it is looked up with, leading to the key of a host. */
  readonly hosts: {
    readonly exact: ReadonlyMap<string, string>
    /** By the name with a star in place of its first label. */
    readonly oneLabel: ReadonlyMap<string, string>
    /** By the end of the name, `.example.com`; the longest first. */
    readonly below: ReadonlyMap<string, string>
    readonly any: string | undefined
  }
  /** By host key, path and how it ends; leading to an action, or to a choice. The longest that a request's begins with counts. */
  readonly paths: ReadonlyMap<string, string>
  /** The same for paths that are read in another way, where that is not the same: rules may name such paths. */
  readonly readPaths?: ReadonlyMap<string, string>
  readonly choices: ReadonlyMap<string, readonly Candidate[]>
  /** By host key: whose names are its listener's. */
  readonly listeners: ReadonlyMap<string, string>
  readonly actions: ReadonlyMap<string, Action>
}

/** The first one that a request meets takes it. */
export interface Candidate {
  /** `path` is undefined where it is known to fit. */
  readonly match: Omit<RequestMatch, 'path'> & { readonly pathPattern?: string }
  readonly action: string
}

/** Behind a path that is asked for. An exact path is the longest beginning of itself so, and none of any other one's. */
export const pathEnd = '/?'
const endings = { exact: pathEnd, prefix: '/' }

export function routingTable({ hosts }: Pick<Entrance, 'hosts'>): RoutingTable {
  const sorted = hosts.toSorted(compareHosts)
  const actions = new Map<string, Action>()
  const choices = new Map<string, readonly Candidate[]>()
  const paths = new Map<string, string>()
  const read = new Map<string, string>()
  const numbers = new Map<Rule, number>()
  const numberOf = (rule: Rule): number => {
    const number = numbers.get(rule) ?? numbers.size
    numbers.set(rule, number)
    return number
  }
  const known = new Map<string, readonly (readonly [path: string, decision: string])[]>()
  for (const host of sorted) {
    const key = keyOf(host.name)
    const rules = sorted.filter(other => other === host || covers(other, host)).flatMap(other => other.rules)
    // Listeners of one Gateway often have the same rules, each for names of its own.
    const same = rules.map(numberOf).join()
    let decided = known.get(same)
    if (decided === undefined) {
      decided = (['exact', 'prefix'] as const).flatMap(kind =>
        Array.from(
          decisions(rules, kind, actions, choices),
          ([path, decision]) => [`${path}${endings[kind]}`, decision] as const,
        ),
      )
      known.set(same, decided)
    }
    for (const [path, decision] of decided) {
      paths.set(`${key}${path}`, decision)
      const other = otherEntry(path)
      if (other !== undefined) read.set(`${key}${other}`, decision)
    }
  }
  return {
    hosts: hostTables(sorted.map(({ name }) => name)),
    paths,
    // What a rule names as it is goes first.
    ...(read.size > 0 && { readPaths: new Map([...read, ...paths]) }),
    choices,
    listeners: new Map(sorted.map(({ name, listener }) => [keyOf(name), `l_${hashOf(listener)}`])),
    actions,
  }
}

/** @param path with its ending */
function otherEntry(path: string): string | undefined {
  const ending = path.endsWith(endings.exact) ? endings.exact : endings.prefix
  const other = otherReading(path.slice(0, -ending.length))
  return other === undefined ? undefined : `${prefixOf(other)}${ending}`
}

function hostTables(names: readonly HostName[]): RoutingTable['hosts'] {
  const of = (kind: HostName['kind'], text: (name: HostName) => string): ReadonlyMap<string, string> =>
    new Map(names.filter(name => name.kind === kind).map(name => [text(name), keyOf(name)]))
  const below = (name: HostName): string => ('below' in name ? name.below : '')
  return {
    exact: of('exact', keyOf),
    oneLabel: of('one-label', keyOf),
    below: of('below', name => `.${below(name)}`),
    any: names.some(({ kind }) => kind === 'any') ? keyOf({ kind: 'any' }) : undefined,
  }
}

/** None is the beginning of another one with a path behind it: paths begin with a slash, which no name has. */
function keyOf(name: HostName): string {
  switch (name.kind) {
    case 'exact':
      return name.name
    case 'one-label':
      return `*.${name.below}`
    case 'below':
      return `**.${name.below}`
    case 'any':
      return '*'
  }
}

const covers = (outer: Host, inner: Host): boolean =>
  outer.listener === inner.listener && isWider(outer.name, inner.name)

/** Whether whatever `inner` answers to, `outer` does, too, and is less telling. */
function isWider(outer: HostName, inner: HostName): boolean {
  if (inner.kind === 'any') return false
  if (outer.kind === 'any') return true
  if (inner.kind === 'exact') return outer.kind !== 'exact' && answersTo(outer, inner.name)
  if (outer.kind !== 'below') return false
  return inner.below === outer.below ? inner.kind === 'one-label' : inner.below.endsWith(`.${outer.below}`)
}

/** What names of choices begin with, and no name of an action: of those that look at the path once more, and of all. */
export const pathChoice = 'c_p'
export const anyChoice = 'c_'

/** What is done for each path that rules name, as an exact path or as a prefix. */
function* decisions(
  rules: readonly Rule[],
  kind: 'exact' | 'prefix',
  actions: Map<string, Action>,
  choices: Map<string, readonly Candidate[]>,
): Generator<[path: string, decision: string]> {
  const named = rules.filter(({ match }) => match.path.kind === kind).map(({ match }) => match.path.value)
  // Patterns take paths that nobody names.
  const paths = kind === 'exact' ? named : ['', ...named.map(prefixOf)]
  for (const path of new Set(paths)) {
    const candidates = candidatesFor(rules, kind, path, actions)
    const [first] = candidates
    if (first === undefined) continue
    if (isUnconditional(first.match)) yield [path, first.action]
    else {
      const looksAtPath = candidates.some(({ match }) => match.pathPattern !== undefined)
      const choice = `${looksAtPath ? pathChoice : anyChoice}${hashOf(candidates)}`
      choices.set(choice, candidates)
      yield [path, choice]
    }
  }
}

/** Up to the first one that takes everything. */
function candidatesFor(
  rules: readonly Rule[],
  kind: 'exact' | 'prefix',
  path: string,
  actions: Map<string, Action>,
): readonly Candidate[] {
  const found: Candidate[] = []
  for (const rule of rules) {
    const pathPattern = leftOfPath(rule, kind, path)
    if (pathPattern === false) continue
    const { path: _path, ...rest } = rule.match
    const match = { ...rest, ...(pathPattern !== undefined && { pathPattern }) }
    const action = actionName(rule)
    actions.set(action, rule.action)
    found.push({ match, action })
    if (isUnconditional(match)) break
  }
  return found
}

/** What is left to be asked of the path; `false`: it does not fit. */
function leftOfPath({ match }: Rule, kind: 'exact' | 'prefix', path: string): string | undefined | false {
  if (kind === 'exact') return matchesPath(match.path, path) ? undefined : false
  switch (match.path.kind) {
    case 'exact':
      return false
    case 'prefix':
      return matchesPath(match.path, path === '' ? '/' : path) && prefixOf(match.path.value).length <= path.length
        ? undefined
        : false
    case 'pattern':
      return match.path.value
  }
}

const isUnconditional = ({ method, headers, query, pathPattern }: Candidate['match']): boolean =>
  method === undefined && headers.length === 0 && query.length === 0 && pathPattern === undefined

/** Shares are named after their rule, so that other weights are another entry and no other name. */
function actionName({ source, action }: Rule): string {
  const [only, ...more] = action.shares
  return only?.backend !== undefined && only.weight > 0 && more.length === 0 ? only.backend : `s_${hashOf(source)}`
}
