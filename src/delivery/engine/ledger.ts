// Where releases are recorded: in the engine itself, so that everybody who delivers there sees the same history. A
// record is written with the mark of what was read, so whoever lost the delivery to somebody else cannot write.
import type { Place } from './parts.ts'
import type { Patience } from './patience.ts'

/** `content` is the ledger's to keep and nobody's here to read. */
export interface LedgerEntry<Content = unknown> {
  /** Counts up from 1 for each service in its namespace. */
  readonly revision: number
  readonly state: string
  readonly content: Content
  /** Stands for what is stored now; opaque. */
  readonly mark: string
}

export class LedgerConflict extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'LedgerConflict'
  }
}

export interface Ledger {
  /** Newest first. */
  list(place: Place): Promise<readonly LedgerEntry[]>
  /** @throws LedgerConflict when there is that revision already */
  add(place: Place, entry: Omit<LedgerEntry, 'mark'>): Promise<LedgerEntry>
  /** Replaces what `entry.mark` stands for. @throws LedgerConflict when it is another by now, or gone */
  write(place: Place, entry: LedgerEntry, patience?: Patience): Promise<LedgerEntry>
  /** None there is fine. */
  remove(place: Place, revision: number): Promise<void>
  /**
   * One delivery of a service at a time. Waits only for who may be gone.
   * @throws DeployError when somebody else delivers the service
   */
  take(place: Place, taker: Taker): Promise<DeliveryLease>
}

export interface Taker {
  /** Who delivers, as others are told. */
  readonly deployer: string
  /** Whether a deployer has surely ended. */
  readonly isGone: (deployer: string) => boolean
  readonly waiting: (text: string) => void
  /** Ends the wait. */
  readonly signal: AbortSignal
}

export interface DeliveryLease {
  /** Fires when somebody else has the lease, or may have it by now. */
  readonly lost: AbortSignal
  release(): Promise<void>
}
