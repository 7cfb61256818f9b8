// What was fetched from registries elsewhere, for all clusters of the machine: content by its digest, and for each
// registry what of it is in which repository, which tags pointed where, and what anybody may have. Several processes
// work with it at once: files come to be by renaming, and nothing is changed in place.
import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../host/make-folder.ts'
import type { Clock } from '../../../lib/clock.ts'
import { digestOfHex, hexOf } from '../digest.ts'
import { BlobStore } from '../storage/blob-store.ts'
import { makeDirectory, namesIn, removeHalfWritten, writeDurably } from '../storage/durable-file.ts'
import { Repositories } from '../storage/repositories.ts'
import { Uses } from '../storage/uses.ts'

/** A repository of a registry elsewhere. */
export interface Place {
  readonly registry: string
  readonly repository: string
}

/** A process that writes a file takes no longer. */
const halfWrittenMs = 3_600_000
const downloadMs = 24 * 3_600_000

export class CacheStore {
  readonly directory: string
  readonly blobs: BlobStore
  private readonly clock: Clock
  private readonly registries = new Map<string, Repositories>()

  constructor(directory: string, clock: Clock) {
    this.directory = directory
    this.clock = clock
    this.blobs = new BlobStore(directory, new Uses(clock))
  }

  async prepare(): Promise<void> {
    // There may be what not everybody on the machine may read.
    makeFolder(this.directory, 0o700)
    await this.blobs.prepare()
    await makeDirectory(join(this.directory, 'downloads'))
  }

  repositoriesOf(registry: string): Repositories {
    const known = this.registries.get(registry)
    if (known !== undefined) return known
    const repositories = new Repositories(join(this.directory, 'registries', registry), this.blobs)
    this.registries.set(registry, repositories)
    return repositories
  }

  /** Whether anybody may have it: it was once fetched by nobody in particular. */
  async isPublic(place: Place, digest: string): Promise<boolean> {
    return (await readFile(this.publicFile(place, digest)).catch(() => undefined)) !== undefined
  }

  async setPublic(place: Place, digest: string): Promise<void> {
    if (!(await this.isPublic(place, digest))) await writeDurably(this.publicFile(place, digest), '', this.clock.now())
  }

  /** Of a download that is under way or broke off. */
  downloadFile(digest: string): string {
    return join(this.directory, 'downloads', hexOf(digest))
  }

  /** Removes what nobody asked for since, then what was not asked for the longest, until the rest has room. @returns bytes */
  async limit({ unusedMs, maximumBytes }: { unusedMs: number; maximumBytes: number }): Promise<number> {
    const nowMs = this.clock.now()
    await removeHalfWritten(this.directory, nowMs - halfWrittenMs)
    for (const name of await namesIn(join(this.directory, 'downloads'))) {
      const file = join(this.directory, 'downloads', name)
      const found = await stat(file).catch(() => undefined)
      if (found !== undefined && found.mtimeMs < nowMs - downloadMs) await rm(file, { force: true })
    }
    const blobs = await this.byUse()
    let total = blobs.reduce((sum, { size }) => sum + size, 0)
    let freed = 0
    for (const { digest, usedMs } of blobs) {
      if (total <= maximumBytes && usedMs > nowMs - unusedMs) break
      const bytes = this.blobs.removeUnused(digest, nowMs - halfWrittenMs, false) ?? 0
      total -= bytes
      freed += bytes
    }
    if (freed > 0) await this.forgetWhatIsGone()
    return freed
  }

  /** The one that was not asked for the longest comes first. */
  private async byUse(): Promise<{ digest: string; size: number; usedMs: number }[]> {
    const found = await Promise.all(
      (await this.blobs.list()).map(async digest => {
        const file = await stat(this.blobs.fileOf(digest)).catch(() => undefined)
        return file === undefined ? [] : [{ digest, size: file.size, usedMs: file.mtimeMs }]
      }),
    )
    return found.flat().toSorted((left, right) => left.usedMs - right.usedMs)
  }

  private async forgetWhatIsGone(): Promise<void> {
    for (const registry of await namesIn(join(this.directory, 'registries'))) {
      const repositories = this.repositoriesOf(registry)
      for (const repository of await repositories.allNames())
        for (const part of ['manifests', 'blobs', 'public'] as const) {
          const folder = repositories.folder(repository, part)
          for (const name of await namesIn(folder)) {
            const digest = digestOfHex(name)
            if (digest === undefined || (await this.blobs.size(digest)) === undefined)
              await rm(join(folder, name), { force: true })
          }
        }
    }
  }

  private publicFile({ registry, repository }: Place, digest: string): string {
    return join(this.repositoriesOf(registry).folder(repository, 'public'), hexOf(digest))
  }
}
