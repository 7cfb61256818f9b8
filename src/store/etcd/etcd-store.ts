// The store in an etcd cluster, for high availability; several servers may share it. Revisions are
// etcd's. One watch over everything below `root` feeds all watchers, and a write resolves once that watch
// has shown it.
import type { GrpcStream } from '../../grpc/channel.ts'
import {
  CompactedError,
  StoreFailure,
  type Entry,
  type History,
  type HistoryEvent,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoreEvent,
  type StoreWatch,
  type WriteResult,
} from '../store.ts'
import { WatchHub } from '../watch-hub.ts'
import { EtcdClient, EtcdError, type EtcdOptions } from './etcd-client.ts'
import {
  deletion,
  etcdMethods,
  modRevision,
  type KeyValue,
  type RangeResponse,
  type TxnResponse,
  type WatchResponse,
} from './etcd-messages.ts'

export interface EtcdStoreOptions extends EtcdOptions {
  /** Stands before every key, so that several clusters can share one etcd. */
  readonly root: string
}

interface Waiting {
  readonly revision: number
  readonly resolve: () => void
}

const noValue = new Uint8Array()
const pageSize = 2000
/** How long a stored write may wait for the watch to show it. */
const showMs = 10_000
/** Written, outside of what anybody watches, to see in a watch that everything before it has come. */
const markerKey = 'marker'

/** The least key greater than every key with the prefix. */
function afterPrefix(prefix: string): Buffer {
  const end = Buffer.from(prefix)
  end[end.length - 1]! += 1
  return end
}

export class EtcdStore implements Store {
  private readonly client: EtcdClient
  private readonly options: EtcdStoreOptions
  private readonly hub = new WatchHub()
  private waiting: Waiting[] = []
  /** Every event up to here has been published. */
  private seen: number
  /** Whether there is an event with the revision `seen`. */
  private seenIsEvent = false
  private stream: GrpcStream | undefined
  private failure: StoreFailure | undefined
  private closed = false

  private constructor(client: EtcdClient, options: EtcdStoreOptions, revision: number) {
    this.client = client
    this.options = options
    this.seen = revision
    this.follow()
  }

  /** @throws StoreFailure when no endpoint answers */
  static async open(options: EtcdStoreOptions): Promise<EtcdStore> {
    if (options.root === '' || options.endpoints.length === 0)
      throw new StoreFailure('expected a root and at least one endpoint for etcd')
    const client = new EtcdClient(options)
    try {
      const { header } = await client.read<RangeResponse>(etcdMethods.range, {
        key: Buffer.from(options.root),
        keys_only: true,
      })
      return new EtcdStore(client, options, header.revision)
    } catch (error) {
      client.close()
      throw error instanceof EtcdError ? new StoreFailure(`etcd refuses to be read: ${error.message}`) : error
    }
  }

  put(key: string, value: Uint8Array, expectedRevision: number): Promise<WriteResult> {
    return this.write(key, { request_put: { key: this.bytes(key), value } }, expectedRevision)
  }

  async delete(key: string, expectedRevision: number): Promise<WriteResult> {
    if (expectedRevision === 0) return { ok: false, current: await this.get(key) }
    return this.write(key, { request_delete_range: { key: this.bytes(key) } }, expectedRevision)
  }

  async get(key: string): Promise<Entry | undefined> {
    const { kvs } = await this.read({ key: this.bytes(key) })
    return kvs[0] && this.entry(kvs[0])
  }

  async range(prefix: string, { from, limit = 0, revision = 0 }: RangeOptions = {}): Promise<RangeResult> {
    const start = this.bytes(prefix)
    const end = afterPrefix(this.options.root + prefix)
    let next = from !== undefined && from > prefix ? this.bytes(from) : start
    const whole =
      next === start ? undefined : await this.read({ key: start, range_end: end, revision, count_only: true })
    const entries: Entry[] = []
    let at = revision > 0 ? revision : (whole?.header.revision ?? 0)
    let count = whole?.count
    for (;;) {
      const wanted = limit > 0 ? Math.min(pageSize, limit - entries.length) : pageSize
      const page = await this.read({ key: next, range_end: end, limit: wanted, revision: at })
      at ||= page.header.revision
      count ??= page.count
      for (const kv of page.kvs) entries.push(this.entry(kv))
      if (!page.more || (limit > 0 && entries.length >= limit)) return { entries, revision: at, more: page.more, count }
      next = Buffer.concat([page.kvs.at(-1)!.key, Buffer.from([0])])
    }
  }

  async watch(
    prefix: string,
    afterRevision: number,
    listener: (events: readonly StoreEvent[]) => void,
  ): Promise<StoreWatch> {
    let behind: StoreEvent[] | undefined = []
    const through = this.seen
    // A revision from an answer may be ahead of the watch; what was in that answer is not told again.
    const tell = (events: readonly StoreEvent[]): void => {
      const news = events.filter(event => event.entry.revision > afterRevision)
      if (news.length > 0) listener(news)
    }
    const watch = this.hub.add(prefix, events => {
      if (behind === undefined) tell(events)
      else behind.push(...events)
    })
    try {
      if (afterRevision > 0 && afterRevision < through) {
        const oldest = await this.oldestKept(afterRevision, through)
        if (oldest > afterRevision) throw new CompactedError(oldest)
        tell([...(await this.eventsBetween(prefix, afterRevision, through)), ...behind])
      } else tell(behind)
      behind = undefined
      return watch
    } catch (error) {
      watch.close()
      throw error
    }
  }

  async history(prefix: string, throughRevision: number, limit: number): Promise<History> {
    const afterRevision = await this.oldestKept(Math.max(1, throughRevision - limit), throughRevision)
    return { afterRevision, events: await this.eventsBetween(prefix, afterRevision, throughRevision) }
  }

  async compact(revision: number): Promise<void> {
    try {
      await this.client.read(etcdMethods.compact, { revision: Math.min(revision, await this.currentRevision()) })
    } catch (error) {
      // Another server was faster.
      if (!(error instanceof EtcdError && error.isCompacted)) throw error
    }
  }

  async currentRevision(): Promise<number> {
    return (await this.read({ key: this.bytes(markerKey), keys_only: true })).header.revision
  }

  async close(): Promise<void> {
    this.closed = true
    this.hub.clear()
    this.stream?.cancel()
    this.client.close()
  }

  private bytes(key: string): Buffer {
    return Buffer.from(this.options.root + key)
  }

  private entry({ key, value, mod_revision: revision }: KeyValue): Entry {
    return { key: key.toString().slice(this.options.root.length), value, revision }
  }

  private async read(request: object): Promise<RangeResponse> {
    if (this.failure !== undefined) throw this.failure
    try {
      return await this.client.read<RangeResponse>(etcdMethods.range, request)
    } catch (error) {
      if (error instanceof EtcdError && error.isCompacted)
        throw new CompactedError((request as { revision: number }).revision + 1)
      throw error instanceof EtcdError ? new StoreFailure(`etcd refuses to be read: ${error.message}`) : error
    }
  }

  private async write(key: string, operation: object, expectedRevision: number): Promise<WriteResult> {
    if (this.failure !== undefined) throw this.failure
    const name = this.bytes(key)
    const answer = await this.client
      .write<TxnResponse>(etcdMethods.txn, {
        compare: [{ target: modRevision, key: name, mod_revision: expectedRevision }],
        success: [operation],
        failure: [{ request_range: { key: name } }],
      })
      .catch((error: Error) => {
        throw error instanceof EtcdError ? new StoreFailure(`etcd refuses to write ${key}: ${error.message}`) : error
      })
    if (answer.succeeded) {
      await this.shown(answer.header.revision)
      return { ok: true, revision: answer.header.revision }
    }
    const found = answer.responses[0]?.response_range?.kvs[0]
    if (found !== undefined) await this.shown(found.mod_revision)
    return { ok: false, current: found && this.entry(found) }
  }

  /** Resolves when the event of this revision has been published. */
  private shown(revision: number): Promise<void> {
    if (this.seen >= revision) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = this.options.clock.after(showMs, () =>
        reject(
          new StoreFailure(
            `revision ${revision} is stored, but etcd's watch does not show it; the state here may be old`,
          ),
        ),
      )
      this.waiting.push({
        revision,
        resolve: () => {
          timer.cancel()
          resolve()
        },
      })
    })
  }

  /** Keeps one watch over everything alive, going on where the last one ended. */
  private follow(): void {
    if (this.closed) return
    const request = this.everythingAfter(this.seen)
    this.stream = this.client.watch(
      request,
      message => this.observe(message as unknown as WatchResponse),
      () => {
        void this.client.pause().then(() => this.follow())
      },
    )
  }

  private observe(response: WatchResponse): void {
    if (response.canceled) {
      this.stream?.cancel()
      if (response.compact_revision > 0) this.fail(response.compact_revision)
      else void this.client.pause().then(() => this.follow())
      return
    }
    const events = response.events.map(event => this.event(event)).filter(event => event.entry.revision > this.seen)
    if (events.length === 0) return
    this.seen = events.at(-1)!.entry.revision
    this.seenIsEvent = true
    this.hub.publish(events)
    const ready = this.waiting.filter(({ revision }) => revision <= this.seen)
    if (ready.length === 0) return
    this.waiting = this.waiting.filter(({ revision }) => revision > this.seen)
    for (const { resolve } of ready) resolve()
  }

  private fail(compactRevision: number): void {
    this.failure = new StoreFailure(
      `etcd was out of reach for so long that changes after revision ${this.seen} are compacted (up to ${compactRevision}); restart the server, so that it reads everything again`,
    )
  }

  private everythingAfter(revision: number): object {
    return {
      key: Buffer.from(this.options.root),
      range_end: afterPrefix(this.options.root),
      start_revision: revision + 1,
      prev_kv: true,
    }
  }

  private event({ type, kv, prev_kv: before }: WatchResponse['events'][number]): HistoryEvent {
    const entry = this.entry(kv)
    const previous = before ? this.entry(before) : undefined
    const previousRevision = previous?.revision ?? 0
    return type === deletion
      ? { type: 'delete', entry: { ...entry, value: noValue }, previousRevision, previous }
      : { type: 'put', entry, previousRevision, previous }
  }

  /** The first revision from `from` on whose state etcd still keeps. */
  private async oldestKept(from: number, through: number): Promise<number> {
    const isKept = (revision: number): Promise<boolean> =>
      this.read({ key: this.bytes(markerKey), revision, keys_only: true }).then(
        () => true,
        error => {
          if (error instanceof CompactedError) return false
          throw error
        },
      )
    if (await isKept(from)) return from
    let [gone, kept] = [from, through]
    while (kept - gone > 1) {
      const middle = (gone + kept) >> 1
      if (await isKept(middle)) kept = middle
      else gone = middle
    }
    return kept
  }

  /** Reads events from a watch of its own, up to one that is known to come. */
  private async eventsBetween(prefix: string, afterRevision: number, throughRevision: number): Promise<HistoryEvent[]> {
    if (afterRevision >= throughRevision) return []
    const end = await this.eventFrom(throughRevision)
    for (;;) {
      const events = await this.replay(afterRevision, end).catch(async (error: Error) => {
        if (this.closed || error instanceof CompactedError) throw error
        await this.client.pause()
        return undefined
      })
      if (events !== undefined)
        return events.filter(({ entry }) => entry.revision <= throughRevision && entry.key.startsWith(prefix))
    }
  }

  private replay(afterRevision: number, end: number): Promise<HistoryEvent[]> {
    const { promise, resolve, reject } = Promise.withResolvers<HistoryEvent[]>()
    const events: HistoryEvent[] = []
    const stream = this.client.watch(
      this.everythingAfter(afterRevision),
      message => {
        const response = message as unknown as WatchResponse
        if (response.canceled)
          reject(
            response.compact_revision > 0
              ? new CompactedError(response.compact_revision)
              : new StoreFailure(response.cancel_reason),
          )
        for (const event of response.events) events.push(this.event(event))
        if ((events.at(-1)?.entry.revision ?? 0) >= end) resolve(events)
      },
      reject,
    )
    return promise.finally(() => stream.cancel())
  }

  /** The revision of an event that is not before `revision`; makes one when none is known. */
  private async eventFrom(revision: number): Promise<number> {
    if (this.seenIsEvent && this.seen >= revision) return this.seen
    const { header } = await this.client.read<{ header: { revision: number } }>(etcdMethods.put, {
      key: this.bytes(markerKey),
      value: noValue,
    })
    await this.shown(header.revision)
    return header.revision
  }
}
