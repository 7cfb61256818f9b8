// Writes Events as `kubectl describe` shows them: the same event again only raises a count, and many
// similar ones with different texts are combined after a while. Recording never holds its caller up and
// never fails it.
import type { CoreEvent, ObjectReference } from '../api/generated/models.ts'
import type { KubeObject } from '../api/object.ts'
import { events } from '../api/resources.ts'
import { isAlreadyExists, isNotFound } from '../api/api-error.ts'
import type { Client } from '../client/client.ts'
import type { Clock } from '../lib/clock.ts'
import { formatTime } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { eventNames, referenceTo, remember } from './event-identity.ts'

export type EventType = 'Normal' | 'Warning'

export interface EventDetails {
  /** The part of the object that it is about, e.g. `spec.containers{web}`. */
  readonly fieldPath?: string | undefined
  /** What was being done, e.g. `Binding`. */
  readonly action?: string
  /** On whose behalf. */
  readonly related?: KubeObject
}

export interface EventRecorder {
  recordEvent(object: KubeObject, type: EventType, reason: string, message: string, details?: EventDetails): void
  /** Resolves when everything recorded so far is written. */
  flush(): Promise<void>
}

export interface EventRecorderOptions {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  /** What `kubectl describe` shows as From. */
  readonly component: string
  readonly host?: string
}

interface Seen {
  name: string
  count: number
  firstMs: number
}

const similarLimit = 10
const similarWindowMs = 600_000
const messageLimit = 1_024

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { clock, logger } = options
  const seen = new Map<string, Seen>()
  const similar = new Map<string, { sinceMs: number; messages: Set<string> }>()
  const pending = new Set<Promise<void>>()
  let chain = Promise.resolve()
  const nameFor = eventNames(`${options.component}/${options.host ?? ''}`, clock)

  function recordEvent(
    object: KubeObject,
    type: EventType,
    reason: string,
    message: string,
    { fieldPath, action, related }: EventDetails = {},
  ): void {
    const reference = referenceTo(object, fieldPath)
    const group = [reference.uid, reference.namespace, reference.name, type, reason].join('\u0000')
    const plain = message.slice(0, messageLimit)
    const isOneOfMany = combines(group, plain)
    const key = isOneOfMany ? group : [group, fieldPath, plain].join('\u0000')
    const before = seen.get(key)
    const entry = before ?? { name: nameFor(object.metadata.name), count: 0, firstMs: clock.now() }
    entry.count++
    remember(seen, key, entry)
    const event = makeEvent(options, reference, {
      type,
      reason,
      message: isOneOfMany ? `(combined from similar events): ${plain}` : plain,
      entry,
      action,
      related,
    })
    chain = chain
      .then(() => write(options.client, event, before !== undefined))
      .catch((error: unknown) => logger.debug('event was not recorded', { reason, error: String(error) }))
    const written = chain.finally(() => pending.delete(written))
    pending.add(written)
  }

  /** From the tenth different text about the same matter on, all count as one event with the latest text. */
  function combines(key: string, message: string): boolean {
    const group = similar.get(key)
    const fresh = group === undefined || clock.now() - group.sinceMs > similarWindowMs
    const current = fresh ? { sinceMs: clock.now(), messages: new Set<string>() } : group
    remember(similar, key, current)
    if (current.messages.size < similarLimit) current.messages.add(message)
    return current.messages.size >= similarLimit
  }

  return {
    recordEvent,
    async flush() {
      await Promise.all(pending)
    },
  }
}

async function write(client: Client, event: CoreEvent, again: boolean): Promise<void> {
  const { name, namespace } = event.metadata
  if (again) {
    try {
      await client.patch(
        events,
        { namespace, name },
        { type: 'merge', value: { count: event.count, lastTimestamp: event.lastTimestamp, message: event.message } },
      )
      return
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
  try {
    await client.create(events, event)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

function makeEvent(
  { component, host, clock }: EventRecorderOptions,
  reference: ObjectReference,
  {
    type,
    reason,
    message,
    entry,
    action,
    related,
  }: {
    type: EventType
    reason: string
    message: string
    entry: Seen
    action: string | undefined
    related: KubeObject | undefined
  },
): CoreEvent {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: entry.name, namespace: reference.namespace ?? 'default' } as CoreEvent['metadata'],
    involvedObject: reference,
    type,
    reason,
    message,
    count: entry.count,
    firstTimestamp: formatTime(entry.firstMs),
    lastTimestamp: formatTime(clock.now()),
    source: { component, ...(host && { host }) },
    reportingComponent: component,
    reportingInstance: host ?? '',
    ...(action && { action }),
    ...(related && { related: referenceTo(related) }),
  }
}
