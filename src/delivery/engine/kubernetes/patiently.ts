// What may be asked twice without harm is asked again while the API server is away for a short time: it is started
// anew, a connection breaks, or it has too much to do and says when to come back. Not for what is created under a new
// name or added to: nobody knows whether the first request arrived.
import { ApiError } from '../../../api/api-error.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { Patience } from '../patience.ts'
import { pause } from '../pause.ts'

const patienceMs = 30_000
const againMs = 500

/** @throws what the last request failed with, or the reason of the signal */
export async function patiently<T>(clock: Clock, { progress, signal }: Patience, ask: () => Promise<T>): Promise<T> {
  const endMs = clock.now() + patienceMs
  for (;;) {
    signal.throwIfAborted()
    try {
      return await ask()
    } catch (error) {
      const leftMs = endMs - clock.now()
      const delayMs = Math.max(againMs, retryAfterMs(error))
      if (!isAway(error) || delayMs > leftMs) throw error
      progress(`${(error as Error).message}; asking again for ${Math.ceil(leftMs / 1000)} s`)
      await pause(clock, delayMs, signal)
    }
  }
}

/** The request was not refused: nobody was there, or nobody had the time. */
export function isAway(error: unknown): boolean {
  if (error instanceof ApiError) return awayCodes.has(error.code)
  return typeof (error as NodeJS.ErrnoException).code === 'string'
}

const awayCodes = new Set([429, 502, 503, 504])

const retryAfterMs = (error: unknown): number =>
  error instanceof ApiError ? 1000 * (error.status.details?.retryAfterSeconds ?? 0) : 0
