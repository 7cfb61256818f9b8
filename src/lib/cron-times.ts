// The times that a cron expression means in a time zone. Times are epoch milliseconds.
import { parseCronSchedule, type CronFields } from './cron-schedule.ts'
import { localTime, offsetsAround, zoneOffsetMs } from './zone-time.ts'

export interface Schedule {
  /** The first time after the given one; undefined when there is none within five years. */
  nextAfter(timeMs: number): number | undefined
}

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const mostYears = 5

/** @throws Error for a schedule or a time zone that cannot be understood */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  const zone = timeZone ?? 'UTC'
  const schedule = parseCronSchedule(text)
  if (typeof schedule === 'string') throw new Error(schedule)
  // Throws for a zone that does not exist.
  localTime(zone, 0)
  if ('everySeconds' in schedule)
    return { nextAfter: timeMs => Math.floor(timeMs / 1000 + schedule.everySeconds) * 1000 }
  return { nextAfter: timeMs => nextTime(schedule.fields, zone, timeMs) }
}

/** Local times that the beginning of summer time leaves out do not come; those that its end repeats come twice. */
function nextTime(fields: CronFields, zone: string, afterMs: number): number | undefined {
  const nowLocalMs = localTime(zone, afterMs)
  const lastYear = new Date(nowLocalMs).getUTCFullYear() + mostYears
  for (let dayLocalMs = Math.floor(nowLocalMs / dayMs) * dayMs; ; dayLocalMs += dayMs) {
    const day = new Date(dayLocalMs)
    if (day.getUTCFullYear() > lastYear) return undefined
    if (!isDue(fields, day)) continue
    const times = offsetsAround(zone, dayLocalMs).flatMap(
      offsetMs => firstOfDay(fields, zone, dayLocalMs - offsetMs, offsetMs, afterMs) ?? [],
    )
    if (times.length > 0) return Math.min(...times)
  }
}

/** @param day midnight of a local day, as if it were UTC */
function isDue({ months, daysOfMonth, daysOfWeek, eitherDay }: CronFields, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1)) return false
  const [ofMonth, ofWeek] = [daysOfMonth.has(day.getUTCDate()), daysOfWeek.has(day.getUTCDay())]
  return eitherDay ? ofMonth || ofWeek : ofMonth && ofWeek
}

/** The first time after another one at which clocks with this offset show one of the day's times. */
function firstOfDay(
  { hours, minutes }: CronFields,
  zone: string,
  midnightMs: number,
  offsetMs: number,
  afterMs: number,
): number | undefined {
  for (const hour of hours)
    for (const minute of minutes) {
      const timeMs = midnightMs + (hour * 60 + minute) * minuteMs
      if (timeMs > afterMs && zoneOffsetMs(zone, timeMs) === offsetMs) return timeMs
    }
  return undefined
}
