// How fast pods of one workload are rejected: its controller makes the next one at once, and with it hundreds in a
// minute that all fail the same way. The first is told at once; those after it wait, longer and longer, and are
// looked at again before they are told.
const firstPauseMs = 1_000
const longestPauseMs = 60_000

interface Last {
  readonly atMs: number
  readonly pauseMs: number
}

export class RejectionPace {
  /** By the uid of a controller. */
  private readonly last = new Map<string, Last>()

  /** How long the next one has to wait; 0 for one that may be told now. */
  waitMs(workload: string, nowMs: number): number {
    const last = this.last.get(workload)
    return last === undefined ? 0 : Math.max(0, last.atMs + last.pauseMs - nowMs)
  }

  told(workload: string, nowMs: number): void {
    for (const [uid, { atMs }] of this.last) if (nowMs - atMs > 2 * longestPauseMs) this.last.delete(uid)
    const before = this.last.get(workload)?.pauseMs
    const pauseMs = before === undefined ? firstPauseMs : Math.min(2 * before, longestPauseMs)
    this.last.set(workload, { atMs: nowMs, pauseMs })
  }
}
