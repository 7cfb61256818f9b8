// The part of the API that other servers answer: hands their requests on and knows what they offer, for
// discovery. Source: kube-aggregator pkg/apiserver.
import type { Duplex } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import { ApiError, PlainError } from '../../api/api-error.ts'
import { isObject, type JsonObject } from '../../api/patch/json-value.ts'
import type { Exchange } from '../http/exchange.ts'
import type { ServiceAddress, ServiceResolver } from '../outgoing/resolve-service.ts'
import { forwardRequest, forwardUpgrade, type ProxyDestination } from '../outgoing/reverse-proxy.ts'
import type { UserInfo } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import { watchAvailability, type RemoteDocuments } from './availability.ts'
import { remoteUserHeaders, type FrontProxy } from './front-proxy.ts'
import { RemoteApiServices, type RemoteApiService } from './remote-api-services.ts'

interface Offer {
  readonly resources: readonly JsonObject[]
  readonly openApi: string | undefined
  /** To tell it from another one. */
  readonly text: string
}

export class Aggregator {
  readonly remotes: RemoteApiServices
  private readonly offered = new Map<string, Offer>()
  private readonly v2Documents = new Map<string, JsonObject>()
  private readonly resolve: ServiceResolver
  private readonly frontProxy: FrontProxy | undefined
  private readonly stopWatching: () => void

  /** @param changed is called when discovery says something else */
  constructor(
    context: ServerContext,
    resolve: ServiceResolver,
    frontProxy: FrontProxy | undefined,
    changed: () => void,
  ) {
    this.remotes = new RemoteApiServices(context.storage)
    this.resolve = resolve
    this.frontProxy = frontProxy
    this.stopWatching = watchAvailability({
      context,
      remotes: this.remotes,
      resolve,
      frontProxy,
      discovered: (name, documents) => {
        const offer = offerOf(name, documents, this.remotes)
        const isNew = 'openApiV2' in documents
        if (!isNew && offer.text === this.offered.get(name)?.text) return
        this.offered.set(name, offer)
        if (isNew && isObject(documents.openApiV2)) this.v2Documents.set(name, documents.openApiV2)
        else if (isNew) this.v2Documents.delete(name)
        changed()
      },
    })
  }

  stop(): void {
    this.stopWatching()
  }

  /** Who answers for this path, when it is somebody else. */
  find(path: string): RemoteApiService | undefined {
    if (this.remotes.all().size === 0) return undefined
    const [, root, group, version] = path.split('/')
    if (root === 'openapi' && group === 'v3' && version === 'apis') return this.find(path.slice('/openapi/v3'.length))
    return root === 'apis' && group !== undefined && version !== undefined
      ? this.remotes.find(group, version)
      : undefined
  }

  async serve({ request, response, caller }: Exchange, remote: RemoteApiService): Promise<void> {
    if (!remote.available) throw unavailable()
    const destination = this.destination(request, remote, caller.user, String(response.getHeader('Audit-Id')))
    try {
      await forwardRequest(request, response, destination)
    } catch (error) {
      throw error instanceof ApiError ? unavailable(error.message) : error
    }
  }

  async upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    remote: RemoteApiService,
    user: UserInfo,
    auditId: string,
  ): Promise<void> {
    if (!remote.available) throw unavailable()
    await forwardUpgrade(request, socket, head, this.destination(request, remote, user, auditId))
  }

  /** Entries of an APIResourceList; undefined when the server never told. */
  resourcesOf({ name }: RemoteApiService): readonly JsonObject[] | undefined {
    return this.offered.get(name)?.resources
  }

  /** The address of the server's OpenAPI v3 document. */
  openApiOf({ name }: RemoteApiService): string | undefined {
    return this.offered.get(name)?.openApi
  }

  openApiV2Of({ name }: RemoteApiService): JsonObject | undefined {
    return this.v2Documents.get(name)
  }

  private destination(
    request: IncomingMessage,
    remote: RemoteApiService,
    user: UserInfo,
    auditId: string,
  ): ProxyDestination {
    const { namespace, name, port } = remote.service
    let address: ServiceAddress
    try {
      address = this.resolve(namespace, name, port)
    } catch {
      // Why is said by the condition of the APIService.
      throw unavailable()
    }
    const serverName = `${name}.${namespace}.svc`
    return {
      scheme: 'https',
      ...address,
      path: request.url ?? '/',
      headers: { host: serverName, 'audit-id': auditId, ...remoteUserHeaders(user) },
      tls: {
        ca: remote.authority,
        serverName,
        verifies: remote.verifies,
        ...(this.frontProxy !== undefined && {
          certificate: this.frontProxy.client.certificate,
          key: this.frontProxy.client.key,
        }),
      },
    }
  }
}

const unavailable = (message = 'service unavailable'): PlainError => new PlainError(503, 'ServiceUnavailable', message)

/** Only what has the shape it should have. */
function offerOf(
  name: string,
  { resources: list, openApi: index }: RemoteDocuments,
  remotes: RemoteApiServices,
): Offer {
  const remote = remotes.all().get(name)
  const resources =
    isObject(list) && Array.isArray(list['resources'])
      ? list['resources']
          .filter(isObject)
          .filter(entry => typeof entry['name'] === 'string' && typeof entry['kind'] === 'string')
      : []
  const paths = isObject(index) && isObject(index['paths']) ? index['paths'] : {}
  const entry = paths[`apis/${remote?.group}/${remote?.version}`]
  const url = isObject(entry) ? entry['serverRelativeURL'] : undefined
  const openApi = typeof url === 'string' && url.startsWith('/openapi/v3/') ? url : undefined
  return { resources, openApi, text: JSON.stringify([resources, openApi]) }
}
