// The embedded store: SQLite in WAL mode with synchronous=FULL, written by a worker thread. Writes that
// arrive while a transaction is being made durable form the next one (group commit), so the cost of an
// fsync is shared by everyone who waits for it.
import { Worker } from 'node:worker_threads'
import {
  CompactedError,
  StoreFailure,
  type Entry,
  type History,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoreEvent,
  type StoreWatch,
  type WriteResult,
} from './store.ts'
import type {
  HistoryAnswer,
  LoggedWrite,
  RangeAnswer,
  WorkerAnswer,
  WorkerHello,
  WorkerRequest,
  WriteAnswer,
  WriteBatch,
} from './sqlite-messages.ts'
import { WatchHub } from './watch-hub.ts'

/** A batch this large is sent even though the worker is still busy with the one before. */
const maximumBatch = 1000

const noValue = new Uint8Array()

interface Waiting {
  readonly key: string
  /** undefined: delete */
  readonly value: Uint8Array | undefined
  readonly expectedRevision: number
  readonly resolve: (result: WriteResult) => void
  readonly reject: (error: Error) => void
}

type Request = WorkerRequest extends infer R ? (R extends { id: number } ? Omit<R, 'id'> : never) : never

function explain(file: string, message: string): string {
  if (/not a database|malformed|corrupt/i.test(message))
    return `the database ${file} is damaged (${message}); restore it from a backup, or move the directory away to start empty`
  if (/full/i.test(message)) return `the disk that holds ${file} is full; free some space and try again`
  if (/locked|busy/i.test(message)) return `the database ${file} is in use by another process; stop that one first`
  return `the database ${file} cannot be used: ${message}`
}

export class SqliteStore implements Store {
  private readonly hub = new WatchHub()
  private readonly answers = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  private queue: Waiting[] = []
  private writing = false
  private nextId = 1
  private revision: number
  private closed = false
  private readonly worker: Worker
  private readonly file: string

  private constructor(worker: Worker, file: string, revision: number) {
    this.worker = worker
    this.file = file
    this.revision = revision
    worker.on('message', (answer: WorkerAnswer) => this.settle(answer))
    worker.on('error', error => this.failAll(new StoreFailure(explain(file, error.message))))
  }

  /** @throws StoreFailure with one clear sentence when the file cannot be opened */
  static async open(file: string): Promise<SqliteStore> {
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
    const worker = new Worker(new URL(`./sqlite-worker${extension}`, import.meta.url), {
      workerData: { file },
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    const hello = await new Promise<WorkerHello>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    if (!hello.hello) throw new StoreFailure(explain(file, hello.message))
    return new SqliteStore(worker, file, hello.revision)
  }

  put(key: string, value: Uint8Array, expectedRevision: number): Promise<WriteResult> {
    return this.enqueue(key, value, expectedRevision)
  }

  delete(key: string, expectedRevision: number): Promise<WriteResult> {
    return this.enqueue(key, undefined, expectedRevision)
  }

  get(key: string): Promise<Entry | undefined> {
    return this.ask<Entry | undefined>({ type: 'get', key })
  }

  range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    const { from, revision, limit = 0 } = options
    return this.ask<RangeAnswer>({
      type: 'range',
      prefix,
      limit,
      ...(from !== undefined && { from }),
      ...(revision !== undefined && { revision }),
    })
  }

  async watch(
    prefix: string,
    afterRevision: number,
    listener: (events: readonly StoreEvent[]) => void,
  ): Promise<StoreWatch> {
    if (afterRevision === 0) return this.hub.add(prefix, listener)
    // Live events wait until history up to this moment has been delivered.
    let behind: StoreEvent[] | undefined = []
    const through = this.revision
    const watch = this.hub.add(prefix, events => {
      if (behind === undefined) listener(events)
      else behind.push(...events)
    })
    try {
      const missed = await this.ask<LoggedWrite[]>({ type: 'history', prefix, afterRevision, throughRevision: through })
      const events = [...missed.map(toEvent), ...behind]
      behind = undefined
      if (events.length > 0) listener(events)
    } catch (error) {
      watch.close()
      throw error
    }
    return watch
  }

  async history(prefix: string, throughRevision: number, limit: number): Promise<History> {
    const { afterRevision, writes } = await this.ask<HistoryAnswer>({ type: 'recent', prefix, throughRevision, limit })
    return { afterRevision, events: writes.map(write => ({ ...toEvent(write), previous: previousOf(write) })) }
  }

  /** In short steps, so that writes never wait long. */
  async compact(revision: number): Promise<void> {
    const target = Math.min(revision, this.revision)
    for (let reached = -1; reached < target && !this.closed;)
      reached = await this.ask<number>({ type: 'compact', revision: target })
  }

  async currentRevision(): Promise<number> {
    return this.revision
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.hub.clear()
    await this.ask<number>({ type: 'close' })
    await this.worker.terminate()
  }

  private enqueue(key: string, value: Uint8Array | undefined, expectedRevision: number): Promise<WriteResult> {
    if (this.closed) return Promise.reject(new StoreFailure('the store is closed'))
    return new Promise((resolve, reject) => {
      this.queue.push({ key, value, expectedRevision, resolve, reject })
      if (this.queue.length === 1 && !this.writing) process.nextTick(() => this.flush())
    })
  }

  private flush(): void {
    if (this.writing || this.queue.length === 0) return
    this.writing = true
    const batch = this.queue.splice(0, maximumBatch)
    const message = packed(batch)
    this.ask<WriteAnswer>({ type: 'write', ...message }, [message.values.buffer]).then(
      answer => this.committed(batch, answer),
      (error: Error) => {
        this.writing = false
        for (const waiting of batch) waiting.reject(error)
        this.flush()
      },
    )
  }

  private committed(batch: readonly Waiting[], { revisions, current }: WriteAnswer): void {
    this.writing = false
    // The next transaction starts before this one's events are worked off.
    this.flush()
    const events: StoreEvent[] = []
    for (const [index, revision] of revisions.entries()) {
      if (revision === 0) continue
      const { key, value, expectedRevision } = batch[index]!
      this.revision = revision
      events.push(
        value === undefined
          ? { type: 'delete', entry: { key, value: noValue, revision }, previousRevision: expectedRevision }
          : { type: 'put', entry: { key, value, revision }, previousRevision: expectedRevision },
      )
    }
    if (events.length > 0) this.hub.publish(events)
    for (const [index, { resolve }] of batch.entries()) {
      const revision = revisions[index]!
      resolve(revision === 0 ? { ok: false, current: current.get(index) } : { ok: true, revision })
    }
  }

  private ask<T>(request: Request, transfer: ArrayBuffer[] = []): Promise<T> {
    const id = this.nextId++
    return new Promise<T>((resolve, reject) => {
      this.answers.set(id, { resolve, reject })
      this.worker.postMessage({ ...request, id }, transfer)
    })
  }

  private settle(answer: WorkerAnswer): void {
    const waiting = this.answers.get(answer.id)
    if (waiting === undefined) return
    this.answers.delete(answer.id)
    if (answer.ok) waiting.resolve(answer.value as never)
    else if (answer.compactedRevision !== undefined) waiting.reject(new CompactedError(answer.compactedRevision))
    else waiting.reject(new StoreFailure(explain(this.file, answer.message)))
  }

  private failAll(error: Error): void {
    for (const waiting of this.answers.values()) waiting.reject(error)
    this.answers.clear()
  }
}

function packed(batch: readonly Waiting[]): WriteBatch & { values: Uint8Array<ArrayBuffer> } {
  const lengths = batch.map(({ value }) => value?.length ?? -1)
  const values = new Uint8Array(lengths.reduce((sum, length) => sum + Math.max(0, length), 0))
  let at = 0
  for (const { value } of batch) {
    if (value === undefined) continue
    values.set(value, at)
    at += value.length
  }
  return {
    keys: batch.map(({ key }) => key),
    expectedRevisions: batch.map(({ expectedRevision }) => expectedRevision),
    lengths,
    values,
  }
}

const previousOf = ({ key, previousRevision, previousValue }: HistoryAnswer['writes'][number]): Entry | undefined =>
  previousValue === null ? undefined : { key, value: previousValue, revision: previousRevision }

function toEvent(write: LoggedWrite): StoreEvent {
  const entry: Entry = { key: write.key, value: write.value ?? noValue, revision: write.revision }
  return { type: write.value === null ? 'delete' : 'put', entry, previousRevision: write.previousRevision }
}
