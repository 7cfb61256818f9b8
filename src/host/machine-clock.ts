// The machine's clock behind the `Clock` interface.
import type { Clock } from '../lib/clock.ts'

export const machineClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    // setTimeout takes at most 2^31-1 ms; a later wake-up looks at the clock again anyway.
    const timer = setTimeout(callback, Math.max(0, Math.min(delayMs, 2 ** 31 - 1)))
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
