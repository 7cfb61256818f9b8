// /api, /apis, the group and version documents below them, and OpenAPI. Each document is made once per
// set of kinds.
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { apiGroup, apiGroupList, apiResourceList, apiVersions, aggregatedDiscovery } from '../../api/discovery.ts'
import { noSuchPage, noSuchPath } from '../../api/api-error.ts'
import { loadDocs } from '../../api/openapi/docs.ts'
import { openApiV2 } from '../../api/openapi/open-api-v2.ts'
import { binaryAccepted, binaryType } from '../../api/openapi/gnostic-messages.ts'
import { openApiV2Binary } from '../../api/openapi/open-api-v2-binary.ts'
import { openApiV3 } from '../../api/openapi/open-api-v3.ts'
import { openApiV3Binary } from '../../api/openapi/open-api-v3-binary.ts'
import type { Aggregator } from '../aggregation/aggregator.ts'
import {
  discoveredVersions,
  remoteGroups,
  withRemotePaths,
  withRemoteVersions,
} from '../aggregation/remote-discovery.ts'
import type { KindRegistry } from '../kind-registry.ts'
import type { Exchange } from './exchange.ts'
import { mediaTypes, negotiatePlain, preferredType, prefersAggregatedDiscovery } from './negotiation.ts'
import { sendBytes, sendValue } from './respond.ts'

interface EncodedDocument {
  readonly bytes: Buffer
  readonly hash: string
  /** As protobuf, once it was asked for. */
  binary?: Promise<Buffer>
}

/** Paths and definitions that are encoded before others get their turn. */
const encodedAtOnce = 50

export class DiscoveryRoutes {
  private readonly documents = new Map<string, EncodedDocument>()
  private readonly kinds: KindRegistry
  /** Who knows what others answer for. */
  aggregator: Aggregator | undefined

  constructor(kinds: KindRegistry) {
    this.kinds = kinds
  }

  /** Kinds came or went. */
  invalidate(): void {
    this.documents.clear()
  }

  /** @returns whether the path was one of discovery's */
  async serve(exchange: Exchange): Promise<boolean> {
    const segments = exchange.path.split('/').filter(segment => segment !== '')
    const [root, group, version, ...more] = segments
    if (root === 'openapi') return this.serveOpenApi(exchange, segments.slice(1))
    if (more.length > 0 || (root !== 'api' && root !== 'apis')) return false
    if (segments.length === 1) await this.serveRoot(exchange, root)
    else if (root === 'api' && version === undefined) await this.serveResources(exchange, '', group!)
    else if (root === 'apis' && version !== undefined) await this.serveResources(exchange, group!, version)
    else if (root === 'apis') await this.serveGroup(exchange, group!)
    else return false
    return true
  }

  private async serveRoot(exchange: Exchange, root: 'api' | 'apis'): Promise<void> {
    if (!prefersAggregatedDiscovery(exchange.request.headers.accept ?? ''))
      return sendDocument(exchange, root === 'api' ? apiVersions() : this.groupList())
    const { bytes, hash } = this.document(`aggregated ${root}`, () =>
      root === 'api' ? aggregatedDiscovery('core', this.kinds.all()) : this.aggregatedGroups(),
    )
    await sendCacheable(exchange, bytes, hash, 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
  }

  private groupList(): object {
    const list = apiGroupList(this.kinds.all()) as { groups: Parameters<typeof withRemoteVersions>[0][] }
    const { aggregator } = this
    if (aggregator === undefined || aggregator.remotes.all().size === 0) return list
    const others = remoteGroups(aggregator).filter(group => !list.groups.some(entry => entry?.name === group))
    return {
      ...list,
      groups: [
        ...list.groups.map(entry => withRemoteVersions(entry, entry!.name, aggregator)),
        ...others.map(group => withRemoteVersions(undefined, group, aggregator)),
      ],
    }
  }

  private aggregatedGroups(): object {
    const list = aggregatedDiscovery('groups', this.kinds.all()) as {
      items: { metadata: { name?: string }; versions: { version: string }[] }[]
    }
    const { aggregator } = this
    if (aggregator === undefined || aggregator.remotes.all().size === 0) return list
    const own = list.items.map(item => ({
      ...item,
      versions: [...item.versions, ...discoveredVersions(item.metadata.name ?? '', aggregator)],
    }))
    const others = remoteGroups(aggregator).filter(group => !own.some(({ metadata }) => metadata.name === group))
    return {
      ...list,
      items: [
        ...own,
        ...others.map(group => ({
          metadata: { name: group, creationTimestamp: null },
          versions: discoveredVersions(group, aggregator),
        })),
      ],
    }
  }

  private async serveGroup(exchange: Exchange, group: string): Promise<void> {
    const { aggregator } = this
    if (aggregator !== undefined && aggregator.remotes.versionsOf(group).length > 0) {
      const own = this.kinds.hasGroup(group)
        ? (apiGroup(group, this.kinds.all()) as Parameters<typeof withRemoteVersions>[0])
        : undefined
      return sendDocument(exchange, {
        kind: 'APIGroup',
        apiVersion: 'v1',
        ...withRemoteVersions(own, group, aggregator),
      })
    }
    if (!this.kinds.all().some(kind => kind.resource.group === group)) throw noSuchPage()
    await sendDocument(exchange, apiGroup(group, this.kinds.all()))
  }

  private async serveResources(exchange: Exchange, group: string, version: string): Promise<void> {
    if (!this.kinds.hasGroupVersion(group, version)) throw this.kinds.hasOwnGroup(group) ? noSuchPath() : noSuchPage()
    await sendDocument(exchange, apiResourceList(group, version, this.kinds.all()))
  }

  private async serveOpenApi(exchange: Exchange, [openApiVersion, ...path]: string[]): Promise<boolean> {
    await loadDocs()
    if (openApiVersion === 'v2' && path.length === 0) {
      await this.serveOpenApiV2(exchange)
      return true
    }
    if (openApiVersion !== 'v3') return false
    if (path.length === 0) await this.serveOpenApiIndex(exchange)
    else await this.serveGroupVersionDocument(exchange, path.join('/'))
    return true
  }

  private async serveOpenApiV2(exchange: Exchange): Promise<void> {
    await serveOpenApiDocument(
      exchange,
      2,
      this.document('openapi v2', () =>
        this.aggregator === undefined
          ? openApiV2(this.kinds.all())
          : withRemotePaths(openApiV2(this.kinds.all()), this.aggregator),
      ),
    )
  }

  private async serveOpenApiIndex(exchange: Exchange): Promise<void> {
    const paths = Object.fromEntries(
      this.groupVersionPaths().map(path => [
        path,
        { serverRelativeURL: `/openapi/v3/${path}?hash=${this.openApiDocument(path).hash}` },
      ]),
    )
    const remote = [...(this.aggregator?.remotes.all().values() ?? [])]
      .map(each => [`apis/${each.group}/${each.version}`, this.aggregator?.openApiOf(each)] as const)
      .filter(([, url]) => url !== undefined)
    await sendValue(exchange, 200, {
      paths: { ...paths, ...Object.fromEntries(remote.map(([path, url]) => [path, { serverRelativeURL: url }])) },
    })
  }

  private async serveGroupVersionDocument(exchange: Exchange, path: string): Promise<void> {
    if (!this.groupVersionPaths().includes(path)) throw noSuchPath()
    const document = this.openApiDocument(path)
    const asked = exchange.query.get('hash')
    if (asked) {
      if (asked !== document.hash) {
        exchange.response.writeHead(301, { Location: `/openapi/v3/${path}?hash=${document.hash}` }).end()
        return
      }
      exchange.response.setHeader('Cache-Control', 'public, immutable')
      exchange.response.setHeader('Expires', new Date(Date.now() + 365 * 86_400_000).toUTCString())
    }
    await serveOpenApiDocument(exchange, 3, document)
  }

  /** Every group and version there is, other servers' included: `/apis/apps`, `/apis/apps/v1`. */
  paths(): string[] {
    const own = this.groupVersionPaths()
    const remote = [...(this.aggregator?.remotes.all().values() ?? [])].map(
      ({ group, version }) => `apis/${group}/${version}`,
    )
    const versions = [...own, ...remote].map(path => `/${path}`)
    return [...new Set(versions.flatMap(path => [path.slice(0, path.lastIndexOf('/')), path]))]
  }

  private groupVersionPaths(): string[] {
    return [
      ...new Set(
        this.kinds
          .all()
          .map(({ resource }) =>
            resource.group === '' ? `api/${resource.version}` : `apis/${resource.group}/${resource.version}`,
          ),
      ),
    ]
  }

  private openApiDocument(path: string): EncodedDocument {
    return this.document(`openapi ${path}`, () => {
      const groupVersion = path.replace(/^apis?\//, '')
      return openApiV3(
        groupVersion,
        this.kinds
          .all()
          .filter(
            ({ resource }) =>
              (resource.group === '' ? resource.version : `${resource.group}/${resource.version}`) === groupVersion,
          ),
      )
    })
  }

  private document(name: string, make: () => object): EncodedDocument {
    let document = this.documents.get(name)
    if (document === undefined) {
      const bytes = Buffer.from(JSON.stringify(make()))
      document = { bytes, hash: createHash('sha512').update(bytes).digest('hex').toUpperCase() }
      this.documents.set(name, document)
    }
    return document
  }
}

/** In the form that the client prefers. Source: kube-openapi pkg/handler, pkg/handler3. */
async function serveOpenApiDocument(exchange: Exchange, version: 2 | 3, document: EncodedDocument): Promise<void> {
  const type = preferredType(exchange.request.headers.accept, [mediaTypes.json, ...binaryAccepted(version)])
  if (type === undefined) {
    exchange.response.setHeader('Vary', 'Accept')
    exchange.response.writeHead(406).end()
    return
  }
  const { bytes, hash } = document
  if (type === mediaTypes.json) return sendCacheable(exchange, bytes, hash, type)
  document.binary ??= inTurns(
    (version === 2 ? openApiV2Binary : openApiV3Binary)(JSON.parse(bytes.toString()) as object),
  )
  await sendCacheable(exchange, await document.binary, hash, binaryType(version))
}

async function inTurns(work: Generator<undefined, Uint8Array>): Promise<Buffer> {
  for (let count = 1; ; count++) {
    const { done, value } = work.next()
    if (done === true) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    if (count % encodedAtOnce === 0) await nextTurn()
  }
}

async function sendCacheable(exchange: Exchange, bytes: Buffer, hash: string, contentType: string): Promise<void> {
  const tag = `"${hash}"`
  exchange.response.setHeader('Etag', tag)
  exchange.response.setHeader('Vary', 'Accept')
  if (exchange.request.headers['if-none-match'] === tag) {
    exchange.response.writeHead(304).end()
    return
  }
  await sendBytes(exchange, 200, contentType, bytes)
}

function sendDocument(exchange: Exchange, document: object): Promise<void> {
  return sendValue(exchange, 200, document, undefined, negotiatePlain(exchange.request.headers.accept))
}
