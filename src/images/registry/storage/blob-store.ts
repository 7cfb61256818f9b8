// Files by their digest. A blob appears under its name only when it is complete, verified and on disk. Who may see
// which is no business of this store: repositories name what is theirs.
import { statSync, unlinkSync } from 'node:fs'
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { algorithmOf, algorithms, digestOf, digestOfHex, hexOf } from '../digest.ts'
import { isMissing, makeDirectory, namesIn, syncDirectory, temporaryName } from './durable-file.ts'
import type { Uses } from './uses.ts'

export class DigestMismatch extends Error {
  constructor(expected: string, found: string) {
    super(`expected content with the digest ${expected}, found ${found}`)
    this.name = 'DigestMismatch'
  }
}

export class BlobStore {
  readonly uses: Uses
  private readonly root: string

  constructor(directory: string, uses: Uses) {
    this.root = join(directory, 'blobs')
    this.uses = uses
  }

  async prepare(): Promise<void> {
    await Promise.all(algorithms.map(algorithm => makeDirectory(join(this.root, algorithm))))
  }

  /** Size in bytes; undefined: not there. */
  async size(digest: string): Promise<number | undefined> {
    try {
      return (await stat(this.fileOf(digest))).size
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async readAll(digest: string): Promise<Buffer | undefined> {
    try {
      return await readFile(this.fileOf(digest))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** Somebody relies on its being there. */
  touch(digest: string): void {
    this.uses.touch(digest, this.fileOf(digest))
  }

  async add(digest: string, content: Buffer): Promise<void> {
    if ((await this.size(digest)) !== undefined) return this.touch(digest)
    const found = digestOf(content, algorithmOf(digest))
    if (found !== digest) throw new DigestMismatch(digest, found)
    const file = join(this.root, algorithmOf(digest), temporaryName())
    try {
      await writeFile(file, content)
      await this.take(file, digest)
    } catch (error) {
      await rm(file, { force: true })
      throw error
    }
  }

  /** Takes a file of the same disk over, which has that digest. */
  async take(file: string, digest: string): Promise<void> {
    const handle = await open(file, 'r+')
    try {
      const now = this.uses.clock.now() / 1000
      await handle.utimes(now, now)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(file, this.fileOf(digest))
    await syncDirectory(join(this.root, algorithmOf(digest)))
  }

  async list(): Promise<string[]> {
    const names = await Promise.all(algorithms.map(algorithm => namesIn(join(this.root, algorithm))))
    return names.flat().flatMap(name => digestOfHex(name) ?? [])
  }

  /** 0: it is not there. */
  bytesOf(digest: string): number {
    return statSync(this.fileOf(digest), { throwIfNoEntry: false })?.size ?? 0
  }

  /** Removes it unless somebody works with it or touched it since. @returns its bytes; undefined: it stays */
  removeUnused(digest: string, sinceMs: number, dryRun: boolean): number | undefined {
    const file = this.fileOf(digest)
    const found = statSync(file, { throwIfNoEntry: false })
    if (found === undefined || !this.uses.isUnused(digest, found.mtimeMs, sinceMs)) return undefined
    if (!dryRun) unlinkSync(file)
    return found.size
  }

  fileOf(digest: string): string {
    return join(this.root, algorithmOf(digest), hexOf(digest))
  }
}
