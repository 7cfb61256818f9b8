// Time as an argument: nothing but the composition root reads the machine's clock. Times are epoch
// milliseconds; `Timer` handles are opaque. `testing/fake-clock.ts` is the other implementation.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `callback` once after `delayMs`; a waiting timer never keeps the process alive by itself. */
  after(delayMs: number, callback: () => void): Timer
}

/** The second asked for last: most times that are written are now. */
let last = { second: 0, text: '1970-01-01T00:00:00Z' }

/** RFC 3339 with whole seconds, the wire form of Kubernetes' `Time`. */
export function formatTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1000)
  if (second !== last.second)
    last = { second, text: `${new Date(second * 1000).toISOString().slice(0, -'.000Z'.length)}Z` }
  return last.text
}

/** RFC 3339 with microseconds, the wire form of Kubernetes' `MicroTime`. */
export function formatMicroTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.(\d{3})Z$/, '.$1000Z')
}
