// What a person writes about a schedule (`cron`, or `every` as ISO 8601 has durations and repeats) as a timing that
// every engine understands. Periods of minutes, hours, days and weeks without a start are those of a clock: multiples
// since 1970-01-01T00:00Z, weeks since Monday 1970-01-05. Months and years, and periods in a time zone, become cron
// lines, as far as cron can say them.
import { formatTime } from '../../lib/clock.ts'
import { cronLine, parseCronSchedule, type CronFields } from '../../lib/cron-schedule.ts'
import { isTimeZone, localTime } from '../../lib/zone-time.ts'
import type { Timing } from '../engine/parts.ts'
import { durationExamples, readRepeat } from './iso-repeat.ts'

interface WrittenTiming {
  readonly every?: string
  readonly cron?: string
  readonly timeZone?: string
}

interface Mistake {
  readonly mistake: string
  readonly field: 'every' | 'cron' | 'timeZone'
}

const hourMinutes = 60
const dayMinutes = 24 * hourMinutes
const weekMinutes = 7 * dayMinutes
const monday = '1970-01-05T00:00:00Z'
const epoch = '1970-01-01T00:00:00Z'

export function readTiming(written: WrittenTiming): { readonly timing: Timing } | Mistake {
  const { every, cron, timeZone } = written
  if (every !== undefined && cron !== undefined)
    return { field: 'every', mistake: 'expected one of every and cron, found both; remove one of them' }
  const zoneMistake = timeZone === undefined ? undefined : mistakeInZone(timeZone)
  if (zoneMistake !== undefined) return { field: 'timeZone', mistake: zoneMistake }
  if (cron !== undefined) return cronTiming(cron, timeZone)
  if (every !== undefined) return everyTiming(every, timeZone)
  return { field: 'every', mistake: `expected every (${durationExamples}) or cron ("15 6 * * 1-5"), found neither` }
}

const expectedZone = "expected a name of IANA's list, such as Europe/Kyiv"

/** Clusters read the zone's file, so that the case of letters counts. */
function mistakeInZone(zone: string): string | undefined {
  if (!isTimeZone(zone)) return `${expectedZone}, found ${JSON.stringify(zone)}`
  const known = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  if (known !== zone && known.toLowerCase() === zone.toLowerCase())
    return `${expectedZone}, found ${JSON.stringify(zone)}; did you mean ${known}?`
  return zone.split('/').every(part => /^[A-Z]/.test(part))
    ? undefined
    : `${expectedZone}, with its capital letters, found ${JSON.stringify(zone)}`
}

function cronTiming(cron: string, timeZone: string | undefined): { readonly timing: Timing } | Mistake {
  const wrong = (mistake: string): Mistake => ({ field: 'cron', mistake })
  if (cron.includes('TZ=')) return wrong('expected five fields without TZ=; write the zone as timeZone')
  if (cron.startsWith('@every'))
    return wrong('@every counts from whenever it was first seen; write every: PT1H, which is the same after a restart')
  const parsed = parseCronSchedule(cron)
  if (typeof parsed === 'string') return wrong(`${parsed}; expected five fields such as "15 6 * * 1-5", or @hourly`)
  if (!('fields' in parsed) || neverComes(parsed.fields)) return wrong(`${JSON.stringify(cron)} never comes`)
  const line = cronLine(cron).trim().split(/\s+/).join(' ')
  return { timing: { cron: line, ...(timeZone === undefined ? {} : { timeZone }) } }
}

const mostDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function neverComes({ minutes, hours, daysOfMonth, months, daysOfWeek, eitherDay }: CronFields): boolean {
  if (minutes.length === 0 || hours.length === 0 || months.size === 0) return true
  const hasDate = [...months].some(month => [...daysOfMonth].some(day => day <= mostDays[month - 1]!))
  return eitherDay ? !hasDate && daysOfWeek.size === 0 : !hasDate || daysOfWeek.size === 0
}

function everyTiming(every: string, timeZone: string | undefined): { readonly timing: Timing } | Mistake {
  const wrong = (mistake: string): Mistake => ({ field: 'every', mistake })
  const repeat = readRepeat(every)
  if (typeof repeat === 'string') return wrong(repeat)
  const { minutes, months, startMs, count } = repeat
  if (months > 0) {
    if (count !== undefined) return wrong(`expected R without a number before months and years, found R${count}`)
    const line = monthsAsCron(months, startMs === undefined ? 0 : localTime(timeZone ?? 'UTC', startMs))
    return 'mistake' in line
      ? wrong(line.mistake)
      : { timing: { ...line, ...(timeZone === undefined ? {} : { timeZone }) } }
  }
  if (timeZone !== undefined) return zoneTiming(every, minutes, startMs, timeZone)
  const start = startMs === undefined ? (minutes % weekMinutes === 0 ? monday : epoch) : formatTime(startMs)
  return { timing: { start, everyMinutes: minutes, ...(count === undefined ? {} : { count }) } }
}

/** The same clock times on every day of a zone, which only cron can say. */
function zoneTiming(
  every: string,
  minutes: number,
  startMs: number | undefined,
  timeZone: string,
): { readonly timing: Timing } | Mistake {
  const wrong = (mistake: string): Mistake => ({ field: 'timeZone', mistake })
  const cron = minutesAsCron(minutes, startMs === undefined ? Date.parse(monday) : localTime(timeZone, startMs))
  if (startMs !== undefined)
    return wrong(
      `a start has its offset already; remove timeZone${cron === undefined ? '' : `, or for times on the clocks of ${timeZone} write cron: "${cron}" instead of every`}`,
    )
  return cron === undefined
    ? wrong(
        `every ${every} has no fixed times on the clocks of a zone; expected a week, a day, or a part of the day or of the hour`,
      )
    : { timing: { cron, timeZone } }
}

/** @param localMs a time that it comes at, on the zone's clocks, as if they showed UTC */
function monthsAsCron(months: number, localMs: number): { readonly cron: string } | { readonly mistake: string } {
  const local = new Date(localMs)
  if (local.getUTCDate() > 28)
    return { mistake: `expected a start on day 1 to 28, which every month has, found day ${local.getUTCDate()}` }
  if (12 % months !== 0)
    return { mistake: `expected 1, 2, 3, 4, 6 or 12 months, which come on the same dates each year, found ${months}` }
  const first = local.getUTCMonth() % months
  const named = Array.from({ length: 12 / months }, (_unused, index) => first + index * months + 1)
  const monthField = months === 1 ? '*' : named.join(',')
  return { cron: `${local.getUTCMinutes()} ${local.getUTCHours()} ${local.getUTCDate()} ${monthField} *` }
}

/**
 * undefined: cron has no line for it.
 * @param localMs a time that it comes at, on the zone's clocks, as if they showed UTC
 */
function minutesAsCron(minutes: number, localMs: number): string | undefined {
  const local = new Date(localMs)
  const [minute, hour] = [local.getUTCMinutes(), local.getUTCHours()]
  if (minutes === weekMinutes) return `${minute} ${hour} * * ${local.getUTCDay()}`
  if (minutes === dayMinutes) return `${minute} ${hour} * * *`
  const listed = (first: number, step: number, end: number): string =>
    step === 1
      ? '*'
      : first % step === 0
        ? `*/${step}`
        : Array.from({ length: end / step }, (_unused, index) => (first % step) + index * step).join(',')
  if (minutes < hourMinutes)
    return hourMinutes % minutes === 0 ? `${listed(minute, minutes, hourMinutes)} * * * *` : undefined
  const hours = minutes / hourMinutes
  return Number.isInteger(hours) && 24 % hours === 0 ? `${minute} ${listed(hour, hours, 24)} * * *` : undefined
}
