// What the SQLite store and its worker thread say to each other. Every request carries an id; writes
// travel in batches, one batch being one transaction and one fsync.
import type { Entry } from './store.ts'

/** A batch as parallel lists, its values one after the other in memory that is handed over, not copied. */
export interface WriteBatch {
  readonly keys: readonly string[]
  readonly expectedRevisions: readonly number[]
  /** Bytes of each value; -1: delete. */
  readonly lengths: readonly number[]
  readonly values: Uint8Array
}

/** For each operation its revision, or 0 and, by its position, what is there instead. */
export interface WriteAnswer {
  readonly revisions: readonly number[]
  readonly current: ReadonlyMap<number, Entry | undefined>
}

export interface LoggedWrite {
  readonly revision: number
  readonly previousRevision: number
  readonly key: string
  /** null: deleted */
  readonly value: Uint8Array | null
}

export interface HistoryAnswer {
  readonly afterRevision: number
  readonly writes: (LoggedWrite & { readonly previousValue: Uint8Array | null })[]
}

export type WorkerRequest = { readonly id: number } & (
  | ({ readonly type: 'write' } & WriteBatch)
  | { readonly type: 'get'; readonly key: string }
  | {
      readonly type: 'range'
      readonly prefix: string
      readonly from?: string
      readonly limit: number
      readonly revision?: number
    }
  | { readonly type: 'recent'; readonly prefix: string; readonly throughRevision: number; readonly limit: number }
  | {
      readonly type: 'history'
      readonly prefix: string
      readonly afterRevision: number
      readonly throughRevision: number
    }
  | { readonly type: 'compact'; readonly revision: number }
  | { readonly type: 'close' }
)

export interface RangeAnswer {
  readonly entries: Entry[]
  readonly revision: number
  readonly more: boolean
  readonly count: number
}

export type WorkerAnswer =
  | {
      readonly id: number
      readonly ok: true
      readonly value: WriteAnswer | Entry | undefined | RangeAnswer | LoggedWrite[] | HistoryAnswer | number
    }
  | {
      readonly id: number
      readonly ok: false
      readonly compactedRevision?: number
      readonly code?: string
      readonly message: string
    }

/** The first message of the worker: it is open, or why it is not. */
export type WorkerHello =
  | { readonly hello: true; readonly revision: number; readonly compactedRevision: number }
  | { readonly hello: false; readonly message: string }
