// Records events through events.k8s.io/v1, as kube-scheduler does: what happens again to an unchanged object
// becomes a series. Its second occurrence is written at once, later ones are counted here and written when
// the series is half an hour old or nothing has been added for six minutes.
// Source: k8s.io/client-go/tools/events.
import type { EventsEvent, EventsEventSeries } from '../api/generated/models.ts'
import { isNotFound } from '../api/api-error.ts'
import { eventsOfEventsGroup } from '../api/resources.ts'
import { checkSubdomain } from '../api/validation/formats.ts'
import type { Client } from '../client/client.ts'
import type { Clock } from '../lib/clock.ts'
import { formatMicroTime } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { eventNames, referenceTo, remember } from './event-identity.ts'
import type { EventRecorder } from './event-recorder.ts'

export interface EventSeriesRecorderOptions {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** `reportingController`, which `kubectl describe` shows as From. */
  readonly controller: string
  readonly host: string
}

interface Recorded {
  readonly event: EventsEvent
  series?: { count: number; lastMs: number }
}

const quietMs = 360_000
/** Every so many looks at what is quiet, series that go on are written: half an hour. */
const looksBetweenRefreshes = 5

export function createEventSeriesRecorder({
  client,
  clock,
  random,
  logger,
  controller,
  host,
}: EventSeriesRecorderOptions): EventRecorder {
  const nameFor = eventNames(`${controller}/${host}`, clock)
  const recorded = new Map<string, Recorded>()
  let written = Promise.resolve()
  let isWatching = false
  let looks = 0

  const recordEvent: EventRecorder['recordEvent'] = (object, type, reason, note, { action = '', related } = {}) => {
    const about = {
      type,
      action,
      reason,
      regarding: referenceTo(object),
      ...(related && { related: referenceTo(related) }),
    }
    const key = JSON.stringify(about)
    const before = recorded.get(key)
    if (before?.series !== undefined) {
      before.series.count++
      before.series.lastMs = clock.now()
    } else if (before !== undefined) {
      before.series = { count: 2, lastMs: clock.now() }
      write(before)
    } else {
      const name = nameFor(object.metadata.name)
      const metadata = {
        name: checkSubdomain(name).length === 0 ? name : random.uuid(),
        namespace: object.metadata.namespace ?? 'default',
      } as EventsEvent['metadata']
      const first = {
        event: {
          apiVersion: 'events.k8s.io/v1',
          kind: 'Event',
          metadata,
          ...about,
          note,
          eventTime: formatMicroTime(clock.now()),
          reportingController: controller,
          reportingInstance: `${controller}-${host}`,
        },
      }
      remember(recorded, key, first)
      write(first)
      lookLater()
    }
  }

  function write({ event, series }: Recorded): void {
    const now = series && { count: series.count, lastObservedTime: formatMicroTime(series.lastMs) }
    written = written
      .then(() => put(client, event, now))
      .catch((error: unknown) => logger.debug('event was not recorded', { reason: event.reason, error: String(error) }))
  }

  function lookLater(): void {
    if (isWatching || recorded.size === 0) return
    isWatching = true
    clock.after(quietMs, () => {
      isWatching = false
      forgetQuiet()
      lookLater()
    })
  }

  function forgetQuiet(): void {
    const quietSince = clock.now() - quietMs
    const isRefresh = ++looks % looksBetweenRefreshes === 0
    for (const [key, one] of recorded) {
      const isQuiet = (one.series?.lastMs ?? Date.parse(one.event.eventTime)) <= quietSince
      if (one.series !== undefined && (isQuiet || isRefresh)) write(one)
      if (isQuiet) recorded.delete(key)
    }
  }

  return { recordEvent, flush: () => written }
}

async function put(client: Client, event: EventsEvent, series: EventsEventSeries | undefined): Promise<void> {
  if (series !== undefined) {
    const { namespace, name } = event.metadata
    try {
      await client.patch(eventsOfEventsGroup, { namespace, name }, { type: 'strategic', value: { series } })
      return
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
  await client.create(eventsOfEventsGroup, { ...event, ...(series && { series }) })
}
