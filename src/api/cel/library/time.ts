// Durations and timestamps as text, with nanoseconds: Go's duration syntax and RFC 3339.
import { parseGoDuration } from '../../../lib/go-duration.ts'
import { fitsInt64 } from '../../../lib/int64.ts'
import { zoneOffsetMs } from '../../../lib/zone-time.ts'
import { EvaluationError } from '../cel-error.ts'
import { Duration, Timestamp } from '../values.ts'

const billion = 1_000_000_000n
const earliest = -62_135_596_800n * billion
const latest = 253_402_300_800n * billion

/** `1h30m`, `-1.5s`, `0`; undefined when it is no duration. */
export function parseDuration(text: string): Duration | undefined {
  const nanoseconds = parseGoDuration(text)
  return nanoseconds === undefined ? undefined : new Duration(nanoseconds)
}

/** In seconds: `3.5s`. */
export function formatDuration({ nanoseconds }: Duration): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  return `${nanoseconds < 0n ? '-' : ''}${size / billion}${fractionText(size % billion)}s`
}

/** RFC 3339; undefined when it is no such time. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(?:Z|([+-])(\d\d):(\d\d))$/.exec(text)
  if (match === null) return undefined
  const [, main, fraction = '', sign, hours = '0', minutes = '0'] = match
  const milliseconds = Date.parse(`${main}Z`)
  if (
    Number.isNaN(milliseconds) ||
    new Date(milliseconds).toISOString().slice(0, 19) !== main ||
    Number(hours) > 23 ||
    Number(minutes) > 59
  )
    return undefined
  const offset = (BigInt(hours) * 3600n + BigInt(minutes) * 60n) * billion * (sign === '-' ? -1n : 1n)
  return new Timestamp(BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0')) - offset)
}

/** A full date, `2026-11-21`, as midnight in UTC. */
export const parseDate = (text: string): Timestamp | undefined =>
  /^\d{4}-\d\d-\d\d$/.test(text) ? parseTimestamp(`${text}T00:00:00Z`) : undefined

export function formatTimestamp({ nanoseconds }: Timestamp): string {
  const seconds = floorDivide(nanoseconds, billion)
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${fractionText(nanoseconds - seconds * billion)}Z`
}

const fractionText = (nanoseconds: bigint): string =>
  nanoseconds === 0n ? '' : `.${nanoseconds.toString().padStart(9, '0').replace(/0+$/, '')}`

/** Throws outside of the years 1 to 9999. */
export function checkedTimestamp(nanoseconds: bigint): Timestamp {
  if (nanoseconds < earliest || nanoseconds >= latest) throw new EvaluationError('timestamp overflow')
  return new Timestamp(nanoseconds)
}

export function checkedDuration(nanoseconds: bigint): Duration {
  if (!fitsInt64(nanoseconds)) throw new EvaluationError('duration overflow')
  return new Duration(nanoseconds)
}

export type TimePart =
  | 'year'
  | 'month'
  | 'dayOfMonth'
  | 'dayOfWeek'
  | 'dayOfYear'
  | 'hours'
  | 'minutes'
  | 'seconds'
  | 'milliseconds'

/** A part of the time in a zone (`Europe/Berlin`, `+02:00`; UTC when absent); months, days of the week and of the year count from 0, days of the month from 1. */
export function partOfTime({ nanoseconds }: Timestamp, part: TimePart, zone: string | undefined): bigint {
  const local = nanoseconds + BigInt(offsetMs(nanoseconds, zone)) * 1_000_000n
  const date = new Date(Number(floorDivide(local, 1_000_000n)))
  switch (part) {
    case 'year':
      return BigInt(date.getUTCFullYear())
    case 'month':
      return BigInt(date.getUTCMonth())
    case 'dayOfMonth':
      return BigInt(date.getUTCDate())
    case 'dayOfWeek':
      return BigInt(date.getUTCDay())
    case 'dayOfYear':
      return BigInt(Math.floor((date.getTime() - new Date(date).setUTCMonth(0, 1)) / 86_400_000))
    case 'hours':
      return BigInt(date.getUTCHours())
    case 'minutes':
      return BigInt(date.getUTCMinutes())
    case 'seconds':
      return BigInt(date.getUTCSeconds())
    case 'milliseconds':
    default:
      return BigInt(date.getUTCMilliseconds())
  }
}

function offsetMs(nanoseconds: bigint, zone: string | undefined): number {
  if (zone === undefined || zone === '' || zone === 'UTC') return 0
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone)
  if (fixed !== null) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000
  try {
    return zoneOffsetMs(zone, Number(floorDivide(nanoseconds, billion)) * 1000)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new EvaluationError(`unknown time zone ${zone}`)
  }
}

const floorDivide = (value: bigint, by: bigint): bigint => (value >= 0n ? value / by : -((-value + by - 1n) / by))
