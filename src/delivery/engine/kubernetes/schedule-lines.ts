// Times of a schedule as a line of cron. A period that cron cannot say becomes a line for more times than are meant, and
// a guard that knows which of them count. Pure. The property test holds it against counting.
import type { Timing } from '../parts.ts'

export interface ScheduleLine {
  readonly cron: string
  readonly timeZone: string
  /** undefined: every time of the line counts. */
  readonly guard?: Guard
  /** Times of the line for each one that counts, roughly. */
  readonly timesForEach: number
}

/** In minutes since 1970. */
export interface Guard {
  readonly start: number
  readonly every: number
  readonly count?: number
}

const dayMinutes = 24 * 60
const weekMinutes = 7 * dayMinutes
const utc = 'Etc/UTC'
/** 1970 began on a Thursday. */
const firstWeekday = 4

/** @param nowMs a start that is still to come needs a guard, one that has been does not */
export function scheduleLine(timing: Timing, nowMs: number): ScheduleLine {
  if ('cron' in timing) return { cron: timing.cron, timeZone: timing.timeZone ?? utc, timesForEach: 1 }
  const guard = guardOf(timing)
  const { cron, every } = lineFor(guard)
  const isExact = every === guard.every && guard.count === undefined && guard.start * 60_000 <= nowMs
  return { cron, timeZone: utc, ...(!isExact && { guard }), timesForEach: Math.ceil(guard.every / every) }
}

export function guardOf({ start, everyMinutes, count }: Extract<Timing, { start: string }>): Guard {
  return {
    start: Math.floor(Date.parse(start) / 60_000),
    every: everyMinutes,
    ...(count !== undefined && { count }),
  }
}

export const isDue = ({ start, every, count }: Guard, minute: number): boolean =>
  minute >= start && (minute - start) % every === 0 && (count === undefined || (minute - start) / every < count)

/** The longest period of a single line whose times include all that are meant. */
function lineFor({ start, every }: Guard): { readonly cron: string; readonly every: number } {
  const minute = modulo(start, 60)
  const hour = modulo(Math.floor(start / 60), 24)
  if (every % weekMinutes === 0) {
    const weekday = modulo(Math.floor(start / dayMinutes) + firstWeekday, 7)
    return { cron: `${minute} ${hour} * * ${weekday}`, every: weekMinutes }
  }
  const common = divisor(every, dayMinutes)
  if (common % 60 === 0) {
    const hours = common / 60
    return { cron: `${minute} ${steps(modulo(hour, hours), hours, 24)} * * *`, every: common }
  }
  const minutes = divisor(common, 60)
  return { cron: `${steps(modulo(minute, minutes), minutes, 60)} * * * *`, every: minutes }
}

/** `*` with steps where they begin at 0, else each one. */
function steps(first: number, step: number, end: number): string {
  if (step === 1) return '*'
  if (step === end) return String(first)
  if (first === 0) return `*/${step}`
  return Array.from({ length: end / step }, (_unused, index) => first + index * step).join(',')
}

const divisor = (left: number, right: number): number => (right === 0 ? left : divisor(right, left % right))
const modulo = (value: number, by: number): number => ((value % by) + by) % by
