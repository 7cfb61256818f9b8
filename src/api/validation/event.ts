// What an Event must and must not say. Whoever writes through core/v1 may leave most of it out, unless the event
// has an eventTime; events.k8s.io/v1 is strict, and lets only the series change. Findings name the fields as
// core/v1 does, in both. Source: pkg/apis/core/validation/events.go.
import { encodeUtf8 } from '../../lib/text.ts'
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, required } from '../field-error.ts'
import type { CoreEvent } from '../generated/models.ts'
import { checkQualifiedName } from './formats.ts'
import { sameJson, validateImmutable } from './scalars.ts'

const textLimit = 128
const messageLimit = 1024
const unset = 'needs to be unset'

export const validateEvent = (event: CoreEvent): FieldError[] =>
  event.eventTime ? validateTimed(event) : validatePlace(event)

function validatePlace({ metadata, involvedObject }: CoreEvent): FieldError[] {
  const namespace = involvedObject.namespace ?? ''
  const matches =
    namespace === '' ? ['', 'default'].includes(metadata.namespace ?? '') : namespace === metadata.namespace
  return matches ? [] : [elsewhere(namespace)]
}

const elsewhere = (namespace: string): FieldError =>
  invalidValue('involvedObject.namespace', namespace, 'does not match event.namespace')

function validateTimed({
  metadata,
  involvedObject,
  reportingComponent = '',
  reportingInstance,
  action,
  reason,
  message,
}: CoreEvent): FieldError[] {
  return joinErrors(
    (involvedObject.namespace ?? '') !== '' || ['default', 'kube-system'].includes(metadata.namespace ?? '')
      ? []
      : [elsewhere('')],
    reportingComponent === '' ? [required('reportingController')] : [],
    checkQualifiedName(reportingComponent).map(found => invalidValue('reportingController', reportingComponent, found)),
    validateText(reportingInstance, 'reportingInstance'),
    validateText(action, 'action'),
    validateText(reason, 'reason'),
    validateLength(message, 'message', messageLimit),
  )
}

const validateText = (text: string | undefined, field: string): FieldError[] =>
  (text ?? '') === '' ? [required(field)] : validateLength(text, field, textLimit)

const validateLength = (text: string | undefined, field: string, limit: number): FieldError[] =>
  encodeUtf8(text ?? '').length > limit ? [invalidValue(field, '', `can have at most ${limit} characters`)] : []

/** Beyond `validateEvent`, of what events.k8s.io/v1 creates. */
export function validateNewEvent(event: CoreEvent): FieldError[] {
  const { type = '', source } = event
  return joinErrors(
    validateSeries(event),
    event.eventTime ? [] : [required('eventTime')],
    type === 'Normal' || type === 'Warning' ? [] : [invalidValue('type', '', `has invalid value: ${type}`)],
    event.firstTimestamp ? [invalidValue('firstTimestamp', '', unset)] : [],
    event.lastTimestamp ? [invalidValue('lastTimestamp', '', unset)] : [],
    event.count ? [invalidValue('count', '', unset)] : [],
    source?.component || source?.host ? [invalidValue('source', '', unset)] : [],
  )
}

function validateSeries({ series }: CoreEvent): FieldError[] {
  if (!series) return []
  return joinErrors(
    (series.count ?? 0) < 2 ? [invalidValue('series.count', '', 'should be at least 2')] : [],
    series.lastObservedTime ? [] : [required('series.lastObservedTime')],
  )
}

/** Beyond `validateEvent`, of what events.k8s.io/v1 updates. */
export function validateEventUpdate(event: CoreEvent, old: CoreEvent): FieldError[] {
  const fixed = (name: keyof CoreEvent, field: string = name): FieldError[] =>
    validateImmutable(event[name] ?? null, old[name] ?? null, field)
  return joinErrors(
    sameJson(event.series ?? null, old.series ?? null) ? [] : validateSeries(event),
    fixed('involvedObject'),
    fixed('reason'),
    fixed('message'),
    fixed('source'),
    fixed('firstTimestamp'),
    fixed('lastTimestamp'),
    fixed('count'),
    fixed('type'),
    fixed('eventTime'),
    fixed('action'),
    fixed('related'),
    fixed('reportingComponent', 'reportingController'),
    fixed('reportingInstance'),
  )
}
