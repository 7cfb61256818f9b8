// The paths at which people log in and out, on each host of which a rule asks who they are. Pure.
import { hashOf } from './backends.ts'
import { compareRules } from './match-order.ts'
import type { Backend, Entrance, Host, Rule } from './model.ts'
import type { LoginCheck, Policing } from './policing.ts'
import { loginStart } from './policies/logins.ts'

/** Answered by the gateway itself, under what policies ask for beyond who somebody is. */
const loginBackend = (policies: readonly Policing[]): Backend => ({
  id: `logins.${hashOf(policies)}`,
  serves: 'logins',
  handling: policies.length === 0 ? {} : { policies },
  protocol: 'http',
  servers: [],
})

type Backends = ReadonlyMap<string, Backend>

export function withLoginRules(
  entrances: readonly Entrance[],
  backends: Backends,
): { readonly entrances: readonly Entrance[]; readonly backends: Backends } {
  const isAsked = [...backends.values()].some(backend => loginsOf(backend).length > 0)
  if (!isAsked) return { entrances, backends }
  const made = new Map(backends)
  return {
    entrances: entrances.map(entrance =>
      entrance.carries === undefined
        ? { ...entrance, hosts: entrance.hosts.map(host => withLogins(host, backends, made)) }
        : entrance,
    ),
    backends: made,
  }
}

/** @param made gets the backends of logins */
function withLogins(host: Host, backends: Backends, made: Map<string, Backend>): Host {
  const asking = host.rules
    .flatMap(({ action }) =>
      action.shares.flatMap(({ backend: id }) => (id === undefined ? [] : (backends.get(id) ?? []))),
    )
    .flatMap(backend =>
      loginsOf(backend).flatMap(login => pathsOf(login).map(path => ({ path, backend, source: login.source }))),
    )
  if (asking.length === 0) return host
  const rules = [...Map.groupBy(asking, ({ path }) => path)].map(([path, all]) => {
    const backend = loginBackend(commonPolicies(all.map(each => each.backend)))
    made.set(backend.id, backend)
    return loginRule(path, all[0]!.source, backend.id)
  })
  return { ...host, rules: [...rules, ...host.rules].toSorted(compareRules) }
}

const pathsOf = ({ login: { redirectPath, logoutPath } }: OwnLogin): readonly string[] => [
  redirectPath,
  `${redirectPath}${loginStart}`,
  logoutPath,
]

/** What all of them ask for: nobody is kept from a login by what another rule of the host asks for. */
function commonPolicies(backends: readonly Backend[]): readonly Policing[] {
  const [first, ...others] = backends.map(({ handling }) => handling.policies ?? [])
  return (first ?? [])
    .filter(({ source }) => others.every(policies => policies.some(each => each.source === source)))
    .map(({ source, isClosed, addresses, limits, maintenance }) => ({
      source,
      ...(isClosed !== undefined && { isClosed }),
      ...(addresses !== undefined && { addresses }),
      // Nobody is known yet.
      ...(limits !== undefined && { limits: limits.filter(({ by }) => by !== 'consumer') }),
      ...(maintenance !== undefined && { maintenance }),
    }))
}

interface OwnLogin {
  readonly source: string
  readonly login: LoginCheck
}

const loginsOf = ({ handling }: Backend): readonly OwnLogin[] =>
  (handling.policies ?? []).flatMap(({ source, identity }) =>
    identity?.login === undefined ? [] : [{ source, login: identity.login }],
  )

const loginRule = (path: string, source: string, backend: string): Rule => ({
  source,
  match: { path: { kind: 'exact', value: path }, headers: [], query: [] },
  action: { shares: [{ backend, weight: 1 }] },
})
