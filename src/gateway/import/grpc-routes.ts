// GRPCRoutes out of routes for calls: their paths begin with the service and the method. Pure. Source: gRPC over HTTP/2.
import { gatewayGroup } from '../../api/gateway-names.ts'
import type { GRPCRoute, GRPCRouteMatch } from '../../api/gateway-api/types.ts'
import type { ImportContext, Written } from './context.ts'
import type { SourcePath } from './paths.ts'
import type { SourceRoute } from './source-route.ts'

export interface MadeCalls {
  readonly source: SourceRoute
  readonly objects: readonly Written<GRPCRoute>[]
}

export function grpcRoutes(source: SourceRoute, { namespace, names, parent, report }: ImportContext): MadeCalls {
  const { at, hosts, paths, methods, headers, backends, filters } = source
  const found = paths.map(({ path }) => ({ path, method: callOf(path) }))
  for (const { path, method } of found)
    if (method === 'none')
      report.leftOut(at, `${path.value}: expected a path such as /package.Service/Method; write a GRPCRoute`)
  const usable = found.flatMap(({ method }) => (method === 'none' ? [] : [method]))
  if (usable.length === 0) return { source, objects: [] }
  if (methods.length > 0) report.changed(at, 'calls are all POST, so that methods are not looked at')
  if (headers.some(({ values }) => values.length > 1)) {
    report.leftOut(at, 'headers of a GRPCRoute have one value each, and without them it would take more; write it')
    return { source, objects: [] }
  }
  const own = headers.map(({ name, values: [first] }) => ({
    type: 'RegularExpression' as const,
    name,
    value: `(?i)${first!.kind === 'pattern' ? first!.value : first!.value.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)}`,
  }))
  const kept = filters.filter(
    filter => filter.type === 'RequestHeaderModifier' || filter.type === 'ResponseHeaderModifier',
  )
  for (const { type } of filters)
    if (!kept.some(filter => filter.type === type))
      report.changed(
        at,
        type === 'URLRewrite' ? 'the service gets the Host that was asked for' : `a GRPCRoute has no ${type}`,
      )
  const matches: GRPCRouteMatch[] = usable.map(method => ({
    ...(method && { method }),
    ...(own.length > 0 && { headers: own }),
  }))
  const place = source.secureOnly === undefined ? parent : { ...parent, port: 443 }
  const name = names.take('GRPCRoute', source.name)
  report.kept(at, `the GRPCRoute ${name}`)
  return {
    source,
    objects: [
      {
        apiVersion: `${gatewayGroup}/v1`,
        kind: 'GRPCRoute',
        metadata: { name, namespace },
        spec: {
          parentRefs: [place],
          ...(hosts.length > 0 && { hostnames: hosts.slice(0, 16) }),
          rules: [
            {
              matches: matches.slice(0, 64),
              ...(kept.length > 0 && { filters: kept }),
              backendRefs: backends.map(({ name: service, namespace: other, port, weight = 1 }) => ({
                group: '',
                kind: 'Service',
                name: service,
                ...(other !== undefined && { namespace: other }),
                port,
                weight,
              })),
            },
          ],
        },
      },
    ],
  }
}

/** undefined: all calls. */
function callOf(path: SourcePath): GRPCRouteMatch['method'] | 'none' {
  if (path.kind !== 'prefix') return 'none'
  const [, service = '', slash, method = ''] = /^\/([A-Za-z0-9_.]*)(\/?)([A-Za-z0-9_]*)$/.exec(path.value) ?? [
    '',
    'none?',
  ]
  if (service === 'none?') return 'none'
  if (service === '') return undefined
  if (slash !== '' && method === '') return { type: 'Exact', service }
  const escaped = service.replaceAll('.', String.raw`\.`)
  return slash === ''
    ? { type: 'RegularExpression', service: `${escaped}.*` }
    : { type: 'RegularExpression', service: escaped, method: `${method}.*` }
}
