// Waits until a condition holds, for tests against real programs.
import { setTimeout as sleep } from 'node:timers/promises'

export async function eventually<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 15_000,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs
  for (;;) {
    const found = await probe()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadlineMs) throw new Error(`${what} did not happen within ${timeoutMs} ms`)
    await sleep(5)
  }
}
