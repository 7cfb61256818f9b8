// Parts of an object that have an address and verbs of their own. Each is one file in this folder; the
// table of them is `routes.ts`.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { groupResource } from '../../api/resource.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Caller, Target } from '../request.ts'

export interface SubresourceRoute {
  /** The only methods of those that are served here; all without it. */
  readonly methods?: readonly string[]
  /** @param rest is the path below the subresource (proxy) */
  serve(exchange: Exchange, target: Target, rest: string): Promise<void>
  /** For requests that switch protocols (exec, attach, portforward). */
  upgrade?(upgrade: Upgrade, target: Target, rest: string): Promise<void>
}

export interface Upgrade {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly query: URLSearchParams
  readonly caller: Caller
  /** What the request was sent to. */
  readonly path: string
}

/** By `plural.group/subresource`, or `* /subresource` (without the blank) for every kind that has it. */
export type SubresourceRoutes = ReadonlyMap<string, SubresourceRoute>

export function findSubresource(
  routes: SubresourceRoutes,
  { kind, subresource }: Target,
): SubresourceRoute | undefined {
  return (
    routes.get(`${groupResource(kind.resource)}/${subresource}`) ??
    (subresource === 'scale' && kind.scale !== undefined ? routes.get('*/scale') : undefined)
  )
}
