// Files by their digest. A blob appears under its name only when it is complete, verified and on disk.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, type ReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Transform, type Readable } from 'node:stream'

export class DigestMismatch extends Error {
  constructor(expected: string, found: string) {
    super(`expected content with the digest ${expected}, found ${found}`)
    this.name = 'DigestMismatch'
  }
}

export class BlobStore {
  private readonly root: string
  private readonly uploadRoot: string

  constructor(directory: string) {
    this.root = join(directory, 'blobs', 'sha256')
    this.uploadRoot = join(directory, 'uploads')
  }

  async prepare(): Promise<void> {
    // What a killed process left half-way is of no use to anybody.
    await rm(this.uploadRoot, { recursive: true, force: true })
    await Promise.all([mkdir(this.root, { recursive: true }), mkdir(this.uploadRoot, { recursive: true })])
  }

  /** Size in bytes; undefined: not there. */
  async size(digest: string): Promise<number | undefined> {
    return stat(this.fileOf(digest)).then(
      ({ size }) => size,
      () => undefined,
    )
  }

  read(digest: string, range?: { start: number; end: number }): ReadStream {
    return createReadStream(this.fileOf(digest), range)
  }

  async readAll(digest: string): Promise<Buffer | undefined> {
    return readFile(this.fileOf(digest)).catch(() => undefined)
  }

  async add(content: Buffer): Promise<string> {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
    if ((await this.size(digest)) === undefined) {
      const upload = await this.startUpload()
      await writeFile(upload.file, content)
      await this.commit(upload.file, digest)
    }
    return digest
  }

  async startUpload(): Promise<Upload> {
    const id = randomUUID()
    const file = join(this.uploadRoot, id)
    await writeFile(file, '')
    return new Upload(id, file)
  }

  /** @throws DigestMismatch; the upload is gone then */
  async finishUpload(upload: Upload, digest: string): Promise<void> {
    const found = upload.digest()
    if (found !== digest) {
      await rm(upload.file, { force: true })
      throw new DigestMismatch(digest, found)
    }
    await this.commit(upload.file, digest)
  }

  async abandon(upload: Upload): Promise<void> {
    await rm(upload.file, { force: true })
  }

  async remove(digest: string): Promise<void> {
    await rm(this.fileOf(digest), { force: true })
  }

  async list(): Promise<string[]> {
    return (await readdir(this.root).catch(() => [])).map(name => `sha256:${name}`)
  }

  private async commit(file: string, digest: string): Promise<void> {
    const handle = await open(file, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    const target = this.fileOf(digest)
    await mkdir(dirname(target), { recursive: true })
    await rename(file, target)
  }

  private fileOf(digest: string): string {
    return join(this.root, digest.slice('sha256:'.length))
  }
}

/** Content that arrives in pieces. */
export class Upload {
  readonly id: string
  readonly file: string
  size = 0
  private readonly hash = createHash('sha256')

  constructor(id: string, file: string) {
    this.id = id
    this.file = file
  }

  async append(content: Readable): Promise<void> {
    const handle = await open(this.file, 'a')
    const count = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.size += chunk.length
        this.hash.update(chunk)
        done(null, chunk)
      },
    })
    await pipeline(content, count, handle.createWriteStream())
  }

  digest(): string {
    return `sha256:${this.hash.copy().digest('hex')}`
  }
}
