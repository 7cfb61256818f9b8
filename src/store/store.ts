// Where objects live: a revisioned map from keys to bytes with etcd's semantics. One global revision
// counts every committed write by one (a batch commits several revisions). A write's promise resolves
// when the write is durable. `contract.ts` beside this file is the suite that every backend passes.

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
  /** Revision of the last write to the key. */
  readonly revision: number
}

export type StoreEvent =
  | {
      readonly type: 'put'
      readonly entry: Entry
      /** revision of the value before; 0 when the key is new */ readonly previousRevision: number
    }
  | {
      readonly type: 'delete'
      /** without a value; the revision is the deletion's own */ readonly entry: Entry
      readonly previousRevision: number
    }

export type WriteResult =
  | { readonly ok: true; readonly revision: number }
  /** The compare failed: what is there instead, if anything. */
  | { readonly ok: false; readonly current: Entry | undefined }

export interface RangeOptions {
  /** Inclusive lower bound inside the prefix, to go on after a page. */
  readonly from?: string
  /** 0 or absent: no limit. */
  readonly limit?: number
  /** Read as of this revision. @throws CompactedError when it is no longer kept */
  readonly revision?: number
}

export interface RangeResult {
  readonly entries: readonly Entry[]
  /** The store's revision the result is a snapshot of. */
  readonly revision: number
  readonly more: boolean
  /** How many keys the whole prefix has at that revision, `from` and `limit` aside. */
  readonly count: number
}

/** A past event together with what it replaced or deleted. */
export type HistoryEvent = StoreEvent & { readonly previous: Entry | undefined }

export interface History {
  /** `events` is complete from here on. */
  readonly afterRevision: number
  readonly events: readonly HistoryEvent[]
}

export interface Store {
  /** Writes when the key's current revision is `expectedRevision` (0: the key must not exist). */
  put(key: string, value: Uint8Array, expectedRevision: number): Promise<WriteResult>
  delete(key: string, expectedRevision: number): Promise<WriteResult>
  get(key: string): Promise<Entry | undefined>
  /** Keys that start with `prefix`, in byte order. */
  range(prefix: string, options?: RangeOptions): Promise<RangeResult>
  /**
   * Every event after `afterRevision` (0: from now on) to keys with `prefix`, in revision order, none
   * missed, none twice. Events of one commit come in one call.
   * @throws CompactedError when events after that revision are no longer kept
   */
  watch(prefix: string, afterRevision: number, listener: (events: readonly StoreEvent[]) => void): Promise<StoreWatch>
  /** The newest events to keys with `prefix` up to `throughRevision`, `limit` revisions back at most; fewer where history is compacted. */
  history(prefix: string, throughRevision: number, limit: number): Promise<History>
  /** Forgets what was before `revision`; the state as of `revision` stays readable. */
  compact(revision: number): Promise<void>
  currentRevision(): Promise<number>
  close(): Promise<void>
}

export interface StoreWatch {
  close(): void
}

/** History before `compactedRevision` is gone. */
export class CompactedError extends Error {
  readonly compactedRevision: number

  constructor(compactedRevision: number) {
    super(`the revision is older than the oldest one kept (${compactedRevision})`)
    this.name = 'CompactedError'
    this.compactedRevision = compactedRevision
  }
}

/** The store cannot do its work; the message is one sentence for people. */
export class StoreFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'StoreFailure'
  }
}
