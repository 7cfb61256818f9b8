// Keeps the store's history bounded, by age and by count: lists and watches may go on from a revision of
// the last minutes, as with kube-apiserver. Servers that share a store may all run this.
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Logger } from '../../lib/logger.ts'
import type { Store } from '../../store/store.ts'

export interface CompactionOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly everyMs?: number
  readonly keepMs?: number
  readonly keepRevisions?: number
}

interface Sample {
  readonly atMs: number
  readonly revision: number
}

/** @returns how to stop it */
export function startCompaction(store: Store, options: CompactionOptions): () => void {
  const { clock, logger, everyMs = 30_000, keepMs = 300_000, keepRevisions = 100_000 } = options
  const samples: Sample[] = []
  let compacted = 0
  let timer: Timer | undefined
  let stopped = false

  async function round(): Promise<void> {
    const revision = await store.currentRevision()
    samples.push({ atMs: clock.now(), revision })
    let target = revision - keepRevisions
    while (samples.length > 0 && samples[0]!.atMs <= clock.now() - keepMs)
      target = Math.max(target, samples.shift()!.revision)
    if (target <= compacted) return
    await store.compact(target)
    compacted = target
  }

  function schedule(): void {
    if (stopped) return
    timer = clock.after(everyMs, () => {
      round()
        .catch((error: Error) => {
          if (!stopped) logger.warn('history could not be compacted', { error: error.message })
        })
        .finally(schedule)
    })
  }

  schedule()
  return () => {
    stopped = true
    timer?.cancel()
  }
}
