// Images of other registries, fetched once for all clusters of the machine and served from here afterwards. A tag is
// looked up where it is from each time; when that registry is away, what the tag pointed to last is served. A digest
// never changes, so only the right to it has to be looked up: what was once given to anybody is anybody's, other content
// is given to whom its registry gives it now. The name of the registry comes as `?ns=`, as containerd sends it to mirrors.
// Source: OCI distribution specification 1.1, "Registry Proxying".
import { anyImage } from '../../media-types.ts'
import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Clock } from '../../../lib/clock.ts'
import type { Logger } from '../../../lib/logger.ts'
import { tagPattern } from '../../image-reference.ts'
import { byteRange } from '../byte-range.ts'
import { daily } from '../collection/daily.ts'
import { algorithmOf, digestOf, isContentDigest } from '../digest.ts'
import { sendBlob } from '../endpoints/blobs.ts'
import { sendManifest } from '../endpoints/manifests.ts'
import type { Exchange } from '../exchange.ts'
import { mediaTypeOf, parseManifest, type Manifest } from '../manifest.ts'
import { badDigest, RegistryError, unsupported } from '../registry-error.ts'
import { routeOf } from '../route.ts'
import { isFull } from '../storage/durable-file.ts'
import { CacheStore, type Place } from './cache-store.ts'
import { Downloads, type Download } from './downloads.ts'
import { growingFile } from './growing-file.ts'
import { UpstreamAway, type Upstream, type UpstreamAnswer } from './upstream.ts'

export interface PullThroughOptions {
  /** Of all clusters of the machine. */
  readonly directory: string
  readonly upstream: Upstream
  readonly limits?: CacheLimits
  readonly clock: Clock
  readonly logger: Logger
}

export interface CacheLimits {
  readonly unusedMs: number
  readonly maximumBytes: number
}

export interface PullThrough {
  serve(registry: string, exchange: Exchange): Promise<void>
  stop(): Promise<void>
}

const defaultLimits: CacheLimits = { unusedMs: 30 * 24 * 3_600_000, maximumBytes: 20e9 }
/** How long a right that was looked up is believed: an image has many layers. */
const trustMs = 60_000
const rememberedRights = 1000
const registryName = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?$/i
const manifestLimitBytes = 4 * 1024 * 1024
const accepted = `${anyImage}, */*;q=0.1`

export async function startPullThrough(options: PullThroughOptions): Promise<PullThrough> {
  const { directory, clock, logger, limits = defaultLimits } = options
  const store = new CacheStore(directory, clock)
  await store.prepare()
  const downloads = new Downloads(store)
  const cache = new Cache(store, downloads, options)
  const days = daily(clock, async () => {
    try {
      const bytes = await store.limit(limits)
      if (bytes > 0) logger.info('images of other registries were removed that nobody asked for', { bytes })
    } catch (error) {
      logger.warn('the images of other registries were not looked through', { error: (error as Error).message })
    }
  })
  return { serve: (registry, exchange) => cache.serve(registry, exchange), stop: () => days.stop() }
}

/** Who asks for what. */
interface Question extends Place {
  readonly exchange: Exchange
  /** As the caller showed them. */
  readonly credentials: string | undefined
}

class Cache {
  private readonly store: CacheStore
  private readonly downloads: Downloads
  private readonly upstream: Upstream
  private readonly clock: Clock
  private readonly logger: Logger
  /** Until when somebody's right to read a repository is believed. */
  private readonly rights = new Map<string, number>()

  constructor(store: CacheStore, downloads: Downloads, { upstream, clock, logger }: PullThroughOptions) {
    this.store = store
    this.downloads = downloads
    this.upstream = upstream
    this.clock = clock
    this.logger = logger
  }

  async serve(registry: string, exchange: Exchange): Promise<void> {
    const { request, response, path } = exchange
    if (!registryName.test(registry))
      throw new RegistryError(400, 'NAME_INVALID', `expected the name of a registry as ns, found "${registry}"`)
    response.setHeader('OCI-Namespace', registry)
    const route = routeOf(path)
    if (route.kind !== 'manifest' && route.kind !== 'blob')
      throw new RegistryError(404, 'UNSUPPORTED', 'of other registries only manifests and blobs are kept here')
    if (request.method !== 'GET' && request.method !== 'HEAD') throw unsupported(request.method, 'other registries')
    const { authorization: credentials } = request.headers
    const question = { registry: registry.toLowerCase(), repository: route.repository, exchange, credentials }
    try {
      if (route.kind === 'blob') return await this.blob(question, route.digest)
      if (isContentDigest(route.reference)) return await this.manifestByDigest(question, route.reference)
      return await this.manifestByTag(question, route.reference)
    } catch (error) {
      if (!(error instanceof UpstreamAway)) throw error
      throw notHere(`${registry} is away (${error.message}), and ${route.repository} is not kept here for everybody`)
    }
  }

  private async manifestByTag(question: Question, tag: string): Promise<void> {
    if (!tagPattern.test(tag)) throw badDigest(tag)
    const repositories = this.store.repositoriesOf(question.registry)
    const { repository } = question
    let digest: string | undefined
    try {
      digest = await this.lookUp(question, tag)
    } catch (error) {
      if (!(error instanceof UpstreamAway)) throw error
      const last = await repositories.manifest(repository, tag)
      if (last === undefined || !(await this.store.isPublic(question, last.digest))) throw error
      this.logger.warn('a registry is away; what its tag pointed to last is served', {
        registry: question.registry,
        image: `${repository}:${tag}`,
        error: error.message,
      })
      return sendManifest(question.exchange, last)
    }
    const known = digest === undefined ? undefined : await repositories.manifest(repository, digest)
    const manifest = known ?? (await this.fetchManifest(question, digest ?? tag))
    if (question.credentials === undefined) await this.store.setPublic(question, manifest.digest)
    if ((await repositories.tagged(repository, tag)) !== manifest.digest)
      await this.keep(() => repositories.putTag(repository, tag, manifest.digest))
    this.store.blobs.touch(manifest.digest)
    sendManifest(question.exchange, manifest)
  }

  /** What the tag stands for, to who asks. @returns undefined: the registry does not say without sending it. @throws RegistryError, UpstreamAway */
  private async lookUp(question: Question, reference: string): Promise<string | undefined> {
    const { headers } = await this.ask(question, 'HEAD', `manifests/${reference}`, { accept: accepted })
    this.believe(question)
    const digest = headers['docker-content-digest']
    return typeof digest === 'string' && isContentDigest(digest) ? digest : undefined
  }

  private async manifestByDigest(question: Question, digest: string): Promise<void> {
    const known = await this.store.repositoriesOf(question.registry).manifest(question.repository, digest)
    if (known === undefined) return sendManifest(question.exchange, await this.fetchManifest(question, digest))
    await this.assertMay(question, digest, `manifests/${digest}`)
    this.store.blobs.touch(digest)
    sendManifest(question.exchange, known)
  }

  private async fetchManifest(question: Question, reference: string): Promise<Manifest> {
    const { headers, body } = await this.ask(question, 'GET', `manifests/${reference}`, { accept: accepted })
    if (Number(headers['content-length'] ?? 0) > manifestLimitBytes) {
      body.destroy()
      throw new RegistryError(502, 'SIZE_INVALID', `${question.registry} has a manifest that is too large`)
    }
    const content = await buffer(body).catch((error: Error) => {
      throw new UpstreamAway(error.message)
    })
    const digest = digestOf(content, algorithmOf(reference))
    if (isContentDigest(reference) && reference !== digest)
      throw new RegistryError(
        502,
        'DIGEST_INVALID',
        `${question.registry} gives ${digest} when it is asked for ${reference}`,
      )
    const manifest = { digest, content, mediaType: mediaTypeOf(parseManifest(content), headers['content-type']) }
    this.believe(question)
    await this.keep(async () => {
      await this.store.repositoriesOf(question.registry).putManifest(question.repository, manifest)
      if (question.credentials === undefined) await this.store.setPublic(question, digest)
    })
    return manifest
  }

  private async blob(question: Question, digest: string): Promise<void> {
    if (!isContentDigest(digest)) throw badDigest(digest)
    for (;;) {
      const size = await this.store.blobs.size(digest)
      if (size !== undefined) {
        await this.assertMay(question, digest, `blobs/${digest}`)
        this.store.blobs.touch(digest)
        return sendBlob(question.exchange, this.store.blobs, digest, size)
      }
      if (question.exchange.request.method === 'HEAD') return this.headOfBlob(question, digest)
      if (await this.downloads.isUnderWay(digest)) {
        const total = await this.sizeElsewhere(question, digest)
        const download = await this.downloads.underWay(digest, total)
        // It may be done by now, or have failed.
        if (download !== undefined) return this.sendGrowing(question, digest, download)
        continue
      }
      const begun = await this.downloads.begin(
        digest,
        start => this.askForBlob(question, digest, start),
        () => this.keepBlob(question, digest),
      )
      if (begun === undefined) continue
      if ('refusal' in begun) return this.passOn(question, begun.refusal)
      return this.sendGrowing(question, digest, begun)
    }
  }

  private askForBlob(question: Question, digest: string, start: number): Promise<UpstreamAnswer> {
    const { registry, repository, credentials } = question
    const headers: Record<string, string> = start === 0 ? {} : { range: `bytes=${start}-` }
    return this.upstream.ask({ registry, repository, path: `blobs/${digest}`, method: 'GET', credentials, headers })
  }

  private async keepBlob(question: Question, digest: string): Promise<void> {
    await this.store.repositoriesOf(question.registry).link(question.repository, digest)
    if (question.credentials === undefined) await this.store.setPublic(question, digest)
  }

  private async headOfBlob(question: Question, digest: string): Promise<void> {
    const size = await this.sizeElsewhere(question, digest)
    question.exchange.response
      .writeHead(200, {
        'Content-Type': 'application/octet-stream',
        'Content-Length': size,
        'Docker-Content-Digest': digest,
        'Accept-Ranges': 'bytes',
      })
      .end()
  }

  private async sizeElsewhere(question: Question, digest: string): Promise<number> {
    const { headers } = await this.ask(question, 'HEAD', `blobs/${digest}`, {})
    const size = Number(headers['content-length'] ?? NaN)
    if (!Number.isInteger(size)) throw new UpstreamAway(`it does not tell the size of ${digest}`)
    return size
  }

  private async sendGrowing({ exchange }: Question, digest: string, download: Download): Promise<void> {
    const { request, response } = exchange
    const { total } = download
    const range = byteRange(request.headers.range, total)
    if (range === null)
      throw new RegistryError(416, 'SIZE_INVALID', `the blob has ${total} bytes`, {
        'Content-Range': `bytes */${total}`,
      })
    const { start, end } = range ?? { start: 0, end: total - 1 }
    response.writeHead(range === undefined ? 200 : 206, {
      'Content-Type': 'application/octet-stream',
      'Docker-Content-Digest': digest,
      'Accept-Ranges': 'bytes',
      'Content-Length': end - start + 1,
      ...(range !== undefined && { 'Content-Range': `bytes ${start}-${end}/${total}` }),
    })
    await pipeline(growingFile(download.file, { start, end: end + 1, total }, download.state), response)
  }

  /** What cannot be kept is given as it comes; what was refused is told. */
  private async passOn(question: Question, answer: UpstreamAnswer): Promise<void> {
    if (answer.status !== 200) return refuse(question, answer)
    const length = answer.headers['content-length']
    question.exchange.response.writeHead(200, {
      'Content-Type': 'application/octet-stream',
      ...(length !== undefined && { 'Content-Length': length }),
    })
    await pipeline(answer.body, question.exchange.response)
  }

  /** @throws RegistryError when the registry does not give it to the caller; UpstreamAway */
  private async assertMay(question: Question, digest: string, path: string): Promise<void> {
    if (await this.store.isPublic(question, digest)) return
    const isOfRepository = path.startsWith('manifests/')
      ? await this.store.repositoriesOf(question.registry).hasManifest(question.repository, digest)
      : await this.store.repositoriesOf(question.registry).hasBlob(question.repository, digest)
    if (isOfRepository && (this.rights.get(rightOf(question)) ?? 0) > this.clock.now()) return
    await this.ask(question, 'HEAD', path, { accept: accepted })
    this.believe(question)
    // Another repository, or another registry, had it first.
    if (path.startsWith('blobs/')) await this.keep(() => this.keepBlob(question, digest))
    else if (question.credentials === undefined) await this.keep(() => this.store.setPublic(question, digest))
  }

  /** @throws RegistryError when the answer is no success; UpstreamAway */
  private async ask(
    question: Question,
    method: 'GET' | 'HEAD',
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<UpstreamAnswer> {
    const { registry, repository, credentials } = question
    const answer = await this.upstream.ask({ registry, repository, path, method, credentials, headers })
    if (answer.status !== 200) return refuse(question, answer)
    if (method === 'HEAD') discard(answer.body)
    return answer
  }

  private believe(question: Question): void {
    if (this.rights.size >= rememberedRights) this.rights.clear()
    this.rights.set(rightOf(question), this.clock.now() + trustMs)
  }

  /** What has no room is served all the same. */
  private async keep(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!isFull(error)) throw error
      this.logger.warn('the disk is full, so an image of another registry was not kept')
    }
  }
}

/** So that neither memory nor time tells of a password. */
const rightOf = ({ registry, repository, credentials = '' }: Question): string =>
  createHash('sha256')
    .update(JSON.stringify([registry, repository, credentials]))
    .digest('base64')

function discard(body: Readable): void {
  body.on('error', () => {})
  body.resume()
}

/**
 * What the cache cannot give is not there: containerd asks the registry itself then, and tells what that one says,
 * where any other answer of ours would be all that people get to see.
 */
const notHere = (message: string): RegistryError => new RegistryError(404, 'MANIFEST_UNKNOWN', message)

/** Who is told 401 shows the password that he has for this registry; it is passed on to that one alone. */
function refuse({ registry, repository, credentials }: Question, { status, body }: UpstreamAnswer): never {
  discard(body)
  if ((status !== 401 && status !== 403) || credentials !== undefined)
    throw notHere(`${registry} answers ${status} for ${repository}`)
  throw new RegistryError(401, 'UNAUTHORIZED', `${registry} gives ${repository} to nobody without a password`, {
    'WWW-Authenticate': `Basic realm="${registry}"`,
  })
}
