// Event: what happened to an object. Served in two groups over one store: core/v1 (stored) and
// events.k8s.io/v1, whose fields have other names.
import type { CoreEvent, EventsEvent } from '../generated/models.ts'
import type { Cell } from '../kind.ts'
import { defineKind } from '../kind.ts'
import { events } from '../resources.ts'
import { validateEvent } from '../validation/event.ts'
import { columns, since } from './cells.ts'

export const eventKind = defineKind({
  resource: events,
  model: 'CoreV1Event',
  singular: 'event',
  shortNames: ['ev'],
  defaults(draft) {
    draft.source ??= {}
  },
  prepareForCreate: printUnset,
  prepareForUpdate: printUnset,
  nameRule: 'path-segment',
  validate: validateEvent,
  columns: columns(
    'Last Seen',
    'Type',
    'Reason',
    'Object',
    'Subobject*',
    'Source*',
    'Message',
    'First Seen*',
    'Count*',
    'Name*',
  ),
  row: eventRow,
  selectableFields: {
    'involvedObject.kind': event => event.involvedObject.kind ?? '',
    'involvedObject.namespace': event => event.involvedObject.namespace ?? '',
    'involvedObject.name': event => event.involvedObject.name ?? '',
    'involvedObject.uid': event => event.involvedObject.uid ?? '',
    'involvedObject.apiVersion': event => event.involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': event => event.involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': event => event.involvedObject.fieldPath ?? '',
    reason: event => event.reason ?? '',
    reportingComponent: event => event.reportingComponent ?? '',
    source: event => event.source?.component || event.reportingComponent || '',
    type: event => event.type ?? '',
  },
})

/** Some fields are printed though nobody set or owns them, times as null. */
function printUnset(draft: CoreEvent): void {
  draft.reportingComponent ??= ''
  draft.reportingInstance ??= ''
  draft.firstTimestamp ??= null as unknown as string
  draft.lastTimestamp ??= null as unknown as string
  draft.eventTime ??= null as unknown as string
}

export function eventRow(event: CoreEvent, nowMs: number): Cell[] {
  const first = since(event.firstTimestamp || event.eventTime, nowMs)
  const last = event.series
    ? since(event.series.lastObservedTime, nowMs)
    : event.lastTimestamp
      ? since(event.lastTimestamp, nowMs)
      : first
  const { kind = '', name = '', fieldPath = '' } = event.involvedObject
  return [
    last,
    event.type ?? '',
    event.reason ?? '',
    name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
    fieldPath,
    sourceOf(event),
    (event.message ?? '').trim(),
    first,
    event.series?.count ?? (event.count || 1),
    event.metadata.name,
  ]
}

function sourceOf({ source, reportingComponent, reportingInstance }: CoreEvent): string {
  const component = source?.component || reportingComponent || ''
  const host = source?.host || reportingInstance || ''
  return host === '' ? component : `${component}, ${host}`
}

/** The events.k8s.io/v1 form of a stored event. */
export function toEventsGroup(event: CoreEvent): EventsEvent {
  const {
    involvedObject,
    message,
    source,
    firstTimestamp,
    lastTimestamp,
    count,
    reportingComponent,
    series,
    eventTime,
    ...same
  } = event
  return {
    ...same,
    apiVersion: 'events.k8s.io/v1',
    eventTime: eventTime ?? (null as unknown as string),
    regarding: involvedObject,
    note: message,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
    reportingController: reportingComponent,
    ...(series && { series: { count: series.count ?? 0, lastObservedTime: series.lastObservedTime ?? '' } }),
  }
}

/** The stored form of an event that came through events.k8s.io/v1. */
export function fromEventsGroup(event: EventsEvent): CoreEvent {
  const {
    regarding,
    note,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    reportingController,
    ...same
  } = event
  return {
    ...same,
    apiVersion: 'v1',
    involvedObject: regarding ?? {},
    message: note,
    source: deprecatedSource,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    count: deprecatedCount,
    reportingComponent: reportingController,
  }
}
