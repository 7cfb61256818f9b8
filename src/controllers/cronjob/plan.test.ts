import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CronJob, Job } from '../../api/generated/models.ts'
import { parseCronSchedule } from '../../lib/cron-schedule.ts'
import { planCronJob } from './plan.ts'
import { parseSchedule } from '../../lib/cron-times.ts'
import { dueSince } from '../../lib/due-since.ts'

const at = (text: string): number => Date.parse(text)
const iso = (timeMs: number | undefined): string | undefined =>
  timeMs === undefined ? undefined : new Date(timeMs).toISOString()

/** Minute by minute. */
function firstMatch(zone: string, afterMs: number, minute: string, hour: string): number {
  const shown = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' })
  const fields = parseCronSchedule(`${minute} ${hour} * * *`)
  if (typeof fields === 'string' || !('fields' in fields)) throw new Error('no fields')
  for (let timeMs = (Math.floor(afterMs / 60_000) + 1) * 60_000; ; timeMs += 60_000) {
    const [hours, minutes] = shown.format(timeMs).split(':').map(Number)
    if (fields.fields.hours.includes(hours!) && fields.fields.minutes.includes(minutes!)) return timeMs
  }
}

describe('a schedule', () => {
  test.each([
    ['*/5 * * * *', undefined, '2026-01-01T00:01:00Z', '2026-01-01T00:05:00.000Z'],
    ['@hourly', undefined, '2026-01-01T00:01:00Z', '2026-01-01T01:00:00.000Z'],
    ['30 9 * * mon-fri', 'Europe/Berlin', '2026-01-02T09:00:00Z', '2026-01-05T08:30:00.000Z'],
    ['0 0 13 * 5', undefined, '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.000Z'],
    ['@every 90s', undefined, '2026-01-01T00:00:00.4Z', '2026-01-01T00:01:30.000Z'],
    // A single number with a step goes on to the end of its field.
    ['1/10 * * * *', undefined, '2026-01-01T00:01:00Z', '2026-01-01T00:11:00.000Z'],
    ['1/10 * * * *', undefined, '2026-01-01T00:51:00Z', '2026-01-01T01:01:00.000Z'],
    ['5 20/2 * * *', undefined, '2026-01-01T22:05:00Z', '2026-01-02T20:05:00.000Z'],
    ['? ? ? ? ?', undefined, '2026-01-01T00:00:30Z', '2026-01-01T00:01:00.000Z'],
    ['59,0 * * JAN-feb Sun', undefined, '2026-01-04T23:00:00Z', '2026-01-04T23:59:00.000Z'],
    ['0 0 1 jan/6 *', undefined, '2026-01-01T00:00:00Z', '2026-07-01T00:00:00.000Z'],
    // Days of month and of week: either is enough unless one of them is a bare star.
    ['0 0 */2 * 1', undefined, '2026-01-05T00:00:00Z', '2026-01-07T00:00:00.000Z'],
    ['0 0 13 * *', undefined, '2026-01-01T00:00:00Z', '2026-01-13T00:00:00.000Z'],
    ['0 0 29 2 *', undefined, '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['0 0 30 2 *', undefined, '2026-01-01T00:00:00Z', undefined],
    [', * * * *', undefined, '2026-01-01T00:00:00Z', undefined],
    ['@every 1.5s', undefined, '2026-01-01T00:00:00.6Z', '2026-01-01T00:00:01.000Z'],
    ['@every 1ms', undefined, '2026-01-01T00:00:00Z', '2026-01-01T00:00:01.000Z'],
    // 2:30 does not exist on the day when summer time begins.
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-30T00:30:00.000Z'],
    ['0 3 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00.000Z'],
    ['*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:30:00Z', '2026-03-29T01:00:00.000Z'],
    // 2:30 comes twice on the day when it ends.
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T00:30:00.000Z'],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00.000Z'],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T01:30:00Z', '2026-10-26T01:30:00.000Z'],
    ['30 1 * * *', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-01T06:30:00.000Z'],
    ['0 0 * * *', 'Asia/Kolkata', '2026-06-01T00:00:00Z', '2026-06-01T18:30:00.000Z'],
    // Half an hour, and a midnight that is left out.
    ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T14:45:00Z', '2026-04-04T15:15:00.000Z'],
    ['0 0 * * *', 'Africa/Cairo', '2026-04-23T12:00:00Z', '2026-04-24T21:00:00.000Z'],
    ['15 0 * * *', 'Asia/Kathmandu', '2026-01-01T00:00:00Z', '2026-01-01T18:30:00.000Z'],
  ])('%s %s after %s', (text, zone, after, next) => {
    expect(iso(parseSchedule(text, zone).nextAfter(at(after)))).toBe(next)
  })

  test('a time is the first minute whose fields match, whatever the clocks do', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Cairo', 'Pacific/Apia']
    const changes = [
      '2026-03-29T01:00Z',
      '2026-10-25T01:00Z',
      '2026-11-01T06:00Z',
      '2026-04-04T15:00Z',
      '2026-04-23T22:00Z',
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...changes),
        fc.integer({ min: -60 * 26, max: 60 * 26 }),
        fc.constantFrom('*', '30', '*/20', '1/10', '0-5,45'),
        fc.constantFrom('*', '0', '1', '2,3', '*/5', '20/2'),
        (zone, change, minutes, minute, hour) => {
          const afterMs = at(change) + minutes * 60_000
          expect(parseSchedule(`${minute} ${hour} * * *`, zone).nextAfter(afterMs)).toBe(
            firstMatch(zone, afterMs, minute, hour),
          )
        },
      ),
    )
  })

  test('a time zone that does not exist is refused', () => {
    expect(() => parseSchedule('* * * * *', 'Nowhere/City')).toThrow('Nowhere/City')
  })

  test('of many missed times the latest counts', () => {
    const hourly = parseSchedule('0 * * * *', undefined)
    expect(dueSince(hourly, at('2026-01-01T00:10:00Z'), at('2026-01-01T00:50:00Z'))).toEqual({ missed: 0 })
    expect(dueSince(hourly, at('2026-01-01T00:10:00Z'), at('2026-01-01T01:00:00Z'))).toEqual({
      atMs: at('2026-01-01T01:00:00Z'),
      missed: 1,
    })
    expect(dueSince(hourly, at('2026-01-01T00:10:00Z'), at('2026-01-08T05:20:00Z'))).toEqual({
      atMs: at('2026-01-08T05:00:00Z'),
      missed: 173,
    })
    const workdays = parseSchedule('0 9 * * 1-5', undefined)
    expect(dueSince(workdays, at('2026-01-01T10:00:00Z'), at('2026-02-01T00:00:00Z')).atMs).toBe(
      at('2026-01-30T09:00:00Z'),
    )
  })
})

const cron = (spec: Partial<CronJob['spec']> = {}, status: CronJob['status'] = {}): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'c', namespace: 'n', uid: 'c', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:30Z' },
  spec: {
    schedule: '* * * * *',
    jobTemplate: {},
    concurrencyPolicy: 'Allow',
    successfulJobsHistoryLimit: 1,
    failedJobsHistoryLimit: 1,
    ...spec,
  },
  status,
})
const job = (name: string, end?: 'Complete' | 'Failed', startTime = '2026-01-01T00:00:00Z'): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'n', uid: name, resourceVersion: '1', creationTimestamp: startTime },
  spec: { template: { spec: { containers: [] } } },
  status: { startTime, ...(end && { conditions: [{ type: end, status: 'True' }] }) },
})
const plan = (given: CronJob, jobs: Job[], now: string) =>
  planCronJob(given, jobs, parseSchedule(given.spec.schedule, undefined), at(now))

describe('a cron job', () => {
  test('starts at its time, once, and tells when it is due next', () => {
    expect(plan(cron(), [], '2026-01-01T00:00:50Z')).toMatchObject({ nextAtMs: at('2026-01-01T00:01:00Z') })
    expect(plan(cron(), [], '2026-01-01T00:00:50Z').startAtMs).toBeUndefined()
    expect(iso(plan(cron(), [], '2026-01-01T00:01:00Z').startAtMs)).toBe('2026-01-01T00:01:00.000Z')
    expect(
      plan(cron({}, { lastScheduleTime: '2026-01-01T00:01:00Z' }), [], '2026-01-01T00:01:30Z').startAtMs,
    ).toBeUndefined()
  })

  test('that is suspended or being deleted starts nothing, and still forgets', () => {
    const finished = [job('old', 'Complete'), job('new', 'Complete', '2026-01-01T00:00:10Z')]
    expect(plan(cron({ suspend: true }), finished, '2026-01-01T00:05:00Z')).toMatchObject({
      forget: [{ metadata: { name: 'old' } }],
    })
    expect(plan(cron({ suspend: true }), [], '2026-01-01T00:05:00Z').startAtMs).toBeUndefined()
    const deleted = cron()
    deleted.metadata.deletionTimestamp = '2026-01-01T00:04:00Z'
    expect(plan(deleted, [], '2026-01-01T00:05:00Z').startAtMs).toBeUndefined()
  })

  test('keeps to its policy while a job runs', () => {
    const running = [job('running')]
    expect(plan(cron({ concurrencyPolicy: 'Forbid' }), running, '2026-01-01T00:02:00Z')).toMatchObject({
      skipped: { reason: 'JobAlreadyActive' },
    })
    expect(plan(cron({ concurrencyPolicy: 'Replace' }), running, '2026-01-01T00:02:00Z')).toMatchObject({
      startAtMs: at('2026-01-01T00:02:00Z'),
      replace: running,
    })
    expect(plan(cron(), running, '2026-01-01T00:02:00Z')).toMatchObject({
      startAtMs: at('2026-01-01T00:02:00Z'),
      replace: [],
    })
  })

  test('too late is missed, and said', () => {
    const hourly = cron({ schedule: '0 * * * *', startingDeadlineSeconds: 60 })
    expect(plan(hourly, [], '2026-01-01T01:00:30Z').startAtMs).toBe(at('2026-01-01T01:00:00Z'))
    expect(plan(hourly, [], '2026-01-01T01:05:00Z')).toMatchObject({ skipped: { reason: 'MissSchedule' } })
    expect(plan(cron(), [], '2026-01-01T03:00:00Z')).toMatchObject({
      tooManyMissed: true,
      startAtMs: at('2026-01-01T03:00:00Z'),
    })
  })
})
