// The store in plain memory: for tests, and the executable description of the contract. Nothing survives
// the process.
import {
  CompactedError,
  type Entry,
  type History,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoreEvent,
  type StoreWatch,
  type WriteResult,
} from './store.ts'
import { WatchHub } from './watch-hub.ts'

interface Version {
  readonly revision: number
  /** undefined: deleted at this revision */
  readonly value: Uint8Array | undefined
}

const noValue = new Uint8Array()
const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

export class MemoryStore implements Store {
  private readonly versions = new Map<string, Version[]>()
  private readonly log: StoreEvent[] = []
  private readonly hub = new WatchHub()
  private revision = 1
  private compacted = 0

  put(key: string, value: Uint8Array, expectedRevision: number): Promise<WriteResult> {
    return this.write(key, value, expectedRevision)
  }

  delete(key: string, expectedRevision: number): Promise<WriteResult> {
    return this.write(key, undefined, expectedRevision)
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.at(key, this.revision)
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    const revision = options.revision ?? this.revision
    if (revision < this.compacted) throw new CompactedError(this.compacted)
    const live = [...this.versions.keys()]
      .filter(key => key.startsWith(prefix))
      .sort(compareText)
      .map(key => this.at(key, revision))
      .filter(entry => entry !== undefined)
    const from = options.from
    const rest = from === undefined ? live : live.filter(entry => entry.key >= from)
    const limit = options.limit ?? 0
    return {
      entries: limit > 0 ? rest.slice(0, limit) : rest,
      revision,
      more: limit > 0 && rest.length > limit,
      count: live.length,
    }
  }

  async watch(
    prefix: string,
    afterRevision: number,
    listener: (events: readonly StoreEvent[]) => void,
  ): Promise<StoreWatch> {
    if (afterRevision > 0 && afterRevision < this.compacted) throw new CompactedError(this.compacted)
    const missed =
      afterRevision === 0
        ? []
        : this.log.filter(event => event.entry.revision > afterRevision && event.entry.key.startsWith(prefix))
    if (missed.length > 0) listener(missed)
    return this.hub.add(prefix, listener)
  }

  async history(prefix: string, throughRevision: number, limit: number): Promise<History> {
    const afterRevision = Math.max(this.compacted, throughRevision - limit)
    const events = this.log.filter(
      ({ entry }) =>
        entry.revision > afterRevision && entry.revision <= throughRevision && entry.key.startsWith(prefix),
    )
    return {
      afterRevision,
      events: events.map(event => ({ ...event, previous: this.at(event.entry.key, event.previousRevision) })),
    }
  }

  async compact(revision: number): Promise<void> {
    this.compacted = Math.max(this.compacted, revision)
    for (const [key, versions] of this.versions) {
      const keepFrom = versions.findLastIndex(version => version.revision <= revision)
      const kept = versions.slice(Math.max(keepFrom, 0))
      if (kept.length === 1 && kept[0]!.value === undefined && kept[0]!.revision <= revision) this.versions.delete(key)
      else this.versions.set(key, kept)
    }
    const firstKept = this.log.findIndex(event => event.entry.revision > revision)
    this.log.splice(0, firstKept < 0 ? this.log.length : firstKept)
  }

  async currentRevision(): Promise<number> {
    return this.revision
  }

  async close(): Promise<void> {
    this.hub.clear()
  }

  private at(key: string, revision: number): Entry | undefined {
    const version = this.versions.get(key)?.findLast(candidate => candidate.revision <= revision)
    return version?.value === undefined ? undefined : { key, value: version.value, revision: version.revision }
  }

  private async write(key: string, value: Uint8Array | undefined, expectedRevision: number): Promise<WriteResult> {
    const current = this.at(key, this.revision)
    if ((current?.revision ?? 0) !== expectedRevision || (value === undefined && current === undefined))
      return { ok: false, current }
    const revision = ++this.revision
    const versions = this.versions.get(key) ?? []
    versions.push({ revision, value })
    this.versions.set(key, versions)
    const event: StoreEvent =
      value === undefined
        ? { type: 'delete', entry: { key, value: noValue, revision }, previousRevision: expectedRevision }
        : { type: 'put', entry: { key, value, revision }, previousRevision: expectedRevision }
    this.log.push(event)
    this.hub.publish([event])
    return { ok: true, revision }
  }
}
