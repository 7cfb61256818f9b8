// An event about what was found wrong. Its name follows from what it says, so that several servers, and
// one that finds the same thing every few minutes, write it once in the hour that events are kept.
import { createHash } from 'node:crypto'
import type { CoreEvent } from '../../api/generated/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { events } from '../../api/resources.ts'
import { formatTime } from '../../lib/clock.ts'
import type { ServerContext } from '../server-context.ts'

export async function warn(
  { storage, clock, random }: ServerContext,
  subject: KubeObject,
  { reason, message }: { readonly reason: string; readonly message: string },
): Promise<void> {
  const {
    apiVersion,
    kind,
    metadata: { name, uid, namespace = 'default', resourceVersion },
  } = subject
  const now = formatTime(clock.now())
  const component = 'service-repair-controller'
  const eventName = `${name}.${createHash('sha256').update(`${uid} ${reason} ${message}`).digest('hex').slice(0, 16)}`
  const event = {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: eventName, namespace, uid: random.uuid(), creationTimestamp: now },
    involvedObject: {
      kind,
      apiVersion,
      name,
      uid,
      resourceVersion,
      ...(subject.metadata.namespace !== undefined && { namespace }),
    },
    reason,
    message,
    type: 'Warning',
    source: { component },
    reportingComponent: component,
    reportingInstance: '',
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    eventTime: null,
  } as unknown as CoreEvent
  await storage.put(events, `${namespace}/${eventName}`, event, 0)
}
