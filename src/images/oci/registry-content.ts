// A registry of this machine as a place to look into and to fill: content comes and goes as streams, since images are
// larger than memory. What is built is pushed with src/images/client, which logs in and resumes; this is for archives.
import { anyImage } from '../media-types.ts'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { ArchiveError } from './archive-error.ts'

export interface FoundManifest {
  readonly digest: string
  readonly mediaType: string
  readonly content: Buffer
}

export interface Pruned {
  readonly images: readonly string[]
  readonly blobs: number
  readonly uploads: number
  readonly bytes: number
}

const pageSize = 500

export class RegistryContent {
  private readonly address: string

  /** @param address `127.0.0.1:5000` */
  constructor(address: string) {
    this.address = address
  }

  repositories(): Promise<string[]> {
    return this.names('_catalog', 'repositories')
  }

  tags(repository: string): Promise<string[]> {
    return this.names(`${repository}/tags/list`, 'tags')
  }

  private async names(path: string, field: string): Promise<string[]> {
    const all: string[] = []
    for (let last = ''; ;) {
      const query = new URLSearchParams({ n: String(pageSize), ...(last !== '' && { last }) })
      const answer = await this.call('GET', `${path}?${query}`)
      if (answer.status === 404) return discarded(answer, all)
      await expectStatus(answer, 200, `the registry at ${this.address} does not list what it has`)
      const names = ((await answer.json()) as Record<string, string[] | undefined>)[field] ?? []
      all.push(...names)
      if (names.length < pageSize) return all
      last = names.at(-1)!
    }
  }

  /** @returns undefined: there is none */
  async manifest(repository: string, reference: string): Promise<FoundManifest | undefined> {
    const answer = await this.call('GET', `${repository}/manifests/${reference}`, { accept: anyImage })
    if (answer.status === 404) return discarded(answer, undefined)
    await expectStatus(answer, 200, `the registry at ${this.address} does not give ${repository}:${reference}`)
    const content = Buffer.from(await answer.arrayBuffer())
    return {
      digest: answer.headers.get('docker-content-digest')!,
      mediaType: answer.headers.get('content-type') ?? '',
      content,
    }
  }

  /** Manifests that are about this one. */
  async referrers(repository: string, digest: string): Promise<readonly { digest: string; artifactType?: string }[]> {
    const answer = await this.call('GET', `${repository}/referrers/${digest}`)
    if (answer.status !== 200) return discarded(answer, [])
    return ((await answer.json()) as { manifests: { digest: string; artifactType?: string }[] }).manifests
  }

  async blob(repository: string, digest: string): Promise<Readable> {
    const answer = await this.call('GET', `${repository}/blobs/${digest}`)
    await expectStatus(answer, 200, `the registry at ${this.address} does not give ${digest} of ${repository}`)
    return Readable.fromWeb(answer.body as ReadableStream)
  }

  /** Whether it is there, or in another repository from where it is taken. */
  async hasBlob(repository: string, digest: string): Promise<boolean> {
    const known = await this.call('HEAD', `${repository}/blobs/${digest}`)
    if (known.status === 200) return true
    const mounted = await this.call('POST', `${repository}/blobs/uploads/?mount=${digest}`)
    await discarded(mounted, undefined)
    if (mounted.status === 202) await this.call('DELETE', mounted.headers.get('location')!)
    return mounted.status === 201
  }

  /** Of content whose digest nobody knows before it was read. @throws ArchiveError when it is not the expected one */
  async pushBlob(
    repository: string,
    content: AsyncIterable<Buffer>,
    expected?: string,
  ): Promise<{ digest: string; size: number }> {
    const begun = await this.call('POST', `${repository}/blobs/uploads/`)
    await expectStatus(begun, 202, `the registry at ${this.address} takes nothing for ${repository}`)
    const location = begun.headers.get('location')!
    const hash = createHash('sha256')
    let size = 0
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of content) {
        hash.update(chunk)
        size += chunk.length
        yield chunk
      }
    }
    const sent = await this.call('PATCH', location, {}, Readable.toWeb(Readable.from(counted())))
    await expectStatus(sent, 202, `the registry at ${this.address} did not take content of ${repository}`)
    const digest = `sha256:${hash.digest('hex')}`
    if (expected !== undefined && expected !== digest) {
      await this.call('DELETE', location)
      throw new ArchiveError(`expected content with the digest ${expected}, found ${digest}; the archive is damaged`)
    }
    const done = await this.call('PUT', `${location}?digest=${digest}`)
    await expectStatus(done, 201, `the registry at ${this.address} did not take content of ${repository}`)
    return { digest, size }
  }

  /** @param reference a tag, or its digest */
  async pushManifest(repository: string, reference: string, mediaType: string, content: Buffer): Promise<string> {
    const path = `${repository}/manifests/${reference}`
    const answer = await this.call('PUT', path, { 'content-type': mediaType }, content)
    await expectStatus(answer, 201, `the registry at ${this.address} did not take ${repository}:${reference}`)
    return answer.headers.get('docker-content-digest')!
  }

  /** @returns false: there was none */
  async remove(repository: string, reference: string): Promise<boolean> {
    const answer = await this.call('DELETE', `${repository}/manifests/${reference}`)
    if (answer.status === 404) return discarded(answer, false)
    await expectStatus(answer, 202, `the registry at ${this.address} did not remove ${repository}:${reference}`)
    return true
  }

  async prune(dryRun: boolean): Promise<Pruned> {
    const answer = await this.call('POST', `_sampan/prune?dryRun=${dryRun}`)
    if (answer.status === 404)
      throw new ArchiveError(`the registry at ${this.address} is none of Sampan, and is pruned in its own way`)
    await expectStatus(answer, 200, `the registry at ${this.address} was not pruned`)
    return (await answer.json()) as Pruned
  }

  /** @param path below `/v2/`, or as in a `Location` */
  private async call(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: Buffer | ReadableStream,
  ): Promise<Response> {
    const url = `http://${this.address}${path.startsWith('/') ? path : `/v2/${path}`}`
    try {
      return await fetch(url, {
        method,
        headers,
        ...(body !== undefined && { body, duplex: 'half' }),
      } as RequestInit)
    } catch (error) {
      const { cause, message } = error as Error
      // What was to be sent could not be read.
      const fault = [error, cause].find(each => each instanceof ArchiveError)
      if (fault !== undefined) throw fault
      throw new ArchiveError(
        `the registry at ${this.address} cannot be reached (${cause instanceof Error ? cause.message : message}); is the cluster up? Start it with: sampan up`,
      )
    }
  }
}

async function discarded<T>(answer: Response, result: T): Promise<T> {
  await answer.body?.cancel()
  return result
}

/** @throws ArchiveError with what the registry says */
async function expectStatus(answer: Response, wanted: number, problem: string): Promise<void> {
  if (answer.status === wanted) return
  const body = await answer.text()
  throw new ArchiveError(`${problem}: it answered ${answer.status} ${body.slice(0, 500)}`)
}
