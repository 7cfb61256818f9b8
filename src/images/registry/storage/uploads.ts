// Content that arrives in pieces. What of it is on disk stays when the connection breaks, and when the server is killed:
// whoever asks how far it came goes on from there. Given up for good when nobody came back for a day.
import { createHash, randomUUID, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, rm, stat, truncate, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { algorithmOf, digestOfHash, type Algorithm } from '../digest.ts'
import { DigestMismatch, type BlobStore } from './blob-store.ts'
import { isMissing, makeDirectory, namesIn } from './durable-file.ts'

/** A chunk had another length than it was said to have; nothing of it was kept. */
export class LengthMismatch extends Error {
  constructor(expected: number, found: number) {
    super(`expected a chunk of ${expected} bytes, found ${found}`)
    this.name = 'LengthMismatch'
  }
}

const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const [dataName, repositoryName] = ['data', 'repository']

export class Uploads {
  private readonly root: string
  private readonly blobs: BlobStore
  private readonly open = new Map<string, Upload>()

  constructor(directory: string, blobs: BlobStore) {
    this.root = join(directory, 'uploads')
    this.blobs = blobs
  }

  async prepare(): Promise<void> {
    await makeDirectory(this.root)
  }

  async start(repository: string): Promise<Upload> {
    const id = randomUUID()
    const folder = join(this.root, id)
    await mkdir(folder)
    // Without its repository it is nobody's, and forgotten with time.
    await writeFile(join(folder, dataName), '')
    await writeFile(join(folder, repositoryName), repository)
    const upload = new Upload(id, repository, join(folder, dataName), 0)
    this.open.set(id, upload)
    return upload
  }

  /** undefined: there is none, or not in this repository. */
  async find(repository: string, id: string): Promise<Upload | undefined> {
    if (!idPattern.test(id)) return undefined
    const upload = this.open.get(id) ?? (await this.reopened(id))
    return upload?.repository === repository ? upload : undefined
  }

  private async reopened(id: string): Promise<Upload | undefined> {
    const folder = join(this.root, id)
    try {
      const repository = await readFile(join(folder, repositoryName), 'utf8')
      const { size } = await stat(join(folder, dataName))
      // Two requests may have come at once.
      const known = this.open.get(id)
      if (known !== undefined) return known
      const upload = new Upload(id, repository, join(folder, dataName), size)
      this.open.set(id, upload)
      return upload
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** It becomes a blob. @throws DigestMismatch; the upload is gone then */
  async finish(upload: Upload, digest: string): Promise<void> {
    const found = await upload.digest(algorithmOf(digest))
    if (found !== digest) {
      await this.abandon(upload)
      throw new DigestMismatch(digest, found)
    }
    await this.blobs.take(upload.file, digest)
    await this.abandon(upload)
  }

  async abandon(upload: Upload): Promise<void> {
    this.open.delete(upload.id)
    await rm(dirname(upload.file), { recursive: true, force: true })
  }

  /** Gives up those that nothing came to since. @returns how many, and their bytes */
  async removeUnused(sinceMs: number, dryRun: boolean): Promise<{ count: number; bytes: number }> {
    let [count, bytes] = [0, 0]
    for (const id of await namesIn(this.root)) {
      if (this.open.get(id)?.isBusy === true) continue
      const found = await stat(join(this.root, id, dataName)).catch(() => undefined)
      const age = found ?? (await stat(join(this.root, id)).catch(() => undefined))
      if (age === undefined || age.mtimeMs > sinceMs || this.open.get(id)?.isBusy === true) continue
      count++
      bytes += found?.size ?? 0
      if (dryRun) continue
      this.open.delete(id)
      await rm(join(this.root, id), { recursive: true, force: true })
    }
    return { count, bytes }
  }
}

export class Upload {
  readonly id: string
  readonly repository: string
  readonly file: string
  /** Of what is on disk. */
  size: number
  /** Of what came while this process ran; undefined: it is read from the file when it is needed. */
  private hash: Hash | undefined
  private turn: Promise<unknown> = Promise.resolve()
  private source: Readable | undefined

  constructor(id: string, repository: string, file: string, size: number) {
    this.id = id
    this.repository = repository
    this.file = file
    this.size = size
    if (size === 0) this.hash = createHash('sha256')
  }

  get isBusy(): boolean {
    return this.source !== undefined
  }

  /**
   * One request at a time works on it. Who comes while another one still sends has lost that connection, so it is
   * ended first.
   */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.source?.destroy()
    const result = this.turn.then(work)
    this.turn = result.catch(() => {})
    return result
  }

  /** @param length of the whole content, where it is known. When it breaks off, what came so far stays. @throws LengthMismatch */
  async append(content: Readable, length?: number): Promise<void> {
    const start = this.size
    this.source = content
    const handle = await open(this.file, 'r+')
    try {
      // Whoever sends is to hear what went wrong, so a fault here does not end the connection.
      for await (const chunk of content.iterator({ destroyOnReturn: false })) await this.write(handle, chunk as Buffer)
      if (length !== undefined && this.size - start !== length) {
        const found = this.size - start
        this.size = start
        this.hash = undefined
        throw new LengthMismatch(length, found)
      }
    } catch (error) {
      // A write that failed may have left a part.
      await handle.truncate(this.size)
      throw error
    } finally {
      this.source = undefined
      await handle.close()
    }
  }

  /** Begins anew. */
  async clear(): Promise<void> {
    await truncate(this.file, 0)
    this.size = 0
    this.hash = createHash('sha256')
  }

  private async write(handle: FileHandle, chunk: Buffer): Promise<void> {
    const written = handle.write(chunk, 0, chunk.length, this.size)
    // Hashed while it is written; when the write fails, the hash is ahead of the file.
    const hash = this.hash?.update(chunk)
    this.hash = undefined
    for (let done = (await written).bytesWritten; done < chunk.length;)
      done += (await handle.write(chunk, done, chunk.length - done, this.size + done)).bytesWritten
    this.hash = hash
    this.size += chunk.length
  }

  async digest(algorithm: Algorithm): Promise<string> {
    if (algorithm === 'sha256' && this.hash !== undefined) return digestOfHash(this.hash, algorithm)
    const hash = createHash(algorithm)
    for await (const chunk of createReadStream(this.file, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer)
    return digestOfHash(hash, algorithm)
  }
}
