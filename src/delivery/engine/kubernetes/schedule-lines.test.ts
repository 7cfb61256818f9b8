import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSchedule } from '../../../lib/cron-times.ts'
import { isDue, scheduleLine } from './schedule-lines.ts'

const minuteMs = 60_000
const dayMinutes = 24 * 60
const future = 0
const past = Date.UTC(2100)

/** Counted one by one. */
function countedTimes(start: number, every: number, count: number | undefined, from: number, until: number): number[] {
  const times: number[] = []
  for (let time = start, index = 0; time <= until && (count === undefined || index < count); time += every, index++)
    if (time >= from) times.push(time)
  return times
}

function timesOf(cron: string, from: number, until: number): number[] {
  const schedule = parseSchedule(cron, 'UTC')
  const times: number[] = []
  for (
    let next = schedule.nextAfter(from * minuteMs - 1);
    next !== undefined && next <= until * minuteMs;
    next = schedule.nextAfter(next)
  )
    times.push(next / minuteMs)
  return times
}

describe('a line of cron for a period', () => {
  test('has, after its guard, exactly the times that are meant', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 * dayMinutes }),
        fc.oneof(
          fc.integer({ min: 1, max: 5_000 }),
          fc.constantFrom(1, 5, 15, 30, 45, 60, 90, 120, 420, 1440, 2880, 10_080, 20_160),
        ),
        fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
        fc.boolean(),
        (offset, everyMinutes, count, hasBegun) => {
          const start = Date.UTC(2026, 0, 1) / minuteMs + offset
          const [from, until] = [hasBegun ? start : start - dayMinutes, start + 15 * dayMinutes]
          const text = new Date(start * minuteMs).toISOString()
          const timing = { start: text, everyMinutes, ...(count !== undefined && { count }) }
          const { cron, guard } = scheduleLine(timing, hasBegun ? past : future)
          const times = timesOf(cron, from, until).filter(time => guard === undefined || isDue(guard, time))
          expect(times).toEqual(countedTimes(start, everyMinutes, count, from, until))
        },
      ),
    )
  })

  test.each([
    [30, '00:00', '*/30 * * * *'],
    [30, '00:10', '10,40 * * * *'],
    [60, '00:05', '5 * * * *'],
    [120, '01:05', '5 1,3,5,7,9,11,13,15,17,19,21,23 * * *'],
    [1440, '06:15', '15 6 * * *'],
    // The 1st of January 2026 was a Thursday.
    [10_080, '06:15', '15 6 * * 4'],
    [1, '00:00', '* * * * *'],
  ])('every %i minutes from %s needs no guard: %s', (everyMinutes, at, cron) => {
    const line = scheduleLine({ start: `2026-01-01T${at}:00Z`, everyMinutes }, past)
    expect(line).toEqual({ cron, timeZone: 'Etc/UTC', timesForEach: 1 })
  })

  test.each([
    [420, '0 * * * *', 7],
    [45, '*/15 * * * *', 3],
    [90, '*/30 * * * *', 3],
    [37, '* * * * *', 37],
    [2880, '0 0 * * *', 2],
    [20_160, '0 0 * * 4', 2],
  ])('every %i minutes is a part of %s', (everyMinutes, cron, timesForEach) => {
    const line = scheduleLine({ start: '2026-01-01T00:00:00Z', everyMinutes }, past)
    expect(line).toMatchObject({ cron, timesForEach, guard: { every: everyMinutes } })
  })

  test('a start that is still to come, and a count, are guarded', () => {
    expect(scheduleLine({ start: '2026-01-01T00:00:00Z', everyMinutes: 30 }, future).guard).toBeDefined()
    expect(scheduleLine({ start: '2026-01-01T00:00:00Z', everyMinutes: 30, count: 3 }, past).guard).toBeDefined()
  })

  test('what is cron already stays, in its time zone or UTC, whatever the zone of the cluster is', () => {
    expect(scheduleLine({ cron: '15 6 * * 1-5', timeZone: 'Europe/Kyiv' }, past)).toEqual({
      cron: '15 6 * * 1-5',
      timeZone: 'Europe/Kyiv',
      timesForEach: 1,
    })
    expect(scheduleLine({ cron: '15 6 * * *' }, past).timeZone).toBe('Etc/UTC')
  })
})
