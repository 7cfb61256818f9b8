// The paths at which people log in and out, on each host of which a rule asks who they are. Pure.
import { compareRules } from './match-order.ts'
import type { Backend, Entrance, Host, Rule } from './model.ts'
import type { LoginCheck } from './policing.ts'
import { loginStart } from './policies/logins.ts'

/** Answered by the gateway itself. */
export const loginBackend: Backend = { id: 'logins', serves: 'logins', handling: {}, protocol: 'http', servers: [] }

type Backends = ReadonlyMap<string, Backend>

export function withLoginRules(
  entrances: readonly Entrance[],
  backends: Backends,
): { readonly entrances: readonly Entrance[]; readonly backends: Backends } {
  const isAsked = [...backends.values()].some(backend => loginsOf(backend).length > 0)
  if (!isAsked) return { entrances, backends }
  return {
    entrances: entrances.map(entrance =>
      entrance.carries === undefined
        ? { ...entrance, hosts: entrance.hosts.map(host => withLogins(host, backends)) }
        : entrance,
    ),
    backends: new Map([...backends, [loginBackend.id, loginBackend]]),
  }
}

function withLogins(host: Host, backends: Backends): Host {
  const paths = new Map(
    host.rules
      .flatMap(({ action }) => action.shares.flatMap(({ backend }) => (backend === undefined ? [] : [backend])))
      .flatMap(id => loginsOf(backends.get(id)))
      .flatMap(({ source, login }) =>
        [login.redirectPath, `${login.redirectPath}${loginStart}`, login.logoutPath].map(
          path => [path, source] as const,
        ),
      ),
  )
  if (paths.size === 0) return host
  const rules = Array.from(paths, ([path, source]) => loginRule(path, source))
  return { ...host, rules: [...rules, ...host.rules].toSorted(compareRules) }
}

const loginsOf = (backend: Backend | undefined): readonly { readonly source: string; readonly login: LoginCheck }[] =>
  (backend?.handling.policies ?? []).flatMap(({ source, identity }) =>
    identity?.login === undefined ? [] : [{ source, login: identity.login }],
  )

const loginRule = (path: string, source: string): Rule => ({
  source,
  match: { path: { kind: 'exact', value: path }, headers: [], query: [] },
  action: { shares: [{ backend: loginBackend.id, weight: 1 }] },
})
