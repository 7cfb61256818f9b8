// What is needed at this moment, as a collection of garbage has to know it: content that a request is working with
// (held), and content that was asked for lately (touched), because who saw that a blob is there will name it in a
// manifest. Holding is synchronous, and so is a collector's look before it removes: nothing comes between.
import { utimes } from 'node:fs/promises'
import type { Clock } from '../../../lib/clock.ts'

/** A file remembers over restarts when it was touched, but is not told of each time. */
const writtenEveryMs = 60_000

export class Uses {
  private readonly holders = new Map<string, number>()
  private readonly touchedMs = new Map<string, number>()
  readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** While the work goes on nothing of this is removed, and it counts as touched. */
  async while<T>(digests: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const digest of digests) {
      this.holders.set(digest, (this.holders.get(digest) ?? 0) + 1)
      this.touchedMs.set(digest, this.clock.now())
    }
    try {
      return await work()
    } finally {
      for (const digest of digests) {
        const left = this.holders.get(digest)! - 1
        if (left === 0) this.holders.delete(digest)
        else this.holders.set(digest, left)
      }
    }
  }

  touch(digest: string, file: string): void {
    const nowMs = this.clock.now()
    const before = this.touchedMs.get(digest) ?? 0
    this.touchedMs.set(digest, nowMs)
    if (nowMs - before >= writtenEveryMs) void utimes(file, nowMs / 1000, nowMs / 1000).catch(() => {})
  }

  /** @param fileMs when its file was written or touched */
  isUnused(digest: string, fileMs: number, sinceMs: number): boolean {
    return !this.holders.has(digest) && Math.max(fileMs, this.touchedMs.get(digest) ?? 0) <= sinceMs
  }

  /** What was touched longer ago tells nothing any more. */
  forgetBefore(untilMs: number): void {
    for (const [digest, atMs] of this.touchedMs) if (atMs <= untilMs) this.touchedMs.delete(digest)
  }
}
