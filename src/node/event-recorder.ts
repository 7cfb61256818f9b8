// Kubernetes events about pods and the node. The same thing said again counts up the event that is there
// instead of making another one. Events are a courtesy: failing to write one is logged, never an error.
import type { CoreEvent, ObjectReference } from '../api/generated/models.ts'
import type { New } from '../api/object.ts'
import { events } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { formatTime, type Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'

export type EventType = 'Normal' | 'Warning'

export interface EventRecorder {
  event(subject: ObjectReference, type: EventType, reason: string, message: string): void
}

interface Known {
  readonly name: string
  readonly firstTimestamp: string
  count: number
}

const knownLimit = 2_000

export function eventRecorder(client: Client, nodeName: string, clock: Clock, random: Random, logger: Logger): EventRecorder {
  const known = new Map<string, Known>()
  // One after the other, so that a repetition never overtakes its first event.
  let last = Promise.resolve()
  const write = async (subject: ObjectReference, type: EventType, reason: string, message: string, nowMs: number): Promise<void> => {
    const key = [subject.uid, subject.fieldPath, type, reason, message].join('|')
    const namespace = subject.namespace ?? 'default'
    const now = formatTime(nowMs)
    const before = known.get(key)
    if (before !== undefined) {
      before.count += 1
      try {
        await client.patch(events, { namespace, name: before.name }, { type: 'merge', value: { count: before.count, lastTimestamp: now } })
        return
      } catch {
        known.delete(key)
      }
    }
    const entry: Known = { name: `${subject.name}.${Math.floor(nowMs * 1e6 + random.fraction() * 1e6).toString(16)}`, firstTimestamp: now, count: 1 }
    const event: New<CoreEvent> = {
      metadata: { name: entry.name, namespace }, involvedObject: subject, type, reason, message,
      source: { component: 'kubelet', host: nodeName }, firstTimestamp: now, lastTimestamp: now, count: 1,
      reportingComponent: 'kubelet', reportingInstance: nodeName,
    }
    await client.create(events, event)
    if (known.size >= knownLimit) known.clear()
    known.set(key, entry)
  }
  return {
    event(subject, type, reason, message) {
      const nowMs = clock.now()
      last = last.then(() => write(subject, type, reason, message, nowMs)).catch((error: unknown) => logger.debug('event not written', { reason, error: String(error) }))
    },
  }
}
