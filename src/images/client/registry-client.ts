// One repository of a registry: what is there already is neither sent nor fetched again, and what breaks off goes on
// where it stopped. Source: OCI distribution specification 1.1.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { BuildError } from '../build/build-error.ts'
import type { Descriptor } from '../descriptor.ts'
import { anyImage, imageType, indexType } from '../media-types.ts'
import { expectStatus, fail } from './refusal.ts'
import { RegistrySession, type RegistryClientOptions } from './registry-session.ts'

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

/** From this size on it is worth asking whether another repository has the content. */
const mountedFromBytes = 100_000
/** How often a transfer is gone on with after a broken connection. */
const maximumResumptions = 5
const noContent = { headers: { 'content-length': 0 } }

export class RegistryClient {
  private readonly session: RegistrySession
  private readonly registry: string

  /** @param registry host with port, or a URL */
  constructor(registry: string, repository: string, options: RegistryClientOptions = {}) {
    this.registry = registry
    this.session = new RegistrySession(registry, repository, options)
  }

  get repository(): string {
    return this.session.repository
  }

  close(): void {
    this.session.close()
  }

  /** @returns undefined: there is none */
  async manifest(reference: string): Promise<FoundManifest | undefined> {
    const answer = await this.session.ask('pull', 'GET', `manifests/${reference}`, {
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
    const answer = await this.session.ask('pull', 'HEAD', `manifests/${reference}`, {
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
    const pages = await this.session.pages<{ tags?: string[] | null }>('tags/list')
    return pages.flatMap(({ tags }) => tags ?? [])
  }

  /** Manifests that are about this one. */
  async referrers(digest: string): Promise<Descriptor[]> {
    const pages = await this.session.pages<{ manifests?: Descriptor[] }>(`referrers/${digest}`)
    return pages.flatMap(({ manifests }) => manifests ?? [])
  }

  /** @returns false: there was none */
  async remove(reference: string): Promise<boolean> {
    const answer = await this.session.ask('pull,push,delete', 'DELETE', `manifests/${reference}`)
    if (answer.statusCode !== 404)
      await expectStatus(
        answer,
        [202],
        `the registry at ${this.registry} did not remove ${this.repository}:${reference}`,
      )
    answer.resume()
    return answer.statusCode === 202
  }

  /** Content as it comes; who reads it looks at its digest. */
  async streamBlob(digest: string): Promise<Readable> {
    const answer = await this.session.ask('pull', 'GET', `blobs/${digest}`)
    await expectStatus(answer, [200], `the registry at ${this.registry} does not give ${digest} of ${this.repository}`)
    return answer
  }

  async readBlob(content: Content): Promise<Buffer> {
    const answer = await this.session.ask('pull', 'GET', `blobs/${content.digest}`)
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
        const answer = await this.session.ask('pull', 'GET', `blobs/${content.digest}`, {
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
    const answer = await this.session.ask('pull,push', 'PUT', `manifests/${reference}`, {
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

  /** Whether it is there, or in another repository from where it is taken. */
  async hasBlob(digest: string): Promise<boolean> {
    const known = await this.session.ask('pull,push', 'HEAD', `blobs/${digest}`)
    known.resume()
    if (known.statusCode === 200) return true
    const mounted = await this.session.ask('pull,push', 'POST', `blobs/uploads/?mount=${digest}`, noContent)
    mounted.resume()
    if (mounted.statusCode === 202) await this.giveUp(this.session.locationOf(mounted))
    return mounted.statusCode === 201
  }

  /**
   * Of content whose digest nobody knows before it was read.
   * @param isExpected told the digest; throws where it is another one
   */
  async pushStream(content: AsyncIterable<Buffer>, isExpected: (digest: string) => void = () => {}): Promise<Content> {
    const begun = await this.session.ask('pull,push', 'POST', 'blobs/uploads/', noContent)
    await expectStatus(begun, [202], `the registry at ${this.registry} takes nothing for ${this.repository}`)
    begun.resume()
    const hash = createHash('sha256')
    let size = 0
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of content) {
        hash.update(chunk)
        size += chunk.length
        yield chunk
      }
    }
    const sent = await this.session.ask('pull,push', 'PATCH', this.session.locationOf(begun), {
      headers: { 'content-type': 'application/octet-stream' },
      body: () => Readable.from(counted()),
    })
    await expectStatus(sent, [202], `the registry at ${this.registry} did not take content of ${this.repository}`)
    sent.resume()
    const place = this.session.locationOf(sent)
    const digest = `sha256:${hash.digest('hex')}`
    try {
      isExpected(digest)
    } catch (error) {
      await this.giveUp(place)
      throw error
    }
    await this.finish(place, digest)
    return { digest, size }
  }

  private async giveUp(upload: URL): Promise<void> {
    const answer = await this.session.ask('pull,push', 'DELETE', upload)
    answer.resume()
  }

  private async finish(upload: URL, digest: string): Promise<void> {
    upload.searchParams.set('digest', digest)
    const answer = await this.session.ask('pull,push', 'PUT', upload, noContent)
    await expectStatus(answer, [201], `the registry at ${this.registry} did not accept a layer`)
    answer.resume()
  }

  /** Sends nothing when it is there, or in another repository that this one may take it from. */
  private async upload(content: Content, from: (start: number) => Readable): Promise<void> {
    const { digest, size } = content
    const known = await this.session.ask('pull,push', 'HEAD', `blobs/${digest}`)
    known.resume()
    if (known.statusCode === 200) return
    const isSmall = size < mountedFromBytes
    const isWhole = isSmall && !this.session.isSecure
    const first = await this.session.ask(
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
    let place = this.session.locationOf(begun)
    let sent = 0
    for (let resumed = 0; sent < size; resumed++) {
      try {
        const answer = await this.session.ask('pull,push', 'PATCH', place, {
          headers: {
            'content-type': 'application/octet-stream',
            'content-length': size - sent,
            'content-range': `${sent}-${size - 1}`,
          },
          body: () => from(sent),
        })
        await expectStatus(answer, [202], `the registry at ${this.registry} did not accept a layer`)
        answer.resume()
        place = this.session.locationOf(answer)
        sent = size
      } catch (error) {
        if (resumed === maximumResumptions) throw error
        const state = await this.session.ask('pull,push', 'GET', place)
        state.resume()
        if (state.statusCode !== 204) throw error
        place = this.session.locationOf(state)
        sent = Number(/^(?:bytes=)?0-(\d+)$/.exec(state.headers.range ?? '')?.[1] ?? -1) + 1
      }
    }
    await this.finish(place, digest)
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

function discard(answer: IncomingMessage): undefined {
  answer.resume()
}
