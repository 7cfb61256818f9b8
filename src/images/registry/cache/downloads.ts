// One download of a blob, however many ask for it at once, in this process or in another one of the machine. What breaks
// off goes on where it stopped, at once or when somebody asks for it again.
import { createHash } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { rm, stat, statfs, writeFile } from 'node:fs/promises'
import { holdLock, isLocked, type Lock } from '../../../host/lock.ts'
import { algorithmOf } from '../digest.ts'
import { DigestMismatch } from '../storage/blob-store.ts'
import { isFull } from '../storage/durable-file.ts'
import { Upload } from '../storage/uploads.ts'
import type { CacheStore } from './cache-store.ts'
import type { WriterState } from './growing-file.ts'
import { UpstreamAway, type UpstreamAnswer } from './upstream.ts'

/** Asks for the blob from this byte on. */
export type Fetch = (start: number) => Promise<UpstreamAnswer>

export interface Download {
  readonly file: string
  readonly total: number
  readonly state: () => Promise<WriterState>
}

/** Not begun: what the registry answered instead, or the blob itself, for which the disk has no room. */
export interface Refusal {
  readonly refusal: UpstreamAnswer
}

const attempts = 5

export class Downloads {
  private readonly store: CacheStore
  private readonly running = new Map<string, Promise<Download | Refusal>>()

  /** Bytes that downloads which are under way may still need. */
  private promised = 0

  constructor(store: CacheStore) {
    this.store = store
  }

  /** undefined: nobody downloads it at the moment. @param total of the blob */
  async underWay(digest: string, total: number): Promise<Download | undefined> {
    const own = await this.running.get(digest)?.catch(() => undefined)
    if (own !== undefined && 'file' in own) return own
    if (!(await isLocked(lockName(this.store, digest)))) return undefined
    const file = this.fileOf(digest)
    const found = await stat(file).catch(() => undefined)
    return found && { file, total, state: () => this.stateElsewhere(digest) }
  }

  isUnderWay(digest: string): Promise<boolean> {
    return this.running.has(digest) ? Promise.resolve(true) : isLocked(lockName(this.store, digest))
  }

  private async stateElsewhere(digest: string): Promise<WriterState> {
    // In this order: it is released when the blob is there.
    const isGoingOn = await isLocked(lockName(this.store, digest))
    if ((await this.store.blobs.size(digest)) !== undefined) return 'whole'
    return isGoingOn ? 'writing' : 'broken'
  }

  /** Begins it. @returns undefined: somebody else did just now. @throws UpstreamAway */
  async begin(digest: string, fetch: Fetch, finished: () => Promise<void>): Promise<Download | Refusal | undefined> {
    if (this.running.has(digest)) return undefined
    const starting = Promise.withResolvers<Download | Refusal>()
    this.running.set(digest, starting.promise)
    starting.promise.catch(() => {})
    const lock = await holdLock(lockName(this.store, digest))
    if (lock === undefined) {
      this.running.delete(digest)
      starting.reject(new Error('another process downloads it'))
      return undefined
    }
    try {
      const download = await this.start(digest, fetch, finished, lock)
      starting.resolve(download)
      return await starting.promise
    } catch (error) {
      starting.reject(error as Error)
      this.release(digest, lock)
      throw error
    }
  }

  /** Bytes that nobody writes yet. */
  private async room(): Promise<number> {
    const { bavail, bsize } = await statfs(this.store.directory)
    return bavail * bsize - this.promised
  }

  private async start(
    digest: string,
    fetch: Fetch,
    finished: () => Promise<void>,
    lock: Lock,
  ): Promise<Download | Refusal> {
    const file = this.fileOf(digest)
    const before = await stat(file).catch(() => undefined)
    if (before === undefined) await writeFile(file, '')
    const upload = new Upload('', '', file, before?.size ?? 0)
    let first = await fetch(upload.size)
    if (first.status === 416) {
      first.body.destroy()
      await upload.clear()
      first = await fetch(0)
    }
    let total = totalOf(first, upload.size)
    let missing = (total ?? 0) - upload.size
    if (missing > (await this.room())) {
      if (upload.size > 0) {
        first.body.destroy()
        first = await fetch(0)
      }
      await rm(file, { force: true })
      total = undefined
      missing = 0
    }
    if (total === undefined) {
      this.release(digest, lock)
      return { refusal: first }
    }
    const wanted = total
    this.promised += missing
    let state: WriterState = 'writing'
    const settle = async (): Promise<void> => {
      try {
        await this.write(digest, upload, { first, total: wanted, fetch })
        await finished()
        state = 'whole'
      } catch (error) {
        state = 'broken'
        // What is wrong, or has no room, is of no use to whoever comes next.
        if (error instanceof DigestMismatch || isFull(error)) await rm(file, { force: true })
      } finally {
        this.promised -= missing
        this.release(digest, lock)
      }
    }
    void settle()
    return { file, total: wanted, state: () => Promise.resolve(state) }
  }

  private async write(
    digest: string,
    upload: Upload,
    { first, total, fetch }: { readonly first: UpstreamAnswer; readonly total: number; readonly fetch: Fetch },
  ): Promise<void> {
    let answer = first
    for (let attempt = 1; ; attempt++) {
      try {
        if (answer.status === 200 && upload.size > 0) await upload.clear()
        await upload.append(answer.body)
      } catch (error) {
        if (isFull(error) || attempt === attempts) throw error
      }
      if (upload.size >= total) break
      if (attempt === attempts) throw new UpstreamAway('the connection broke again and again')
      answer = await fetch(upload.size)
      if (totalOf(answer, upload.size) !== total) {
        answer.body.destroy()
        throw new UpstreamAway(`it answered ${answer.status} when it was to go on`)
      }
    }
    const found = await upload.digest(algorithmOf(digest))
    if (found !== digest) throw new DigestMismatch(digest, found)
    await this.store.blobs.take(upload.file, digest)
  }

  private release(digest: string, lock: Lock): void {
    this.running.delete(digest)
    lock.release()
  }

  private fileOf(digest: string): string {
    return `${this.store.downloadFile(digest)}.${networkOfProcess()}`
  }
}

/** @returns undefined: it is not the blob from this byte on */
function totalOf({ status, headers }: UpstreamAnswer, start: number): number | undefined {
  if (status === 200) return headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers['content-range'] ?? '') ?? []
  return status === 206 && Number(first) === start ? Number(total) : undefined
}

/** Names of locks have a hundred bytes. */
const lockName = ({ directory }: CacheStore, digest: string): string =>
  `sampan image ${createHash('sha256').update(`${directory} ${digest}`).digest('hex')}`

/** Locks are seen in one network namespace; those who do not see each other's write into files of their own. */
function networkOfProcess(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/net'))![0]
  } catch {
    return String(process.pid)
  }
}
