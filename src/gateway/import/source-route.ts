// A route as another gateway has it: what it takes, in which order, and where it leads. Pure.
import type { HTTPRouteFilter, ParentReference, PathModifier } from '../../api/gateway-api/types.ts'
import { fitsPattern } from '../model/patterns.ts'
import { answersTo, type AskedRequest } from '../model/find-rule.ts'
import { gatewayHost } from '../model/host-names.ts'
import { takesPath, type SourcePath } from './paths.ts'

export interface SourceRoute {
  /** Where it stands, for the report. */
  readonly at: string
  /** Of the objects that are made of it. */
  readonly name: string
  /** None: any. */
  readonly hosts: readonly string[]
  /** One of them; at least one. */
  readonly paths: readonly RoutedPath[]
  /** Of gRPC. */
  readonly isForCalls?: boolean
  /** One of them; none: any. */
  readonly methods: readonly string[]
  readonly headers: readonly SourceHeader[]
  readonly filters: readonly HTTPRouteFilter[]
  /** In place of a backend. */
  readonly isAnswered?: boolean
  readonly backends: readonly SourceBackend[]
  readonly timeout?: string
  /** Requests in plain text are not taken, or sent to where TLS is. */
  readonly secureOnly?: { readonly redirect?: 301 | 302 | 307 | 308 }
  readonly plainOnly?: boolean
  /** Where it is not the usual one. */
  readonly parent?: ParentReference
}

export interface RoutedPath {
  readonly path: SourcePath
  /** The place among all others: the greater one goes first, from the left to the right. */
  readonly rank: readonly number[]
  readonly change?: PathModifier
  readonly filters?: readonly HTTPRouteFilter[]
  readonly isAnswered?: boolean
}

/** Has one of the values; compared without regard to case. */
export interface SourceHeader {
  readonly name: string
  readonly values: readonly { readonly kind: 'exact' | 'pattern'; readonly value: string }[]
}

export interface SourceBackend {
  readonly namespace?: string
  readonly name: string
  readonly port: number
  readonly weight?: number
}

/** One path of a route: the unit that has a place in the order. */
export interface Piece extends RoutedPath {
  readonly route: SourceRoute
}

/** In the order in which the other gateway tries them. */
export const piecesOf = (routes: readonly SourceRoute[]): readonly Piece[] =>
  routes.flatMap(route => route.paths.map(path => ({ route, ...path }))).toSorted(compareRanks)

function compareRanks({ rank: left }: Piece, { rank: right }: Piece): number {
  const different = left.findIndex((value, index) => value !== right[index])
  return different === -1 ? 0 : right[different]! - left[different]!
}

export const takesHost = ({ hosts }: SourceRoute, asked: string): boolean =>
  hosts.length === 0 || hosts.some(host => answersTo(gatewayHost(host), asked))

export const takes = ({ route, path }: Piece, request: AskedRequest): boolean =>
  takesHost(route, request.host) &&
  takesPath(path, request.path) &&
  (route.methods.length === 0 || route.methods.includes(request.method)) &&
  route.headers.every(({ name, values }) => {
    const found = request.headers[name.toLowerCase()]?.toLowerCase()
    return (
      found !== undefined &&
      values.some(({ kind, value }) => (kind === 'exact' ? found === value.toLowerCase() : fitsPattern(value, found)))
    )
  })
