// The machine's clock behind the `Clock` interface.
import type { Clock } from '../lib/clock.ts'

/** For processes that something else keeps running. */
export const machineClock: Clock = clockWith(timer => timer.unref())

/** Its timers keep the process running: for commands that have nothing left but to wait and try again. */
export const commandClock: Clock = clockWith(timer => timer)

function clockWith(prepare: (timer: NodeJS.Timeout) => NodeJS.Timeout): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, callback) {
      // setTimeout takes at most 2^31-1 ms; a later wake-up looks at the clock again anyway.
      const timer = prepare(setTimeout(callback, Math.max(0, Math.min(delayMs, 2 ** 31 - 1))))
      return { cancel: () => clearTimeout(timer) }
    },
  }
}
