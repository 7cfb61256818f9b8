// Time that stands still until a test moves it.
import type { Clock, Timer } from '../lib/clock.ts'

interface Waiting {
  readonly atMs: number
  readonly callback: () => void
}

export class FakeClock implements Clock {
  private nowMs: number
  private readonly waiting = new Set<Waiting>()

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.nowMs = startMs
  }

  now(): number {
    return this.nowMs
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry = { atMs: this.nowMs + Math.max(0, delayMs), callback }
    this.waiting.add(entry)
    return { cancel: () => void this.waiting.delete(entry) }
  }

  /** Moves time on, timer by timer, and lets promises settle after each. */
  async advance(milliseconds: number): Promise<void> {
    const endMs = this.nowMs + milliseconds
    await settle()
    for (let next = this.next(endMs); next !== undefined; next = this.next(endMs)) {
      this.nowMs = Math.max(this.nowMs, next.atMs)
      this.waiting.delete(next)
      next.callback()
      await settle()
    }
    this.nowMs = endMs
    await settle()
  }

  private next(endMs: number): Waiting | undefined {
    let earliest: Waiting | undefined
    for (const entry of this.waiting)
      if (entry.atMs <= endMs && (earliest === undefined || entry.atMs < earliest.atMs)) earliest = entry
    return earliest
  }
}

/** Lets promise chains and the event loop's next turns run. */
export async function settle(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++)
    await new Promise<void>(resolve => {
      setImmediate(resolve)
    })
}
