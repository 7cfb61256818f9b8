import { describe, expect, test } from 'vitest'
import type { CoreEvent } from '../generated/models.ts'
import { validateEvent, validateEventUpdate, validateNewEvent } from './event.ts'

const event = (changes: Partial<CoreEvent> = {}): CoreEvent => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'shop' } as CoreEvent['metadata'],
  involvedObject: { namespace: 'shop', name: 'p', kind: 'Pod' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingComponent: 'example.com/tester',
  reportingInstance: 'tester-1',
  action: 'Trying',
  reason: 'Failed',
  type: 'Normal',
  source: {},
  ...changes,
})
const texts = (errors: ReturnType<typeof validateEvent>): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`)
const elsewhere = (namespace: string): string =>
  `involvedObject.namespace: Invalid value: "${namespace}": does not match event.namespace`

describe('an event', () => {
  test('without an eventTime needs nothing but to be where its object is', () => {
    const legacy = event({
      eventTime: undefined,
      reportingComponent: '',
      reportingInstance: '',
      action: '',
      reason: '',
    })
    expect(texts(validateEvent(legacy))).toEqual([])
    expect(texts(validateEvent({ ...legacy, involvedObject: { namespace: 'other' } }))).toEqual([elsewhere('other')])
    expect(texts(validateEvent({ ...legacy, involvedObject: {} }))).toEqual([elsewhere('')])
  })

  test('with an eventTime says who reports what', () => {
    expect(texts(validateEvent(event()))).toEqual([])
    expect(texts(validateEvent(event({ involvedObject: {} })))).toEqual([elsewhere('')])
    expect(texts(validateEvent(event({ reportingInstance: '', action: '', reason: '' })))).toEqual([
      'reportingInstance: Required value',
      'action: Required value',
      'reason: Required value',
    ])
    expect(texts(validateEvent(event({ reportingInstance: 'x'.repeat(129), message: 'é'.repeat(513) })))).toEqual([
      'reportingInstance: Invalid value: "": can have at most 128 characters',
      'message: Invalid value: "": can have at most 1024 characters',
    ])
    expect(texts(validateEvent(event({ reportingComponent: '' })))[0]).toBe('reportingController: Required value')
    expect(texts(validateEvent(event({ reportingComponent: 'a b' })))[0]).toContain(
      'reportingController: Invalid value: "a b": name part must consist of',
    )
  })
})

describe('through events.k8s.io/v1', () => {
  test('the fields of old events stay empty', () => {
    expect(texts(validateNewEvent(event()))).toEqual([])
    expect(
      texts(
        validateNewEvent(
          event({
            eventTime: undefined,
            type: 'Odd',
            firstTimestamp: 'x',
            lastTimestamp: 'x',
            count: 1,
            source: { host: 'h' },
            series: { count: 1 },
          }),
        ),
      ),
    ).toEqual([
      'series.count: Invalid value: "": should be at least 2',
      'series.lastObservedTime: Required value',
      'eventTime: Required value',
      'type: Invalid value: "": has invalid value: Odd',
      'firstTimestamp: Invalid value: "": needs to be unset',
      'lastTimestamp: Invalid value: "": needs to be unset',
      'count: Invalid value: "": needs to be unset',
      'source: Invalid value: "": needs to be unset',
    ])
  })

  test('only the series changes', () => {
    expect(texts(validateEventUpdate(event({ series: { count: 2, lastObservedTime: 'x' } }), event()))).toEqual([])
    expect(texts(validateEventUpdate(event({ series: { count: 1, lastObservedTime: 'x' } }), event()))).toEqual([
      'series.count: Invalid value: "": should be at least 2',
    ])
    expect(texts(validateEventUpdate(event({ message: 'm', reportingComponent: 'other' }), event()))).toEqual([
      'message: Invalid value: "m": field is immutable',
      'reportingController: Invalid value: "other": field is immutable',
    ])
  })
})
