// Work that somebody may end: programs that it runs meanwhile, at whatever depth, are ended with it. The signal
// goes along with the work instead of through every argument list, so that no program can be forgotten.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

const signals = new AsyncLocalStorage<AbortSignal>()

/** Of the work that is going on; undefined: nobody ends it. */
export const interruption = (): AbortSignal | undefined => signals.getStore()

/** How long the work may take to clear up. */
const graceMs = 8_000

/** @throws the signal's reason, when it came, once the work has cleared up */
export async function interruptedBy<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const over = new AbortController()
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener(
      'abort',
      () => {
        // The work itself may be far from anything that looks at the signal.
        sleep(graceMs, undefined, { signal: over.signal, ref: true }).then(
          () => reject(signal.reason as Error),
          () => {},
        )
      },
      { once: true, signal: over.signal },
    )
  })
  try {
    return await Promise.race([signals.run(signal, work), late])
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    over.abort()
  }
}
