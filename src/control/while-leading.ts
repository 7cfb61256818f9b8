// Work that only one of several servers may do: it runs while this one holds a lease. When the lease is
// lost the work ends before it may begin again.
import type { Running } from './controller.ts'
import { holdLease, type LeaseOptions } from './lease.ts'

export interface LeadingOptions extends Omit<LeaseOptions, 'onAcquired' | 'onLost'> {
  readonly start: () => Promise<Running>
}

/** Stopping ends the work, then gives the lease up. */
export function runWhileLeading({ start, ...options }: LeadingOptions): Running {
  let running: Running | undefined
  let wanted = false
  let chain = Promise.resolve()

  function become(state: boolean): void {
    wanted = state
    chain = chain.then(settle).catch((error: unknown) =>
      options.logger.error('what a lease is held for could not be started or stopped', {
        lease: options.name.name,
        error: String(error),
      }),
    )
  }

  async function settle(): Promise<void> {
    if (wanted === (running !== undefined)) return
    const old = running
    running = undefined
    await old?.stop()
    if (wanted) running = await start()
  }

  const lease = holdLease({ ...options, onAcquired: () => become(true), onLost: () => become(false) })
  return {
    async stop() {
      become(false)
      await chain
      await lease.release()
      // It may have been acquired meanwhile.
      become(false)
      await chain
    },
  }
}
