// The table of subresources.
import type { Peers } from '../outgoing/peers.ts'
import type { ServerContext } from '../server-context.ts'
import { bindingRoute } from './binding.ts'
import { evictionRoute } from './eviction.ts'
import { finalizeRoute } from './finalize.ts'
import { podStreamRoutes, type FindNodeStreams } from './pod-streams.ts'
import { proxyRoutes, type Reach } from './proxy.ts'
import { scaleRoute } from './scale.ts'
import type { SubresourceRoute } from './subresource.ts'
import { tokenRoute } from './token.ts'

export function subresourceRoutes(
  context: ServerContext,
  findNodeStreams: FindNodeStreams,
  peers: Peers,
  reach: Reach,
): ReadonlyMap<string, SubresourceRoute> {
  const streams = podStreamRoutes(context, findNodeStreams, peers)
  const proxies = proxyRoutes(context, findNodeStreams, peers, reach)
  return new Map<string, SubresourceRoute>([
    ['*/scale', scaleRoute(context)],
    ['pods/binding', bindingRoute(context)],
    ['pods/eviction', evictionRoute(context)],
    ['pods/log', streams.log],
    ['pods/exec', streams.exec],
    ['pods/attach', streams.attach],
    ['pods/portforward', streams.portforward],
    ['pods/proxy', proxies.pods],
    ['services/proxy', proxies.services],
    ['nodes/proxy', proxies.nodes],
    ['serviceaccounts/token', tokenRoute(context)],
    ['namespaces/finalize', finalizeRoute(context)],
  ])
}
