// Work that is done a minute after the start, when that is over, and then once a day.
import type { Clock, Timer } from '../../../lib/clock.ts'

const firstMs = 60_000
const everyMs = 24 * 3_600_000

export interface Daily {
  /** Resolves when what is under way is done. */
  stop(): Promise<void>
}

/** @param work deals with its own failures */
export function daily(clock: Clock, work: () => Promise<void>): Daily {
  let isStopped = false
  let running: Promise<void> = Promise.resolve()
  let timer: Timer
  const wait = (delayMs: number): void => {
    timer = clock.after(delayMs, () => {
      running = work().finally(() => {
        if (!isStopped) wait(everyMs)
      })
    })
  }
  wait(firstMs)
  return {
    stop: async () => {
      isStopped = true
      timer.cancel()
      await running
    },
  }
}
