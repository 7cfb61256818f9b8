// One repository of a registry: what is there already is neither sent nor fetched again, and what breaks off goes on
// where it stopped. Logs in when it is asked to. Source: OCI distribution specification 1.1.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { BuildError } from '../build/build-error.ts'
import { imageType, indexType, anyImage } from '../media-types.ts'
import { challengeIn } from './challenge.ts'
import type { Credentials } from './credentials.ts'
import { Exchange } from './exchange.ts'
import { registryUrl, repositoryAt } from './place.ts'

export interface RegistryClientOptions {
  /** Asked once, when the registry wants to know who one is. */
  readonly credentials?: () => Promise<Credentials | undefined>
  /** After which a connection is taken for dead; by default a minute. */
  readonly silenceMs?: number
}

/** A file's content by its digest, as descriptors of images name it. */
export interface Content {
  readonly digest: string
  readonly size: number
}

export interface FoundManifest {
  readonly digest: string
  readonly mediaType: string
  readonly content: Buffer
}

type Access = 'pull' | 'pull,push'

/** From this size on it is worth asking whether another repository has the content. */
const mountedFromBytes = 100_000
/** How often a transfer is gone on with after a broken connection. */
const maximumResumptions = 5

export class RegistryClient {
  readonly repository: string
  private readonly base: URL
  private readonly registry: string
  private readonly credentials: () => Promise<Credentials | undefined>
  private readonly exchange: Exchange
  /** What was sent last as `Authorization`, by what it is good for. */
  private readonly authorizations = new Map<Access, string>()
  private login: Promise<Credentials | undefined> | undefined

  /** @param registry host with port, or a URL */
  constructor(registry: string, repository: string, { credentials, silenceMs }: RegistryClientOptions = {}) {
    this.registry = registry
    this.base = registryUrl(registry)
    this.repository = repositoryAt(registry, repository)
    this.exchange = new Exchange(silenceMs)
    this.credentials = credentials ?? (async () => undefined)
  }

  close(): void {
    this.exchange.close()
  }

  /** @returns undefined: there is none */
  async manifest(reference: string): Promise<FoundManifest | undefined> {
    const answer = await this.call('pull', 'GET', `manifests/${reference}`, {
      headers: { accept: anyImage },
    })
    if (answer.statusCode === 404) return discard(answer)
    await expectStatus(answer, [200], `the registry at ${this.registry} does not give ${this.repository}:${reference}`)
    const content = Buffer.from(await text(answer))
    const digest = digestOf(content)
    const wanted = reference.startsWith('sha256:') ? reference : digest
    if (digest !== wanted)
      throw new BuildError(`the registry at ${this.registry} gives ${digest} when it is asked for ${wanted}`)
    return { digest, mediaType: String(answer.headers['content-type'] ?? '').split(';', 1)[0]!, content }
  }

  /** @returns undefined: there is none */
  async digestOf(reference: string): Promise<string | undefined> {
    const answer = await this.call('pull', 'HEAD', `manifests/${reference}`, {
      headers: { accept: anyImage },
    })
    answer.resume()
    if (answer.statusCode === 404) return undefined
    const digest = answer.headers['docker-content-digest']
    if (answer.statusCode === 200 && typeof digest === 'string') return digest
    if (answer.statusCode === 200) return (await this.manifest(reference))?.digest
    return fail(answer, '', `the registry at ${this.registry} does not tell what ${this.repository}:${reference} is`)
  }

  /** Empty where there is no such repository. */
  async tags(): Promise<string[]> {
    const answer = await this.call('pull', 'GET', 'tags/list')
    const body = await text(answer)
    if (answer.statusCode !== 200) return []
    return (JSON.parse(body) as { tags?: string[] | null }).tags ?? []
  }

  async readBlob(content: Content): Promise<Buffer> {
    const answer = await this.call('pull', 'GET', `blobs/${content.digest}`)
    await expectStatus(answer, [200], `the registry at ${this.registry} does not give ${content.digest}`)
    const parts: Buffer[] = []
    for await (const part of answer) parts.push(part as Buffer)
    const bytes = Buffer.concat(parts)
    if (digestOf(bytes) !== content.digest) throw this.wrongContent(content, digestOf(bytes))
    return bytes
  }

  /** @param file may hold the beginning, from a transfer that broke off; has all of it afterwards */
  async pullBlob(content: Content, file: string): Promise<void> {
    const handle = await open(file, 'a+', 0o600)
    const hash = createHash('sha256')
    try {
      let { size } = await handle.stat()
      if (size > content.size) {
        await handle.truncate(0)
        size = 0
      }
      if (size > 0) for await (const part of createReadStream(file)) hash.update(part as Buffer)
      for (let resumed = 0; size < content.size; resumed++) {
        const answer = await this.call('pull', 'GET', `blobs/${content.digest}`, {
          headers: size === 0 ? {} : { range: `bytes=${size}-` },
        })
        await expectStatus(answer, [200, 206], `the registry at ${this.registry} does not give ${content.digest}`)
        // One that knows no ranges begins anew.
        let skip = answer.statusCode === 206 ? 0 : size
        try {
          for await (const part of answer) {
            const rest = (part as Buffer).subarray(skip)
            skip -= (part as Buffer).length - rest.length
            if (rest.length === 0) continue
            hash.update(rest)
            await handle.write(rest)
            size += rest.length
          }
        } catch (error) {
          if (resumed === maximumResumptions) throw this.brokenOff(error)
          continue
        }
        if (size < content.size && resumed === maximumResumptions) throw this.brokenOff(new Error('the answer ended'))
      }
      const found = `sha256:${hash.digest('hex')}`
      if (found === content.digest && size === content.size) return
      await handle.truncate(0)
      throw this.wrongContent(content, found)
    } finally {
      await handle.close()
    }
  }

  async pushFile(file: string, content: Content): Promise<void> {
    await this.upload(content, start => createReadStream(file, { start }))
  }

  /** @returns the digest */
  async pushBytes(bytes: Buffer): Promise<string> {
    const digest = digestOf(bytes)
    await this.upload({ digest, size: bytes.length }, start => Readable.from([bytes.subarray(start)]))
    return digest
  }

  /**
   * @param reference a tag, or the digest of the bytes
   * @returns `knowsSubject`: the registry keeps what the manifest is about
   */
  async pushManifest(
    reference: string,
    mediaType: string,
    bytes: Buffer,
  ): Promise<{ readonly digest: string; readonly knowsSubject: boolean }> {
    const answer = await this.call('pull,push', 'PUT', `manifests/${reference}`, {
      headers: { 'content-type': mediaType, 'content-length': bytes.length },
      body: () => Readable.from([bytes]),
    })
    await expectStatus(answer, [201], `the registry at ${this.registry} did not accept ${this.repository}:${reference}`)
    answer.resume()
    return { digest: digestOf(bytes), knowsSubject: answer.headers['oci-subject'] !== undefined }
  }

  /** Of a registry that does not keep subjects, a tag with the subject's digest lists what is about it. */
  async pushReferrer(subject: string, bytes: Buffer, artifactType: string): Promise<void> {
    const digest = digestOf(bytes)
    if ((await this.pushManifest(digest, imageType, bytes)).knowsSubject) return
    const tag = subject.replace(':', '-')
    const known = await this.manifest(tag)
    const { manifests = [] } = (known === undefined ? {} : JSON.parse(known.content.toString())) as {
      manifests?: { digest: string }[]
    }
    const own = { mediaType: imageType, digest, size: bytes.length, artifactType }
    const all = [...manifests.filter(other => other.digest !== digest), own]
    const index = { schemaVersion: 2, mediaType: indexType, manifests: all }
    await this.pushManifest(tag, indexType, Buffer.from(JSON.stringify(index)))
  }

  /** Sends nothing when it is there, or in another repository that this one may take it from. */
  private async upload(content: Content, from: (start: number) => Readable): Promise<void> {
    const { digest, size } = content
    const known = await this.call('pull,push', 'HEAD', `blobs/${digest}`)
    known.resume()
    if (known.statusCode === 200) return
    const isSmall = size < mountedFromBytes
    const isWhole = isSmall && this.base.protocol === 'http:'
    const first = await this.call(
      'pull,push',
      'POST',
      `blobs/uploads/${isWhole ? `?digest=${digest}` : isSmall ? '' : `?mount=${digest}`}`,
      {
        headers: { 'content-type': 'application/octet-stream', 'content-length': isWhole ? size : 0 },
        ...(isWhole && { body: () => from(0) }),
      },
    )
    if (first.statusCode === 201) return discard(first)
    await expectStatus(first, [202], `the registry at ${this.registry} did not accept a layer`)
    first.resume()
    await this.sendPieces(first, content, from)
  }

  private async sendPieces(
    begun: IncomingMessage,
    { digest, size }: Content,
    from: (start: number) => Readable,
  ): Promise<void> {
    let place = this.locationOf(begun)
    let sent = 0
    for (let resumed = 0; sent < size; resumed++) {
      try {
        const answer = await this.call('pull,push', 'PATCH', place, {
          headers: {
            'content-type': 'application/octet-stream',
            'content-length': size - sent,
            'content-range': `${sent}-${size - 1}`,
          },
          body: () => from(sent),
        })
        await expectStatus(answer, [202], `the registry at ${this.registry} did not accept a layer`)
        answer.resume()
        place = this.locationOf(answer)
        sent = size
      } catch (error) {
        if (resumed === maximumResumptions) throw error
        const state = await this.call('pull,push', 'GET', place)
        state.resume()
        if (state.statusCode !== 204) throw error
        place = this.locationOf(state)
        sent = Number(/^(?:bytes=)?0-(\d+)$/.exec(state.headers.range ?? '')?.[1] ?? -1) + 1
      }
    }
    place.searchParams.set('digest', digest)
    const answer = await this.call('pull,push', 'PUT', place, { headers: { 'content-length': 0 } })
    await expectStatus(answer, [201], `the registry at ${this.registry} did not accept a layer`)
    answer.resume()
  }

  private locationOf(answer: IncomingMessage): URL {
    return new URL(answer.headers.location ?? '', this.base)
  }

  private async call(
    access: Access,
    method: string,
    path: string | URL,
    { headers = {}, body }: { readonly headers?: OutgoingHttpHeaders; readonly body?: () => Readable } = {},
  ): Promise<IncomingMessage> {
    const url = path instanceof URL ? path : new URL(`/v2/${this.repository}/${path}`, this.base)
    const ask = (authorization: string | undefined): Promise<IncomingMessage> =>
      this.exchange.ask({
        method,
        url,
        headers: { ...headers, ...(authorization !== undefined && { authorization }) },
        ...(body !== undefined && { body }),
      })
    const answer = await ask(this.authorizations.get(access))
    if (answer.statusCode !== 401) return answer
    const authorization = await this.authorize(access, header(answer, 'www-authenticate'))
    if (authorization === undefined) return answer
    answer.resume()
    this.authorizations.set(access, authorization)
    return ask(authorization)
  }

  /** @returns undefined: there is nothing that it could be told */
  private async authorize(access: Access, wanted: string | undefined): Promise<string | undefined> {
    const challenge = challengeIn(wanted)
    if (challenge === undefined) return undefined
    this.login ??= this.credentials()
    const login = await this.login
    if (challenge.scheme === 'bearer') return this.token(access, challenge.parameters, login)
    return login !== undefined && 'password' in login ? basic(login) : undefined
  }

  private async token(
    access: Access,
    { realm, service, scope }: Readonly<Record<string, string>>,
    login: Credentials | undefined,
  ): Promise<string | undefined> {
    if (realm === undefined || !URL.canParse(realm)) return undefined
    const url = new URL(realm)
    const query = new URLSearchParams({
      ...(service !== undefined && { service }),
      scope: access === 'pull' && scope !== undefined ? scope : `repository:${this.repository}:${access}`,
    })
    const isRefresh = login !== undefined && 'refreshToken' in login
    if (isRefresh) {
      query.set('grant_type', 'refresh_token')
      query.set('refresh_token', login.refreshToken)
      query.set('client_id', 'sampan')
    } else for (const [name, value] of query) url.searchParams.append(name, value)
    const bytes = Buffer.from(String(query))
    const answer = await this.exchange.ask(
      isRefresh
        ? {
            method: 'POST',
            url,
            headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': bytes.length },
            body: () => Readable.from([bytes]),
          }
        : { method: 'GET', url, headers: login === undefined ? {} : { authorization: basic(login) } },
    )
    await expectStatus(
      answer,
      [200],
      `${url.host}, which gives tokens for the registry at ${this.registry}, refuses${login === undefined ? ' who has no login; log in with: docker login, podman login or skopeo login' : ' the login that is kept for it'}`,
    )
    const { token, access_token: other } = JSON.parse(await text(answer)) as Record<string, string>
    return `Bearer ${token ?? other}`
  }

  private wrongContent({ digest }: Content, found: string): BuildError {
    return new BuildError(`the registry at ${this.registry} gives ${found} when it is asked for ${digest}`)
  }

  private brokenOff(error: unknown): BuildError {
    return new BuildError(
      `the connection to the registry at ${this.registry} broke ${maximumResumptions + 1} times (${(error as Error).message}); the same command goes on where it stopped`,
    )
  }
}

export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

const basic = (login: Credentials): string =>
  'password' in login
    ? `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
    : `Bearer ${login.refreshToken}`

function header({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

function discard(answer: IncomingMessage): undefined {
  answer.resume()
}

/** @throws BuildError with what the registry says */
async function expectStatus(answer: IncomingMessage, wanted: readonly number[], problem: string): Promise<void> {
  if (!wanted.includes(answer.statusCode ?? 0)) fail(answer, await text(answer), problem)
}

function fail({ statusCode }: IncomingMessage, body: string, problem: string): never {
  const hint =
    statusCode === 401 || statusCode === 403
      ? '; log in with: docker login, podman login or skopeo login, or ask for the rights'
      : ''
  throw new BuildError(`${problem}: it answered ${statusCode}${told(body)}${hint}`)
}

/** `DENIED: requested access is denied`, or the beginning of what else was said. */
function told(body: string): string {
  try {
    const { errors } = JSON.parse(body) as { errors?: { code?: string; message?: string }[] }
    if (errors?.[0] !== undefined) return ` ${errors.map(({ code, message }) => `${code}: ${message}`).join(', ')}`
  } catch {
    // No JSON.
  }
  return body.trim() === '' ? '' : ` ${body.trim().slice(0, 300)}`
}
