// The registry of this machine: the OCI distribution API over HTTP on loopback. `sampan build` pushes to
// it, the node pulls from it, docker, buildah and skopeo work with it.
// Source: OCI distribution specification 1.1.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { buffer } from 'node:stream/consumers'
import { percentDecoded } from '../../lib/percent-decoded.ts'
import { digestPattern, isRepository, tagPattern } from '../image-reference.ts'
import { BlobStore, DigestMismatch, type Upload } from './blob-store.ts'
import { anyDigestPattern, descriptorOf, indexType, subjectOf } from './manifest.ts'
import { ManifestStore } from './manifest-store.ts'
import { pageOf } from './page.ts'

export interface RegistryOptions {
  readonly directory: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

export interface Registry {
  readonly port: number
  close(): Promise<void>
}

class RegistryError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

interface Route {
  readonly repository: string
  readonly rest: string
}

const manifestLimitBytes = 4 * 1024 * 1024
const tooLarge = (): RegistryError =>
  new RegistryError(413, 'SIZE_INVALID', `a manifest may have ${manifestLimitBytes} bytes at most`)
const routePattern = /^\/v2\/(.+?)\/(blobs\/uploads\/?.*|blobs\/.+|manifests\/.+|tags\/list|referrers\/.+)$/

export async function startRegistry({ directory, host, port }: RegistryOptions): Promise<Registry> {
  const blobs = new BlobStore(directory)
  await blobs.prepare()
  const handler = new RegistryHandler(blobs, new ManifestStore(directory, blobs))
  const server = createServer((request, response) => void handler.handle(request, response))
  server.requestTimeout = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

class RegistryHandler {
  private readonly uploads = new Map<string, Upload>()
  private readonly blobs: BlobStore
  private readonly manifests: ManifestStore

  constructor(blobs: BlobStore, manifests: ManifestStore) {
    this.blobs = blobs
    this.manifests = manifests
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.route(request, response)
    } catch (error) {
      if (response.headersSent) {
        response.destroy()
        return
      }
      const known =
        error instanceof RegistryError
          ? error
          : error instanceof DigestMismatch
            ? new RegistryError(400, 'DIGEST_INVALID', error.message)
            : new RegistryError(500, 'UNKNOWN', 'the registry could not serve the request')
      sendJson(response, known.status, { errors: [{ code: known.code, message: known.message }] })
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://registry')
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0')
    if (url.pathname === '/v2' || url.pathname === '/v2/') return sendJson(response, 200, {})
    if (url.pathname === '/v2/_catalog') {
      assertReading(request, 'the catalog')
      const repositories = pageFor(response, url, await this.manifests.repositories())
      return sendJson(response, 200, { repositories })
    }
    const match = routePattern.exec(url.pathname)
    if (match === null) throw new RegistryError(404, 'NAME_UNKNOWN', `there is nothing at ${url.pathname}`)
    const route: Route = { repository: match[1]!, rest: match[2]! }
    if (!isRepository(route.repository))
      throw new RegistryError(
        400,
        'NAME_INVALID',
        `"${route.repository}" is no name of a repository: expected lower-case letters, digits and . _ - / between them`,
      )
    const [kind] = route.rest.split('/', 1)
    if (kind === 'tags') {
      assertReading(request, 'tags')
      this.assertKnown(route.repository)
      const tags = pageFor(response, url, await this.manifests.tags(route.repository))
      return sendJson(response, 200, { name: route.repository, tags })
    }
    if (kind === 'referrers') {
      assertReading(request, 'referrers')
      return this.serveReferrers(response, route, url.searchParams.get('artifactType') ?? '')
    }
    if (kind === 'manifests')
      return this.serveManifest(
        request,
        response,
        route.repository,
        percentDecoded(route.rest.slice('manifests/'.length)),
      )
    if (route.rest.startsWith('blobs/uploads')) return this.serveUpload(request, response, route, url.searchParams)
    return this.serveBlob(request, response, route.rest.slice('blobs/'.length))
  }

  /** Also of a manifest, or a repository, that is not here: they may be pushed later. */
  private async serveReferrers(response: ServerResponse, { repository, rest }: Route, type: string): Promise<void> {
    const subject = percentDecoded(rest.slice('referrers/'.length))
    if (!anyDigestPattern.test(subject))
      throw new RegistryError(400, 'DIGEST_INVALID', `expected a digest such as sha256:..., found "${subject}"`)
    const all = (await this.manifests.referrers(repository, subject)).map(descriptorOf)
    if (type !== '') response.setHeader('OCI-Filters-Applied', 'artifactType')
    const manifests = type === '' ? all : all.filter(({ artifactType }) => artifactType === type)
    return sendJson(response, 200, { schemaVersion: 2, mediaType: indexType, manifests }, indexType)
  }

  private assertKnown(repository: string): void {
    if (!this.manifests.has(repository))
      throw new RegistryError(
        404,
        'NAME_UNKNOWN',
        `there is no repository ${repository} in this registry; push an image to it, or build one with \`sampan build\``,
      )
  }

  private async serveManifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    reference: string,
  ): Promise<void> {
    if (request.method !== 'PUT') this.assertKnown(repository)
    if (!digestPattern.test(reference) && !tagPattern.test(reference))
      throw new RegistryError(400, 'TAG_INVALID', `"${reference}" is neither a tag nor a digest`)
    switch (request.method) {
      case 'GET':
      case 'HEAD': {
        const manifest = await this.manifests.get(repository, reference)
        if (manifest === undefined)
          throw new RegistryError(
            404,
            'MANIFEST_UNKNOWN',
            `there is no image ${repository}:${reference} in this registry; push it, or build it with \`sampan build\``,
          )
        response.writeHead(200, {
          'Content-Type': manifest.mediaType,
          'Content-Length': manifest.content.length,
          'Docker-Content-Digest': manifest.digest,
          Etag: `"${manifest.digest}"`,
        })
        response.end(request.method === 'HEAD' ? undefined : manifest.content)
        return
      }
      case 'PUT': {
        if (Number(request.headers['content-length'] ?? 0) > manifestLimitBytes) throw tooLarge()
        const content = await buffer(request)
        if (content.length > manifestLimitBytes) throw tooLarge()
        if (digestPattern.test(reference)) assertDigest(content, reference)
        await this.assertComplete(content)
        const subject = checkedSubject(content)
        const digest = await this.manifests.put(repository, reference, request.headers['content-type'], content)
        response
          .writeHead(201, {
            Location: `/v2/${repository}/manifests/${digest}`,
            'Docker-Content-Digest': digest,
            ...(subject !== undefined && { 'OCI-Subject': subject }),
            'Content-Length': 0,
          })
          .end()
        return
      }
      case 'DELETE':
        if (!(await this.manifests.remove(repository, reference)))
          throw new RegistryError(
            404,
            'MANIFEST_UNKNOWN',
            `there is no image ${repository}:${reference} in this registry`,
          )
        response.writeHead(202).end()
        return
      default:
        throw new RegistryError(405, 'UNSUPPORTED', `${request.method} is not supported on manifests`)
    }
  }

  /** A manifest is accepted only when everything it names is there. */
  private async assertComplete(content: Buffer): Promise<void> {
    for (const digest of digestsIn(content)) {
      if (!digestPattern.test(digest) || (await this.blobs.size(digest)) === undefined)
        throw new RegistryError(404, 'MANIFEST_BLOB_UNKNOWN', `the manifest names ${digest}, which was not pushed`)
    }
  }

  private async serveBlob(request: IncomingMessage, response: ServerResponse, digest: string): Promise<void> {
    if (!digestPattern.test(digest))
      throw new RegistryError(400, 'DIGEST_INVALID', `expected sha256: and 64 hexadecimal digits, found "${digest}"`)
    const size = await this.blobs.size(digest)
    if (size === undefined) throw new RegistryError(404, 'BLOB_UNKNOWN', `there is no blob ${digest} in this registry`)
    if (request.method === 'DELETE') {
      await this.blobs.remove(digest)
      response.writeHead(202).end()
      return
    }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new RegistryError(405, 'UNSUPPORTED', `${request.method} is not supported on blobs`)
    const range = rangeOf(request.headers.range, size)
    response.writeHead(range === undefined ? 200 : 206, {
      'Content-Type': 'application/octet-stream',
      'Docker-Content-Digest': digest,
      'Accept-Ranges': 'bytes',
      'Content-Length': range === undefined ? size : range.end - range.start + 1,
      ...(range !== undefined && { 'Content-Range': `bytes ${range.start}-${range.end}/${size}` }),
    })
    if (request.method === 'HEAD' || size === 0) response.end()
    else await pipeline(this.blobs.read(digest, range), response)
  }

  private async serveUpload(
    request: IncomingMessage,
    response: ServerResponse,
    { repository, rest }: Route,
    query: URLSearchParams,
  ): Promise<void> {
    const id = rest.slice('blobs/uploads'.length).replaceAll('/', '')
    if (request.method === 'POST' && id === '') return this.startUpload(request, response, repository, query)
    const upload = this.uploads.get(id)
    if (upload === undefined)
      throw new RegistryError(404, 'BLOB_UPLOAD_UNKNOWN', 'there is no such upload; start it again')
    switch (request.method) {
      case 'PATCH':
        assertNextChunk(request, upload)
        await this.append(upload, request)
        return sendUploadState(response, 202, repository, upload)
      case 'PUT':
        assertNextChunk(request, upload)
        await this.append(upload, request)
        return this.finishUpload(response, repository, upload, query.get('digest') ?? '')
      case 'GET':
        return sendUploadState(response, 204, repository, upload)
      case 'DELETE':
        await this.abandon(upload)
        response.writeHead(204).end()
        return
      default:
        throw new RegistryError(405, 'UNSUPPORTED', `${request.method} is not supported on uploads`)
    }
  }

  private async startUpload(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    query: URLSearchParams,
  ): Promise<void> {
    const mounted = query.get('mount')
    if (mounted !== null && digestPattern.test(mounted) && (await this.blobs.size(mounted)) !== undefined)
      return sendBlobCreated(response, repository, mounted)
    const upload = await this.blobs.startUpload()
    const digest = query.get('digest')
    if (digest !== null) {
      await this.append(upload, request)
      return this.finishUpload(response, repository, upload, digest)
    }
    this.uploads.set(upload.id, upload)
    request.resume()
    sendUploadState(response, 202, repository, upload)
  }

  /** An upload that broke off holds an unknown part of what was sent, so it cannot be continued. */
  private async append(upload: Upload, content: IncomingMessage): Promise<void> {
    try {
      await upload.append(content)
    } catch (error) {
      await this.abandon(upload)
      throw error
    }
  }

  private async abandon(upload: Upload): Promise<void> {
    this.uploads.delete(upload.id)
    await this.blobs.abandon(upload)
  }

  private async finishUpload(
    response: ServerResponse,
    repository: string,
    upload: Upload,
    digest: string,
  ): Promise<void> {
    if (!digestPattern.test(digest))
      throw new RegistryError(400, 'DIGEST_INVALID', `expected sha256: and 64 hexadecimal digits, found "${digest}"`)
    this.uploads.delete(upload.id)
    await this.blobs.finishUpload(upload, digest)
    sendBlobCreated(response, repository, digest)
  }
}

function assertReading({ method }: IncomingMessage, what: string): void {
  if (method !== 'GET' && method !== 'HEAD')
    throw new RegistryError(405, 'UNSUPPORTED', `${method} is not supported on ${what}`)
}

/** The names that were asked for; a header says where the next ones are. */
function pageFor(
  response: ServerResponse,
  { pathname, searchParams }: URL,
  names: readonly string[],
): readonly string[] {
  const page = pageOf(names, searchParams)
  if (page === undefined)
    throw new RegistryError(
      400,
      'PAGINATION_NUMBER_INVALID',
      `expected a number of names as n, found "${searchParams.get('n')}"`,
    )
  if (page.next !== undefined) response.setHeader('Link', `<${pathname}?${page.next}>; rel="next"`)
  return page.names
}

/** The subject need not have been pushed. */
function checkedSubject(content: Buffer): string | undefined {
  const subject = subjectOf(content)
  if (subject !== undefined && !anyDigestPattern.test(subject))
    throw new RegistryError(400, 'MANIFEST_INVALID', `the digest of the manifest's subject is none: "${subject}"`)
  return subject
}

/** Chunks come in order, each where the last one ended. */
function assertNextChunk(request: IncomingMessage, { size }: Upload): void {
  const start = /^(?:bytes )?(\d+)-\d+$/.exec(request.headers['content-range'] ?? '')?.[1]
  if (start !== undefined && Number(start) !== size)
    throw new RegistryError(416, 'BLOB_UPLOAD_INVALID', `the next chunk starts at byte ${size}, not at ${start}`)
}

function sendUploadState(response: ServerResponse, status: number, repository: string, { id, size }: Upload): void {
  response
    .writeHead(status, {
      Location: `/v2/${repository}/blobs/uploads/${id}`,
      Range: `0-${Math.max(0, size - 1)}`,
      'Docker-Upload-UUID': id,
      'Content-Length': 0,
    })
    .end()
}

function sendBlobCreated(response: ServerResponse, repository: string, digest: string): void {
  response
    .writeHead(201, {
      Location: `/v2/${repository}/blobs/${digest}`,
      'Docker-Content-Digest': digest,
      'Content-Length': 0,
    })
    .end()
}

function sendJson(response: ServerResponse, status: number, value: object, contentType = 'application/json'): void {
  const body = JSON.stringify(value)
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) }).end(body)
}

function assertDigest(content: Buffer, expected: string): void {
  const found = `sha256:${createHash('sha256').update(content).digest('hex')}`
  if (found !== expected) throw new DigestMismatch(expected, found)
}

/** What a manifest, or an index of manifests, names. */
function digestsIn(content: Buffer): string[] {
  type Named = { digest?: unknown; urls?: unknown } | undefined
  let parsed: { config?: Named; layers?: Named[]; manifests?: Named[] }
  try {
    parsed = JSON.parse(content.toString()) as typeof parsed
    const named = [
      ...(parsed.config === undefined ? [] : [parsed.config]),
      ...(parsed.layers ?? []),
      ...(parsed.manifests ?? []),
    ]
    return named.filter(entry => entry?.urls === undefined).map(entry => String(entry?.digest))
  } catch {
    throw new RegistryError(
      400,
      'MANIFEST_INVALID',
      'expected a manifest or an index of the OCI image specification in JSON',
    )
  }
}

function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d+)-(\d*)$/.exec(header ?? '')
  if (match === null) return undefined
  const start = Number(match[1])
  const end = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)
  if (start > end) throw new RegistryError(416, 'RANGE_INVALID', `the blob has ${size} bytes`)
  return { start, end }
}
