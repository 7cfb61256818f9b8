// Durations and repeats of ISO 8601 (`PT30M`, `R5/2026-01-01T00:00:00+02:00/P1D`), as far as schedules have them: whole
// minutes, or whole months.
import { parse as parseDuration, type Duration } from 'tinyduration'

/** One of minutes and months is 0. */
interface Period {
  readonly minutes: number
  readonly months: number
}

export interface Repeat extends Period {
  /** Epoch milliseconds, a whole minute. */
  readonly startMs?: number
  /** So many times in all, from the start. */
  readonly count?: number
}

interface RepeatParts extends Omit<Repeat, keyof Period> {
  readonly duration: string
}

export const durationExamples = 'PT30M, P1D or R/2026-01-01T00:00:00Z/PT7H'

const dayMinutes = 24 * 60
const mostMinutes = 3_660 * dayMinutes

/** @returns what is wrong, as a text, when it is none */
export function readRepeat(text: string): Repeat | string {
  const parts = partsOf(text)
  if (typeof parts === 'string') return parts
  const period = readPeriod(parts.duration)
  return typeof period === 'string' ? period : { ...period, startMs: parts.startMs, count: parts.count }
}

/** The parts of `R5/START/DURATION`. */
function partsOf(text: string): RepeatParts | string {
  if (!text.startsWith('R')) return { duration: text }
  const parts = /^R(\d*)\/(?:([^/]*)\/)?([^/]*)$/.exec(text)
  if (parts === null)
    return `expected R/START/DURATION such as R/2026-01-01T00:00:00Z/PT7H, found ${JSON.stringify(text)}`
  const [, times = '', start, duration = ''] = parts
  const count = times === '' ? undefined : Number(times)
  if (count !== undefined && (count < 1 || !Number.isSafeInteger(count)))
    return `expected R, or R and how many times, at least 1, found R${times}`
  if (start === undefined)
    return count === undefined ? { duration } : `expected a start from which R${times} counts, found none`
  const startMs = readStart(start)
  return typeof startMs === 'string' ? startMs : { duration, startMs, count }
}

function readStart(text: string): number | string {
  const found = `found ${JSON.stringify(text)}`
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::(\d\d)(?:\.0+)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text)
  if (parts === null) return `expected a start such as 2026-01-01T00:00:00Z, ${found}`
  const [, minute = '', seconds = '00', offset] = parts
  if (offset === undefined) return `expected a start with its offset, Z or +02:00, ${found}`
  if (seconds !== '00') return `expected a start at a whole minute, ${found}`
  const wallMs = Date.parse(`${minute}:00Z`)
  const startMs = Date.parse(`${minute}:00${offset}`)
  // A day that the month does not have is taken for one of the next month.
  const exists = !Number.isNaN(startMs) && new Date(wallMs).toISOString().startsWith(minute)
  return exists ? startMs : `expected a date and time that exist, ${found}`
}

function readPeriod(text: string): Period | string {
  const duration = durationOf(text)
  if (duration === undefined) return `expected a duration such as ${durationExamples}, found ${JSON.stringify(text)}`
  const { years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0 } = duration
  const total = (weeks * 7 + days) * dayMinutes + hours * 60 + minutes + seconds / 60
  const totalMonths = years * 12 + months
  const found = `found ${text}`
  if (totalMonths > 0 && total > 0)
    return `expected months and years without weeks, days and time beside them, ${found}`
  if (totalMonths > 0)
    return Number.isInteger(totalMonths) ? { minutes: 0, months: totalMonths } : `expected whole months, ${found}`
  if (total < 1 || !Number.isInteger(Math.round(total * 60_000) / 60_000))
    return `expected whole minutes, at least one, ${found}`
  if (total > mostMinutes) return `expected at most ten years, ${found}`
  return { minutes: Math.round(total), months: 0 }
}

function durationOf(text: string): Duration | undefined {
  if (!text.startsWith('P') || text !== text.trim()) return undefined
  try {
    return parseDuration(text)
  } catch {
    return undefined
  }
}
