// Time that stands still until the test moves it. Timers fire in order of their time.
import type { Clock, Timer } from '../lib/clock.ts'

export class FakeClock implements Clock {
  private nowMs: number
  private readonly timers = new Set<{ dueMs: number; callback: () => void }>()

  constructor(startMs = Date.parse('2026-01-01T00:00:00Z')) {
    this.nowMs = startMs
  }

  now(): number {
    return this.nowMs
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry = { dueMs: this.nowMs + delayMs, callback }
    this.timers.add(entry)
    return { cancel: () => void this.timers.delete(entry) }
  }

  /** Lets time pass; what becomes due runs, and what that starts gets its turn. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.nowMs + durationMs
    for (;;) {
      const next = [...this.timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
      if (next === undefined) break
      this.timers.delete(next)
      this.nowMs = Math.max(this.nowMs, next.dueMs)
      next.callback()
      await settle()
    }
    this.nowMs = endMs
    await settle()
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  await new Promise<void>(resolve => {
    setImmediate(resolve)
  })
}
