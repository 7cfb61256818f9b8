// Exponential back-off per key: doubles from `initialMs` to `maximumMs`; a key that was quiet for
// `resetAfterMs` starts anew.

export interface BackOffOptions {
  readonly initialMs: number
  readonly maximumMs: number
  readonly resetAfterMs?: number
}

export class BackOff<Key> {
  private readonly entries = new Map<Key, { delayMs: number; lastMs: number }>()
  private readonly options: BackOffOptions

  constructor(options: BackOffOptions) {
    this.options = options
  }

  /** Notes a failure at `nowMs` and returns how long to wait before the next try. */
  next(key: Key, nowMs: number): number {
    const entry = this.current(key, nowMs)
    const delayMs = entry === undefined ? this.options.initialMs : Math.min(entry.delayMs * 2, this.options.maximumMs)
    this.entries.set(key, { delayMs, lastMs: nowMs })
    return delayMs
  }

  forget(key: Key): void {
    this.entries.delete(key)
  }

  private current(key: Key, nowMs: number): { delayMs: number } | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    const resetAfterMs = this.options.resetAfterMs ?? Infinity
    return nowMs - entry.lastMs > resetAfterMs + entry.delayMs ? undefined : entry
  }
}
