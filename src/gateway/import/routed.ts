// HTTPRoutes out of the routes of another gateway, together with what is told of paths; and what is told of the order of all
// routes. Pure.
import { arranged, mostPathCharacters, type Arranged } from './arrange.ts'
import type { GRPCRoute, HTTPRoute } from '../../api/gateway-api/types.ts'
import { grpcRules } from '../model/grpc-route-rules.ts'
import { httpRules } from '../model/http-route-rules.ts'
import type { ImportContext, Written } from './context.ts'
import { differences, mostCompared, type MadeRules } from './differences.ts'
import type { MadeCalls } from './grpc-routes.ts'
import { httpRoutes, type MadeRoute } from './http-routes.ts'
import { piecesOf, type SourceRoute } from './source-route.ts'

export function routed(routes: readonly SourceRoute[], context: ImportContext): readonly MadeRoute[] {
  const { report } = context
  const all = arranged(piecesOf(routes))
  const fitting = all.filter(({ match }) => match.value.length <= mostPathCharacters && isTaken(match))
  for (const { piece, match } of all)
    if (!fitting.some(each => each.match === match))
      report.leftOut(
        piece.route.at,
        `${piece.path.value}: it is no path that HTTPRoute takes; write a shorter or a plain one`,
      )
  const made = httpRoutes(fitting, context)
  for (const route of routes) {
    const objects = made.filter(({ source }) => source === route).map(({ object }) => object.metadata.name)
    if (objects.length > 0) report.kept(route.at, `the HTTPRoute ${objects.join(', ')}`)
  }
  fitting.forEach(each => tellPath(each, context))
  return made
}

/** Requests that go another way, with an example. */
export function tellDifferences(
  routes: readonly SourceRoute[],
  { http, calls = [] }: { readonly http: readonly MadeRoute[]; readonly calls?: readonly MadeCalls[] },
  { report }: ImportContext,
): void {
  const made: readonly MadeRules[] = [
    ...http
      .filter(({ isRedirect }) => !isRedirect)
      .map(({ source, object }) => madeRules(source, object, httpRules(object as unknown as HTTPRoute))),
    ...calls.flatMap(({ source, objects }) =>
      objects.map(object => madeRules(source, object, grpcRules(object as unknown as GRPCRoute))),
    ),
  ]
  for (const { before, after, example } of differences(routes, made))
    report.changed(
      (before ?? after)!.at,
      before === undefined
        ? `requests such as ${example} were taken by nothing, and are by it now`
        : `requests such as ${example} are taken by ${after === undefined ? 'nothing (404)' : after.at} now`,
    )
  if (routes.length > mostCompared)
    report.changed(
      'routes',
      `whether each request goes where it went was tried for the first ${mostCompared} routes of a host`,
    )
}

const madeRules = (
  source: SourceRoute,
  { kind, metadata, spec }: Written<HTTPRoute> | Written<GRPCRoute>,
  rules: MadeRules['rules'],
): MadeRules => ({ source, name: `${kind} ${metadata.name}`, hosts: spec.hostnames, rules })

/** Source: Gateway API, HTTPPathMatch: prefixes and exact paths have these characters. */
const isTaken = ({ type, value }: Arranged['match']): boolean =>
  type === 'RegularExpression' ||
  (/^\/(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*$/.test(value) && !/\/\/|%2f/i.test(value))

function tellPath({ piece, match, padding }: Arranged, { report }: ImportContext): void {
  const { path, route } = piece
  if (path.value === '/' && match.type === 'RegularExpression')
    report.changed(route.at, `all paths are the expression ${match.value}, which goes before other prefixes, as it did`)
  else if (path.kind === 'prefix' && match.type === 'RegularExpression')
    report.changed(
      route.at,
      `the prefix ${path.value} is the expression ${match.value}, since it takes ${path.value}x as well, and a prefix of a Gateway ends with a segment`,
    )
  else if (path.kind === 'prefix' && path.value !== '/')
    report.changed(
      route.at,
      `the prefix ${path.value} ends with a segment here, since its path is changed: ${path.value.replace(/\/+$/, '')}x is not taken any more`,
    )
  else if (path.kind === 'pattern')
    report.kept(route.at, `the expression ${path.value} is ${match.value}, which has to fit all of a path`)
  if (padding > 0)
    report.changed(
      route.at,
      `${match.value}: ^ at its beginning says nothing, and puts it before others, since the longer expression goes first`,
    )
}
