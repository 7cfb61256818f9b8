// Clocks of this process that can be made to go faster, with what waits for them already: for waits in which nobody else
// has a part, such as those for a server that is dead.
import type { Clock } from '../../../src/lib/clock.ts'

/** @returns what makes them go so many times faster from then on */
export function hurriedTime(clocks: readonly Clock[], speed: number): () => void {
  const waiting = new Set<() => void>()
  let sinceMs: number | undefined
  for (const clock of clocks) {
    const now = clock.now.bind(clock)
    const after = clock.after.bind(clock)
    const real = (delayMs: number): number => (sinceMs === undefined ? delayMs : delayMs / speed)
    clock.now = () => (sinceMs === undefined ? now() : sinceMs + (now() - sinceMs) * speed)
    clock.after = (delayMs, callback) => {
      const dueMs = clock.now() + delayMs
      const due = (): void => {
        waiting.delete(again)
        callback()
      }
      let timer = after(real(delayMs), due)
      const again = (): void => {
        timer.cancel()
        timer = after(real(dueMs - clock.now()), due)
      }
      waiting.add(again)
      return {
        cancel() {
          waiting.delete(again)
          timer.cancel()
        },
      }
    }
  }
  return () => {
    sinceMs = Date.now()
    for (const again of waiting) again()
  }
}
