// Repositories: which blobs and manifests they have and which tags point to which manifest. Content is in the blob
// store; what is kept here are small files: media types of manifests, digests of tags, and an empty file for each blob
// that is the repository's own (pushed to it or mounted).
import { statSync, unlinkSync } from 'node:fs'
import { readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { tagPattern } from '../../image-reference.ts'
import { digestOfHex, hexOf, isContentDigest } from '../digest.ts'
import { namedBy, parseManifest, subjectOf, type Manifest } from '../manifest.ts'
import type { BlobStore } from './blob-store.ts'
import { isMissing, makeDirectory, namesIn, syncDirectory, writeDurably } from './durable-file.ts'

/** `public` is the cache's: what anybody may have. */
export type Part = 'manifests' | 'blobs' | 'public'

export class Repositories {
  private readonly root: string
  private readonly blobs: BlobStore
  /** Changes of one repository happen one after the other. */
  private readonly turns = new Map<string, Promise<unknown>>()
  /** By digest of the manifest, which says it once and for ever. */
  private readonly subjects = new Map<string, string | undefined>()

  constructor(directory: string, blobs: BlobStore) {
    this.root = join(directory, 'repositories')
    this.blobs = blobs
  }

  async prepare(): Promise<void> {
    await makeDirectory(this.root)
    for (const folder of await namesIn(this.root)) await this.bringUpToDate(folder)
  }

  /** Registries of earlier versions wrote slashes as %2F, which is too long for some names, and all blobs were everybody's. */
  private async bringUpToDate(folder: string): Promise<void> {
    const repository = decodeURIComponent(folder).replaceAll('+', '/')
    if (folder !== encode(repository)) await rename(join(this.root, folder), join(this.root, encode(repository)))
    if ((await stat(this.folder(repository, 'blobs')).catch(() => undefined)) !== undefined) return
    for (const digest of await this.digests(repository, 'manifests')) {
      for (const child of await this.blobsOf(digest)) await this.link(repository, child)
    }
  }

  private async blobsOf(digest: string): Promise<readonly string[]> {
    const content = await this.blobs.readAll(digest)
    try {
      return content === undefined ? [] : namedBy(parseManifest(content)).blobs.filter(isContentDigest)
    } catch {
      // Earlier versions took what is no manifest.
      return []
    }
  }

  /** Only one at a time for each repository, so that what was looked at is still so when it is written. */
  oneAtATime<T>(repository: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.turns.get(repository) ?? Promise.resolve()).then(work)
    const settled = turn
      .catch(() => {})
      .finally(() => {
        if (this.turns.get(repository) === settled) this.turns.delete(repository)
      })
    this.turns.set(repository, settled)
    return turn
  }

  /** Also of those that have blobs only, since their image is still on its way. */
  async allNames(): Promise<string[]> {
    return (await namesIn(this.root)).map(decode)
  }

  async names(): Promise<string[]> {
    const names = await this.allNames()
    const known = await Promise.all(names.map(name => this.has(name)))
    return names.filter((_name, index) => known[index])
  }

  /** Whether a manifest was ever pushed there. */
  async has(repository: string): Promise<boolean> {
    return exists(this.folder(repository, 'manifests'))
  }

  /** @param reference a tag or a digest */
  async manifest(repository: string, reference: string): Promise<Manifest | undefined> {
    const digest = isContentDigest(reference) ? reference : await this.tagged(repository, reference)
    if (digest === undefined) return undefined
    const [mediaType, content] = await Promise.all([
      textOf(this.file(repository, 'manifests', digest)),
      this.blobs.readAll(digest),
    ])
    return mediaType === undefined || content === undefined ? undefined : { digest, mediaType, content }
  }

  /** The digest that a tag stands for. */
  async tagged(repository: string, tag: string): Promise<string | undefined> {
    const digest = (await textOf(this.tagFile(repository, tag)))?.trim()
    return digest !== undefined && isContentDigest(digest) ? digest : undefined
  }

  async putManifest(repository: string, { digest, mediaType, content }: Manifest): Promise<void> {
    await this.blobs.add(digest, content)
    await this.write(this.file(repository, 'manifests', digest), mediaType)
  }

  /** When it was pushed last, in epoch milliseconds. */
  async pushedMs(repository: string, digest: string): Promise<number | undefined> {
    return (await stat(this.file(repository, 'manifests', digest)).catch(() => undefined))?.mtimeMs
  }

  async putTag(repository: string, tag: string, digest: string): Promise<void> {
    await this.write(this.tagFile(repository, tag), digest)
  }

  /** @returns false when there was none */
  async removeTag(repository: string, tag: string): Promise<boolean> {
    return removeDurably(this.tagFile(repository, tag))
  }

  /** With all tags that point to it. @returns false when there was none */
  async removeManifest(repository: string, digest: string): Promise<boolean> {
    for (const tag of await this.tags(repository))
      if ((await this.tagged(repository, tag)) === digest) await this.removeTag(repository, tag)
    return removeDurably(this.file(repository, 'manifests', digest))
  }

  async tags(repository: string): Promise<string[]> {
    return (await namesIn(join(this.root, encode(repository), 'tags'))).filter(name => tagPattern.test(name))
  }

  /** Of its manifests, or of its other blobs. */
  async digests(repository: string, part: Part): Promise<string[]> {
    return (await namesIn(this.folder(repository, part))).flatMap(name => digestOfHex(name) ?? [])
  }

  /** Manifests of the repository that have this subject, in the order of their digests. */
  async referrers(repository: string, subject: string): Promise<Manifest[]> {
    const found: Manifest[] = []
    for (const digest of (await this.digests(repository, 'manifests')).sort()) {
      if ((await this.subject(digest)) !== subject) continue
      const manifest = await this.manifest(repository, digest)
      if (manifest !== undefined) found.push(manifest)
    }
    return found
  }

  private async subject(digest: string): Promise<string | undefined> {
    if (this.subjects.has(digest)) return this.subjects.get(digest)
    const content = await this.blobs.readAll(digest)
    if (content === undefined) return undefined
    const subject = readSubject(content)
    this.subjects.set(digest, subject)
    return subject
  }

  /** The blob is the repository's own from now on. */
  async link(repository: string, digest: string): Promise<void> {
    const file = this.file(repository, 'blobs', digest)
    const now = this.blobs.uses.clock.now() / 1000
    try {
      return await utimes(file, now, now)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    await this.write(file, '')
  }

  async unlink(repository: string, digest: string): Promise<boolean> {
    return removeDurably(this.file(repository, 'blobs', digest))
  }

  async hasBlob(repository: string, digest: string): Promise<boolean> {
    return exists(this.file(repository, 'blobs', digest))
  }

  /** Those that have the blob. */
  async repositoriesWith(digest: string): Promise<string[]> {
    const names = await this.allNames()
    const have = await Promise.all(names.map(name => this.hasBlob(name, digest)))
    return names.filter((_name, index) => have[index])
  }

  async hasManifest(repository: string, digest: string): Promise<boolean> {
    return exists(this.file(repository, 'manifests', digest))
  }

  /** Removes what the repository knows of it unless it is in use or was touched since. @returns whether it is gone */
  removeUnused(repository: string, part: Part, digest: string, sinceMs: number, dryRun: boolean): boolean {
    const file = this.file(repository, part, digest)
    const found = statSync(file, { throwIfNoEntry: false })
    if (found === undefined || !this.blobs.uses.isUnused(digest, found.mtimeMs, sinceMs)) return false
    if (dryRun) return true
    unlinkSync(file)
    if (part === 'manifests') this.subjects.delete(digest)
    return true
  }

  private write(file: string, text: string): Promise<void> {
    return writeDurably(file, text, this.blobs.uses.clock.now())
  }

  folder(repository: string, part: Part): string {
    return join(this.root, encode(repository), part)
  }

  private file(repository: string, part: Part, digest: string): string {
    return join(this.folder(repository, part), hexOf(digest))
  }

  private tagFile(repository: string, tag: string): string {
    return join(this.root, encode(repository), 'tags', tag)
  }
}

function readSubject(content: Buffer): string | undefined {
  try {
    return subjectOf(parseManifest(content))
  } catch {
    // Earlier versions took what is no manifest.
    return undefined
  }
}

/** One folder for each repository, with a name that is no longer than the repository's. */
const encode = (repository: string): string => repository.replaceAll('/', '+')
const decode = (folder: string): string => folder.replaceAll('+', '/')

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

async function removeDurably(file: string): Promise<boolean> {
  if (!(await exists(file))) return false
  await rm(file, { force: true })
  await syncDirectory(dirname(file))
  return true
}
