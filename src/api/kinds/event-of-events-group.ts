// Event as events.k8s.io/v1 shows it: the events of core/v1, whose fields have other names here.
import type { CoreEvent, EventsEvent } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { events, eventsOfEventsGroup } from '../resources.ts'
import { validateEvent, validateEventUpdate, validateNewEvent } from '../validation/event.ts'
import { columns } from './cells.ts'
import { eventRow, fromEventsGroup, toEventsGroup } from './event.ts'

export const eventOfEventsGroupKind = defineKind({
  resource: eventsOfEventsGroup,
  model: 'EventsV1Event',
  singular: 'event',
  shortNames: ['ev'],
  storage: {
    resource: events,
    toStorage: object => fromEventsGroup(object as EventsEvent),
    fromStorage: object => toEventsGroup(object as CoreEvent),
  },
  defaults(draft) {
    draft.eventTime ??= null as unknown as string
    draft.deprecatedSource ??= {}
    draft.deprecatedFirstTimestamp ??= null as unknown as string
    draft.deprecatedLastTimestamp ??= null as unknown as string
  },
  validate: event => validateEvent(fromEventsGroup(event)),
  validateCreate: event => validateNewEvent(fromEventsGroup(event)),
  validateUpdate: (event, old) => validateEventUpdate(fromEventsGroup(event), fromEventsGroup(old)),
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
  row: (event, nowMs) => eventRow(fromEventsGroup(event), nowMs),
  selectableFields: {
    'regarding.kind': event => event.regarding?.kind ?? '',
    'regarding.namespace': event => event.regarding?.namespace ?? '',
    'regarding.name': event => event.regarding?.name ?? '',
    'regarding.uid': event => event.regarding?.uid ?? '',
    'regarding.apiVersion': event => event.regarding?.apiVersion ?? '',
    'regarding.resourceVersion': event => event.regarding?.resourceVersion ?? '',
    'regarding.fieldPath': event => event.regarding?.fieldPath ?? '',
    reason: event => event.reason ?? '',
    reportingController: event => event.reportingController ?? '',
    type: event => event.type ?? '',
  },
})
