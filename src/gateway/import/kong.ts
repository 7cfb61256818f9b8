// Kong's declarative configuration as objects of the gateway. Pure.
import { connectionObjects, type Connection } from './connections.ts'
import type { ImportContext } from './context.ts'
import type { Effect } from './effect.ts'
import { grpcRoutes } from './grpc-routes.ts'
import { kongCertificates } from './kong-certificates.ts'
import { kongConsumers } from './kong-consumers.ts'
import { kongFile, tellUnread } from './kong-file.ts'
import { kongPlugins } from './kong-plugins.ts'
import { kongRoutes } from './kong-routes.ts'
import { kongServices } from './kong-services.ts'
import { policiesFor } from './policies.ts'
import { routed, tellDifferences } from './routed.ts'

export function importKong(source: Readonly<Record<string, unknown>>, context: ImportContext): readonly object[] {
  const { report } = context
  const file = kongFile(source, report)
  const services = kongServices(file, context)
  const plugins = kongPlugins(file, context)
  const { routes, streams } = kongRoutes(file, services, plugins, context)
  const sources = routes.map(({ source: route }) => route)
  const http = routed(
    sources.filter(({ isForCalls }) => isForCalls !== true),
    context,
  )
  const calls = sources.filter(({ isForCalls }) => isForCalls === true).map(route => grpcRoutes(route, context))
  tellDifferences(sources, { http, calls }, context)
  const consumers = kongConsumers(file, context)
  const policed = routes
    .map(({ source: route, effects }) => ({
      at: route.at,
      effects,
      targets: [
        ...http
          .filter(made => made.source === route && !made.isRedirect)
          .map(({ object }) => ({ kind: 'HTTPRoute' as const, name: object.metadata.name })),
        ...calls
          .filter(made => made.source === route)
          .flatMap(({ objects }) =>
            objects.map(({ metadata }) => ({ kind: 'GRPCRoute' as const, name: metadata.name })),
          ),
      ],
    }))
    .filter(({ targets }) => targets.length > 0)
  for (const { at, effects } of streams)
    for (const effect of effects.filter(doesSomething))
      report.leftOut(
        at,
        `the plugin ${effect.plugin} is not for connections that are handed on; write a policy for the Service`,
      )
  const connections = streams.map(({ name, ports, names, service }): Connection => ({
    name,
    ports,
    names,
    backends: service.backends,
  }))
  const objects = [
    ...consumers.objects,
    ...plugins.objects,
    ...services.objects,
    ...kongCertificates(file, context),
    ...http.map(({ object }) => object),
    ...calls.flatMap(made => made.objects),
    ...connectionObjects(connections, context),
    ...policiesFor(policed, consumers.groups, context),
  ]
  for (const fields of file.authorities.values()) tellUnread(fields)
  return objects
}

const doesSomething = (effect: Effect): boolean =>
  Object.keys(effect).some(key => !['at', 'plugin', 'name', 'objects'].includes(key))
