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

/** RFC 3339 with whole seconds, the wire form of Kubernetes' `Time`. */
export function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

/** RFC 3339 with microseconds, the wire form of Kubernetes' `MicroTime`. */
export function formatMicroTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.(\d{3})Z$/, '.$1000Z')
}
