// `pods/proxy`, `services/proxy` and `nodes/proxy`: hands a request on to a port of a pod, to somebody behind
// a service, or to the agent of a node, which has no port of its own and answers in process.
// Source: pkg/registry/core/{pod,service,node} (ResourceLocation), pkg/registry/core/*/rest.
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { badRequest, methodNotAllowed, notFound, serviceUnavailable } from '../../api/api-error.ts'
import type { EndpointAddress, Endpoints, Node, Pod, Service } from '../../api/generated/models.ts'
import { endpoints, nodes, pods, services } from '../../api/resources.ts'
import type { Exchange } from '../http/exchange.ts'
import { rewritingLinks } from '../outgoing/link-rewriting.ts'
import { refusedByAgent, type Peers } from '../outgoing/peers.ts'
import type { ServiceAddress } from '../outgoing/resolve-service.ts'
import { forwardRequest, forwardUpgrade, type ProxyDestination } from '../outgoing/reverse-proxy.ts'
import type { Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { FindNodeStreams } from './pod-streams.ts'
import { admitConnection, type ProxyOptions } from './admit-connection.ts'
import type { SubresourceRoute } from './subresource.ts'

/** Where an address is really reached; tests have no pods' network. */
export type Reach = (address: ServiceAddress) => ServiceAddress

interface Location extends ServiceAddress {
  readonly scheme: 'http' | 'https'
  /** Whose machine reaches it. */
  readonly nodeName: string | undefined
}

type Asked = Pick<Exchange, 'request' | 'caller' | 'query'>
type Locate = (target: Target, request: IncomingMessage) => Location

const agentPort = '10250'
/** Path of a namespaced object: /api/v1/namespaces/{namespace}/pods/{name}/proxy. */
const segmentsBefore = { Namespaced: 8, Cluster: 6 } as const

export function proxyRoutes(
  context: ServerContext,
  find: FindNodeStreams,
  peers: Peers,
  reach: Reach,
): Record<'pods' | 'services' | 'nodes', SubresourceRoute> {
  const { storage } = context
  const proxy = (kind: string, locate: Locate): SubresourceRoute => ({
    async serve(exchange, target) {
      const { rest, prefix } = splitPath(exchange.path, target)
      const path = await admitted(kind, target, rest, exchange)
      const location = locate(target, exchange.request)
      if (redirected(exchange, path)) return
      const peer = peerOf(exchange, location.nodeName)
      if (peer !== undefined) return forwardRequest(exchange.request, exchange.response, peer)
      await forwardRequest(
        exchange.request,
        exchange.response,
        destination(exchange, location, path),
        rewritingLinks(prefix, [`${location.host}:${location.port}`, exchange.request.headers.host ?? '']),
      )
    },
    async upgrade(upgrade, target) {
      const { rest } = splitPath(upgrade.path, target)
      const path = await admitted(kind, target, rest, upgrade)
      const location = locate(target, upgrade.request)
      await forwardUpgrade(
        upgrade.request,
        upgrade.socket,
        upgrade.head,
        peerOf(upgrade, location.nodeName) ?? destination(upgrade, location, path),
      )
    },
  })

  /** @returns where to below the subresource: as the client wrote it, unless admission says otherwise */
  async function admitted(kind: string, target: Target, rest: string, asked: Asked): Promise<string> {
    const path = pathOption(rest)
    const { path: after = '' } = await admitConnection<ProxyOptions>(
      context,
      target,
      kind,
      path === '' ? {} : { path },
      asked,
    )
    if (after === path) return rest
    const slash = rest.endsWith('/') && !after.endsWith('/') ? '/' : ''
    return `/${after.replace(/^\/+/, '').split('/').map(encodeURIComponent).join('/')}${slash}`
  }

  const peerOf = ({ request, caller }: Asked, nodeName: string | undefined): ProxyDestination | undefined =>
    nodeName === undefined ? undefined : peers.destination(request, nodeName, caller.user)

  function destination(
    { request, path }: Pick<Exchange, 'request' | 'path'>,
    { scheme, host, port }: Location,
    rest: string,
  ): ProxyDestination {
    const url = request.url ?? ''
    const question = url.indexOf('?')
    return {
      scheme,
      ...reach({ host, port }),
      path: (rest || '/') + (question < 0 ? '' : url.slice(question)),
      headers: { 'x-forwarded-uri': path },
    }
  }

  function podLocation({ name: id, namespace }: Target): Location {
    const { scheme, name, port } = splitId(id, 'pod')
    const found = storage.get(pods, `${namespace}/${name}`)?.object as Pod | undefined
    if (found === undefined) throw notFound(pods, name)
    const host = found.status?.podIPs?.[0]?.ip ?? ''
    if (!isGlobalUnicast(host)) throw badRequest('address not allowed')
    const declared = found.spec.containers.find(container => (container.ports ?? []).length > 0)?.ports?.[0]
      ?.containerPort
    return {
      scheme,
      host,
      port: port === '' ? (declared ?? (scheme === 'https' ? 443 : 80)) : portNumber(port),
      nodeName: found.spec.nodeName,
    }
  }

  function serviceLocation({ name: id, namespace }: Target, request: IncomingMessage): Location {
    const { scheme, name, port } = splitId(id, 'service')
    const portName = /^\d+$/.test(port) ? namedPort(`${namespace}/${name}`, name, Number(port)) : port
    const published = storage.get(endpoints, `${namespace}/${name}`)?.object as Endpoints | undefined
    if (published === undefined) throw notFound(endpoints, name)
    const choices = (published.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
      ports
        .filter(each => (each.name ?? '') === portName)
        .flatMap(each =>
          addresses
            .flatMap(address => podBehind(address, namespace))
            .map(({ host, nodeName }) => ({ scheme, host, port: each.port, nodeName })),
        ),
    )
    // Another server chose already, and chose a pod here.
    const near = peers.isFromPeer(request)
      ? choices.filter(({ nodeName }) => nodeName === undefined || peers.find(nodeName) === undefined)
      : []
    const chosen = oneOf(near.length > 0 ? near : choices)
    if (chosen === undefined)
      throw serviceUnavailable(
        `no endpoints available for service ${JSON.stringify((published.subsets ?? []).length === 0 ? name : id)}`,
      )
    return chosen
  }

  /** Endpoints can be written by hand: nobody gets to other addresses than those of pods this way. */
  function podBehind(
    { ip, targetRef }: EndpointAddress,
    namespace: string | undefined,
  ): { host: string; nodeName: string | undefined }[] {
    if (targetRef?.name === undefined || targetRef.namespace !== namespace) return []
    const pod = storage.get(pods, `${namespace}/${targetRef.name}`)?.object as Pod | undefined
    return pod?.status?.podIPs?.some(each => each.ip === ip) === true ? [{ host: ip, nodeName: pod.spec.nodeName }] : []
  }

  const oneOf = <T>(choices: readonly T[]): T | undefined =>
    choices[Math.floor(context.random.fraction() * choices.length)]

  function namedPort(key: string, name: string, port: number): string {
    const service = storage.get(services, key)?.object as Service | undefined
    if (service === undefined) throw notFound(services, name)
    const found = service.spec.ports?.find(each => each.port === port)
    if (found === undefined)
      throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
    return found.name ?? ''
  }

  function nodeOf(id: string): { node: Node; scheme: 'http' | 'https'; port: string } {
    const { scheme, name, port } = splitId(id, 'node')
    const node = storage.get(nodes, name)?.object as Node | undefined
    if (node === undefined) throw notFound(nodes, name)
    return { node, scheme, port }
  }

  function nodeLocation({ name: id }: Target): Location {
    const { node, scheme, port } = nodeOf(id)
    const host = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
    if (!isGlobalUnicast(host)) throw badRequest('address not allowed')
    return { scheme, host, port: portNumber(port), nodeName: node.metadata.name }
  }

  const otherPorts = proxy('NodeProxyOptions', nodeLocation)
  const isAgent = (port: string): boolean => port === '' || port === agentPort
  return {
    pods: proxy('PodProxyOptions', podLocation),
    services: proxy('ServiceProxyOptions', serviceLocation),
    nodes: {
      ...otherPorts,
      async serve(exchange, target, below) {
        if (!isAgent(splitId(target.name, 'node').port)) {
          await otherPorts.serve(exchange, target, below)
          return
        }
        const { rest } = splitPath(exchange.path, target)
        const path = await admitted('NodeProxyOptions', target, rest, exchange)
        const { node } = nodeOf(target.name)
        if (redirected(exchange, path)) return
        const peer = peerOf(exchange, node.metadata.name)
        if (peer === undefined) await serveAgent(exchange, node.metadata.name, path)
        else await forwardRequest(exchange.request, exchange.response, peer)
      },
    },
  }

  async function serveAgent({ request, response, query }: Exchange, nodeName: string, path: string): Promise<void> {
    const agent = find(nodeName)
    if (agent === undefined)
      throw serviceUnavailable(`error trying to reach service: ${refusedByAgent(storage, nodeName).text}`)
    if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed()
    const answer = await agent.endpoint(path, query)
    response.writeHead(answer.status, { 'Content-Type': answer.contentType })
    if (typeof answer.body === 'string') response.end(answer.body)
    // A client that stops reading is no fault.
    else await pipeline(answer.body, response).catch(() => {})
  }
}

/** What stands after `proxy`, not decoded, and the path up to there. */
function splitPath(path: string, { kind: { resource } }: Target): { rest: string; prefix: string } {
  const segments = path.split('/')
  const before = segmentsBefore[resource.scope]
  return {
    rest: segments
      .slice(before)
      .map(segment => `/${segment}`)
      .join(''),
    prefix: segments.slice(0, before).join('/'),
  }
}

function pathOption(rest: string): string {
  try {
    return decodeURIComponent(rest).replace(/^\/+|\/+$/g, '')
  } catch {
    throw badRequest(`invalid URL escape in ${JSON.stringify(rest)}`)
  }
}

/** Pages expect to be at a path that ends with a slash. */
function redirected({ request, response }: Exchange, rest: string): boolean {
  if (rest !== '' || (request.method !== 'GET' && request.method !== 'HEAD')) return false
  response.writeHead(301, { Location: (request.url ?? '').replace(/(?=\?|$)/, '/') }).end()
  return true
}

/** `name`, `name:port` or `scheme:name:port`. */
function splitId(id: string, what: string): { scheme: 'http' | 'https'; name: string; port: string } {
  const parts = id.split(':')
  const [scheme, name, port] =
    parts.length === 3 ? (parts as [string, string, string]) : ['', parts[0]!, parts[1] ?? '']
  if (parts.length > 3 || !['', 'http', 'https'].includes(scheme) || name === '')
    throw badRequest(`invalid ${what} request ${JSON.stringify(id)}`)
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port }
}

function portNumber(port: string): number {
  const number = Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw serviceUnavailable(`error trying to reach service: dial tcp: lookup tcp/${port}: unknown port`)
  return number
}

/** Nothing of the machine itself: no loopback, link-local or multicast address. */
const isGlobalUnicast = (address: string): boolean =>
  isIP(address) !== 0 &&
  !/^(?:127\.|169\.254\.|0\.0\.0\.0|22[4-9]\.|23\d\.|255\.255\.255\.255|::1?$|fe80:|ff)/i.test(address)
