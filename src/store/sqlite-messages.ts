// What the SQLite store and its worker thread say to each other. Every request carries an id; writes
// travel in batches, one batch being one transaction and one fsync.
import type { Entry, WriteResult } from './store.ts'

export interface WriteOperation {
  readonly key: string
  /** undefined: delete */
  readonly value: Uint8Array | undefined
  readonly expectedRevision: number
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
  | { readonly type: 'write'; readonly operations: readonly WriteOperation[] }
  | { readonly type: 'get'; readonly key: string }
  | { readonly type: 'range'; readonly prefix: string; readonly from?: string; readonly limit: number; readonly revision?: number }
  | { readonly type: 'recent'; readonly prefix: string; readonly throughRevision: number; readonly limit: number }
  | { readonly type: 'history'; readonly prefix: string; readonly afterRevision: number; readonly throughRevision: number }
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
  | { readonly id: number; readonly ok: true; readonly value: WriteResult[] | Entry | undefined | RangeAnswer | LoggedWrite[] | HistoryAnswer | number }
  | { readonly id: number; readonly ok: false; readonly compactedRevision?: number; readonly code?: string; readonly message: string }

/** The first message of the worker: it is open, or why it is not. */
export type WorkerHello =
  | { readonly hello: true; readonly revision: number; readonly compactedRevision: number }
  | { readonly hello: false; readonly message: string }
