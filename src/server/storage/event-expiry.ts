// Events are kept for an hour after they were last written, as kube-apiserver keeps them.
import type { CoreEvent } from '../../api/generated/models.ts'
import { events } from '../../api/resources.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Logger } from '../../lib/logger.ts'
import type { CachedObject } from './cached-object.ts'
import type { ObjectStorage } from './object-storage.ts'

const keepMs = 3_600_000
/** Events that end within this time go together. */
const togetherMs = 10_000

interface Written {
  readonly key: string
  readonly revision: number
  readonly atMs: number
}

/** @returns how to stop it */
export function startEventExpiry(
  storage: ObjectStorage,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): () => void {
  const cache = storage.cache(events)
  // In the order in which they end.
  let written: Written[] = cache
    .list()
    .map(object => ({ key: object.key, revision: object.revision, atMs: lastTimeOf(object, clock.now()) }))
    .toSorted((left, right) => left.atMs - right.atMs)
  let timer: Timer | undefined

  function schedule(): void {
    if (timer !== undefined || written.length === 0) return
    timer = clock.after(written[0]!.atMs + keepMs - clock.now() + togetherMs, () => {
      timer = undefined
      expire()
        .catch((error: Error) => logger.warn('old events could not be deleted', { error: error.message }))
        .finally(schedule)
    })
  }

  async function expire(): Promise<void> {
    const untilMs = clock.now() - keepMs
    const firstKept = written.findIndex(({ atMs }) => atMs > untilMs)
    const ended = firstKept < 0 ? written : written.slice(0, firstKept)
    written = firstKept < 0 ? [] : written.slice(firstKept)
    // One that was written again since stands in the list a second time.
    const unchanged = ended
      .map(({ key, revision }) => ({ object: cache.get(key), revision }))
      .filter(({ object, revision }) => object?.revision === revision)
    await Promise.all(unchanged.map(({ object }) => storage.delete(events, object!)))
  }

  const unsubscribe = cache.subscribe(({ type, current: { key, revision } }) => {
    if (type === 'DELETED') return
    written.push({ key, revision, atMs: clock.now() })
    schedule()
  })
  schedule()
  return () => {
    unsubscribe()
    timer?.cancel()
  }
}

/** When an event from before the start was written last, as far as it says; now when it does not. */
function lastTimeOf({ object }: CachedObject, nowMs: number): number {
  const { lastTimestamp, eventTime, metadata, series } = object as CoreEvent
  const said = [lastTimestamp, eventTime, series?.lastObservedTime, metadata.creationTimestamp]
    .map(text => Date.parse(text ?? ''))
    .filter(time => !Number.isNaN(time))
  return said.length === 0 ? nowMs : Math.min(nowMs, Math.max(...said))
}
