// When garbage is collected: a minute after the start, once a day, and when somebody asks. One at a time.
import type { Logger } from '../../../lib/logger.ts'
import type { RegistryStore } from '../registry-store.ts'
import { daily } from './daily.ts'
import { collectGarbage, untaggedMs, type Collected } from './collect-garbage.ts'

export interface Collections {
  /** What is asked for takes all that is not needed now, however short ago it lost its tag. */
  prune(dryRun: boolean): Promise<Collected>
  stop(): Promise<void>
}

/** @param inUse digests that the cluster uses; while it cannot tell, nothing is collected */
export function startCollections(
  store: RegistryStore,
  inUse: () => Promise<ReadonlySet<string>>,
  logger: Logger,
): Collections {
  let last: Promise<unknown> = store.tidied
  const collect = (keepMs: number, dryRun: boolean): Promise<Collected> => {
    const collected = last.then(() => collectGarbage({ store, inUse, untaggedMs: keepMs, dryRun }))
    last = collected.catch(() => {})
    return collected
  }
  const days = daily(store.uses.clock, async () => {
    try {
      const { images, blobs, uploads, bytes } = await collect(untaggedMs, false)
      if (bytes > 0) logger.info('images that nobody needs were removed', { images, blobs, uploads, bytes })
    } catch (error) {
      logger.warn('images were not looked through for what nobody needs', { error: (error as Error).message })
    }
  })
  return {
    prune: dryRun => collect(0, dryRun),
    stop: async () => {
      await days.stop()
      await last
    },
  }
}
