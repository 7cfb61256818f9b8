// Waits until a condition holds, for tests against real programs. A look that costs much, as one with kubectl, is taken
// less often: what is waited for has to have the machine meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'

/** Limits are for what hangs: real containers on a machine with other guests take their time (vitest.config.ts). */
const patienceMs = Number(process.env['SAMPAN_TEST_PATIENCE_MS'] ?? 15_000)

export async function eventually<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = patienceMs,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs
  for (;;) {
    const startMs = performance.now()
    const found = await probe()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadlineMs) throw new Error(`${what} did not happen within ${timeoutMs} ms`)
    await sleep(pauseMs(performance.now() - startMs))
  }
}

const pauseMs = (tookMs: number): number => Math.min(500, Math.max(5, 2 * tookMs))
