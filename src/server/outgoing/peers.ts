// Several servers may share a cluster, each with a node of its own. What concerns a node of another one is
// handed on to it, over TLS with the front proxy's certificate and on behalf of the same user; what came
// that way is answered here or not at all.
import type { IncomingMessage } from 'node:http'
import { ApiError, notFound } from '../../api/api-error.ts'
import type { Node } from '../../api/generated/models.ts'
import { nodes } from '../../api/resources.ts'
import { remoteUserHeaders, type FrontProxy } from '../aggregation/front-proxy.ts'
import type { UserInfo } from '../request.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import { hostAndPort } from './network-fault.ts'
import type { ServiceAddress } from './resolve-service.ts'
import type { ProxyDestination } from './reverse-proxy.ts'

/** Where the server of a node listens; undefined when it is this server's node, or that of none that lives. */
export type FindPeer = (nodeName: string) => ServiceAddress | undefined

export interface Peers {
  readonly find: FindPeer
  /** Where a request about a node goes on to; undefined: nowhere. */
  destination(request: IncomingMessage, nodeName: string, user: UserInfo): ProxyDestination | undefined
  /** Whether another server handed this request on. */
  isFromPeer(request: IncomingMessage): boolean
}

/** What kube-apiserver marks requests with that it handed on to another one. Source: apiserver pkg/util/peerproxy. */
const mark = 'x-kubernetes-peer-proxied'
/** A name in the certificate of every server of the cluster. */
export const peerServerName = 'kubernetes.default.svc'

export function peersOf(find: FindPeer, frontProxy: FrontProxy | undefined): Peers {
  const isFromPeer = ({ headers }: IncomingMessage): boolean => headers[mark] !== undefined
  return {
    find,
    isFromPeer,
    destination(request, nodeName, user) {
      const address = isFromPeer(request) || frontProxy === undefined ? undefined : find(nodeName)
      if (address === undefined || frontProxy === undefined) return undefined
      const {
        client: { certificate, key },
        clientAuthority,
      } = frontProxy
      return {
        scheme: 'https',
        ...address,
        path: request.url ?? '/',
        headers: { ...remoteUserHeaders(user), [mark]: 'true' },
        tls: { ca: clientAuthority, serverName: peerServerName, verifies: true, certificate, key },
      }
    },
  }
}

/**
 * What Go says when nothing listens where the agent of a node should. @throws ApiError when there is no such node
 */
export function refusedByAgent(
  storage: ObjectStorage,
  nodeName: string,
): { readonly address: string; readonly text: string } {
  const node = storage.get(nodes, nodeName)?.object as Node | undefined
  if (node === undefined) throw notFound(nodes, nodeName)
  const { addresses, daemonEndpoints } = node.status ?? {}
  const address = hostAndPort(
    addresses?.find(({ type }) => type === 'InternalIP')?.address ?? nodeName,
    daemonEndpoints?.kubeletEndpoint?.Port || 10_250,
  )
  return { address, text: `dial tcp ${address}: connect: connection refused` }
}

/** How a GET fails whose server does not answer. */
export const unansweredGet = (url: string, why: string): ApiError => new ApiError(500, '', `Get "${url}": ${why}`)
