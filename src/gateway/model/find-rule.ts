// The rule that takes a request, found by trying them in their order: what `explain` tells, and what HAProxy's tables are
// tested against. Pure.
import { prefixOf } from './match-order.ts'
import { fitsPattern } from './patterns.ts'
import type { Entrance, Host, HostName, PathMatch, RequestMatch, Rule, ValueMatch } from './model.ts'

export interface AskedRequest {
  /** Without a port. */
  readonly host: string
  readonly path: string
  readonly method: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
}

export function findRule({ hosts }: Pick<Entrance, 'hosts'>, request: AskedRequest): Rule | undefined {
  const fitting = hosts.filter(({ name }) => answersTo(name, request.host)).toSorted(compareHosts)
  return fitting
    .filter(({ listener }) => listener === fitting[0]?.listener)
    .flatMap(({ rules }) => rules)
    .find(({ match }) => matches(match, request))
}

export function answersTo(name: HostName, host: string): boolean {
  const asked = host.toLowerCase()
  switch (name.kind) {
    case 'exact':
      return asked === name.name
    case 'one-label':
      return asked.endsWith(`.${name.below}`) && !asked.slice(0, -name.below.length - 1).includes('.')
    case 'below':
      return asked.endsWith(`.${name.below}`)
    case 'any':
      return true
  }
}

const hostKinds = ['exact', 'one-label', 'below', 'any'] as const

/** The most telling one first. */
export function compareHosts({ name: left }: Pick<Host, 'name'>, { name: right }: Pick<Host, 'name'>): number {
  const lengthOf = (name: HostName): number => ('below' in name ? name.below.length : 0)
  if (left.kind === 'exact' || right.kind === 'exact' || left.kind === 'any' || right.kind === 'any')
    return hostKinds.indexOf(left.kind) - hostKinds.indexOf(right.kind)
  return lengthOf(right) - lengthOf(left) || hostKinds.indexOf(left.kind) - hostKinds.indexOf(right.kind)
}

export const matches = (match: RequestMatch, request: AskedRequest): boolean =>
  matchesPath(match.path, request.path) &&
  (match.method === undefined || match.method === request.method) &&
  match.headers.every(header => matchesValue(header, request.headers[header.name.toLowerCase()])) &&
  match.query.every(parameter => matchesValue(parameter, request.query[parameter.name]))

export function matchesPath({ kind, value }: PathMatch, path: string): boolean {
  switch (kind) {
    case 'exact':
      return path === value
    case 'prefix': {
      const prefix = prefixOf(value)
      return path === prefix || path.startsWith(`${prefix}/`)
    }
    case 'pattern':
      return fitsPattern(value, path)
  }
}

const matchesValue = ({ kind, value }: ValueMatch, found: string | undefined): boolean =>
  found !== undefined && (kind === 'exact' ? found === value : fitsPattern(value, found))
