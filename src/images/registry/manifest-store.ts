// Repositories: which manifests they have and which tags point to them. Manifests are blobs; what is kept
// here are their media types and the tags, as small files.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { digestPattern, tagPattern } from '../image-reference.ts'
import type { BlobStore } from './blob-store.ts'
import { subjectOf, type Manifest } from './manifest.ts'

const fallbackMediaType = 'application/vnd.oci.image.manifest.v1+json'

export class ManifestStore {
  private readonly root: string
  private readonly blobs: BlobStore

  constructor(directory: string, blobs: BlobStore) {
    this.root = join(directory, 'repositories')
    this.blobs = blobs
  }

  /** @param reference a tag or a digest */
  async get(repository: string, reference: string): Promise<Manifest | undefined> {
    const digest = digestPattern.test(reference) ? reference : await this.readText(this.tagFile(repository, reference))
    if (digest === undefined) return undefined
    const [mediaType, content] = await Promise.all([
      this.readText(this.manifestFile(repository, digest)),
      this.blobs.readAll(digest),
    ])
    return mediaType === undefined || content === undefined ? undefined : { digest, mediaType, content }
  }

  async put(repository: string, reference: string, mediaType: string | undefined, content: Buffer): Promise<string> {
    const digest = await this.blobs.add(content)
    await this.write(this.manifestFile(repository, digest), mediaType ?? mediaTypeIn(content))
    if (!digestPattern.test(reference)) await this.write(this.tagFile(repository, reference), digest)
    return digest
  }

  /** @returns false when there is no such manifest or tag */
  async remove(repository: string, reference: string): Promise<boolean> {
    if (!digestPattern.test(reference)) {
      const known = (await this.readText(this.tagFile(repository, reference))) !== undefined
      await rm(this.tagFile(repository, reference), { force: true })
      return known
    }
    const known = (await this.readText(this.manifestFile(repository, reference))) !== undefined
    await rm(this.manifestFile(repository, reference), { force: true })
    for (const tag of await this.tags(repository))
      if ((await this.readText(this.tagFile(repository, tag))) === reference)
        await rm(this.tagFile(repository, tag), { force: true })
    return known
  }

  async tags(repository: string): Promise<string[]> {
    return (await namesIn(join(this.root, encode(repository), 'tags'))).filter(name => tagPattern.test(name))
  }

  async repositories(): Promise<string[]> {
    return (await namesIn(this.root)).map(decodeURIComponent)
  }

  /** Whether a manifest was ever pushed there. */
  has(repository: string): boolean {
    return existsSync(join(this.root, encode(repository)))
  }

  /** Manifests of the repository that have this subject, in the order of their digests. */
  async referrers(repository: string, subject: string): Promise<Manifest[]> {
    const found: Manifest[] = []
    for (const name of (await namesIn(join(this.root, encode(repository), 'manifests'))).sort()) {
      const manifest = await this.get(repository, `sha256:${name}`)
      if (manifest !== undefined && subjectOf(manifest.content) === subject) found.push(manifest)
    }
    return found
  }

  private tagFile(repository: string, tag: string): string {
    return join(this.root, encode(repository), 'tags', tag)
  }

  private manifestFile(repository: string, digest: string): string {
    return join(this.root, encode(repository), 'manifests', digest.slice('sha256:'.length))
  }

  private async readText(file: string): Promise<string | undefined> {
    return readFile(file, 'utf8').catch(() => undefined)
  }

  private async write(file: string, text: string): Promise<void> {
    const folder = dirname(file)
    await mkdir(folder, { recursive: true })
    // No tag starts with a dot, so a half-written file is never listed as one.
    const temporary = join(folder, `.${randomUUID()}`)
    await writeFile(temporary, text)
    await rename(temporary, file)
  }
}

const namesIn = (directory: string): Promise<string[]> => readdir(directory).catch(() => [])

/** One folder per repository, whatever slashes its name has. */
const encode = (repository: string): string => encodeURIComponent(repository)

function mediaTypeIn(content: Buffer): string {
  try {
    const { mediaType } = JSON.parse(content.toString()) as { mediaType?: unknown }
    if (typeof mediaType === 'string') return mediaType
  } catch {
    // No JSON, so it does not say what it is.
  }
  return fallbackMediaType
}
