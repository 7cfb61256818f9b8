// Cron expressions as Kubernetes' parser takes them (robfig/cron v3, standard parser): five fields or a
// descriptor. What a field allows is read here once, for who checks a schedule and for who follows it.
import { parseGoDuration } from './go-duration.ts'
import { parseInt64 } from './int64.ts'

/** Each list is in ascending order. */
export interface CronFields {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  /** From 1. */
  readonly daysOfMonth: ReadonlySet<number>
  /** From 1. */
  readonly months: ReadonlySet<number>
  /** From 0, which is Sunday. */
  readonly daysOfWeek: ReadonlySet<number>
  /** Both kinds of days are restricted, and one of them is enough. */
  readonly eitherDay: boolean
}

export type CronSchedule = { readonly fields: CronFields } | { readonly everySeconds: number }

interface Field {
  readonly minimum: number
  readonly maximum: number
  readonly names?: readonly string[]
}

interface FieldTimes {
  readonly times: ReadonlySet<number>
  /** `*`, also as one of several parts, but not `*` with a step. */
  readonly isAny: boolean
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const fields: readonly Field[] = [
  { minimum: 0, maximum: 59 },
  { minimum: 0, maximum: 23 },
  { minimum: 1, maximum: 31 },
  { minimum: 1, maximum: 12, names: monthNames },
  { minimum: 0, maximum: 6, names: weekdayNames },
]
const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const every = '@every '

/** The five fields that a descriptor stands for; else the text as it is. */
export const cronLine = (text: string): string => (Object.hasOwn(descriptors, text) ? descriptors[text]! : text)

/** @returns what is wrong with the text, as a text, when it is no schedule */
export function parseCronSchedule(text: string): CronSchedule | string {
  if (text === '') return 'empty spec string'
  if (text.startsWith(every)) return parseInterval(text)
  const expression = cronLine(text)
  if (expression.startsWith('@')) return `unrecognized descriptor: ${text}`
  const parts = expression.split(/\s+/).filter(part => part !== '')
  if (parts.length !== fields.length) return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`
  const parsed: FieldTimes[] = []
  for (const [index, part] of parts.entries()) {
    const field = parseField(part, fields[index]!)
    if (typeof field === 'string') return field
    parsed.push(field)
  }
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = parsed as [
    FieldTimes,
    FieldTimes,
    FieldTimes,
    FieldTimes,
    FieldTimes,
  ]
  return {
    fields: {
      minutes: ascending(minutes),
      hours: ascending(hours),
      daysOfMonth: daysOfMonth.times,
      months: months.times,
      daysOfWeek: daysOfWeek.times,
      eitherDay: !daysOfMonth.isAny && !daysOfWeek.isAny,
    },
  }
}

const ascending = ({ times }: FieldTimes): number[] => [...times].sort((a, b) => a - b)

/** Whole seconds, at least one. */
function parseInterval(text: string): CronSchedule | string {
  const duration = text.slice(every.length)
  const nanoseconds = parseGoDuration(duration)
  return nanoseconds === undefined
    ? `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`
    : { everySeconds: Math.max(1, Number(nanoseconds / 1_000_000_000n)) }
}

function parseField(text: string, field: Field): FieldTimes | string {
  const times = new Set<number>()
  let isAny = false
  for (const part of text.split(',').filter(each => each !== '')) {
    const range = parseRange(part, field)
    if (typeof range === 'string') return range
    for (let time = range.start; time <= range.end; time += range.step) times.add(time)
    isAny ||= range.isAny
  }
  return { times, isAny }
}

interface Steps {
  readonly start: number
  readonly end: number
  readonly step: number
  readonly isAny: boolean
}

/** `5`, `mon`, `1-5`, `*`, each also with a step; a single number with a step goes on to the field's end. */
function parseRange(text: string, field: Field): Steps | string {
  const [range = '', stepText, ...moreSteps] = text.split('/')
  const [low = '', high, ...moreEnds] = range.split('-')
  const isWild = low === '*' || low === '?'
  const start = isWild ? field.minimum : numberOf(low, field)
  if (typeof start === 'string') return start
  if (!isWild && moreEnds.length > 0) return `too many hyphens: ${text}`
  const named = isWild ? field.maximum : high === undefined ? start : numberOf(high, field)
  if (typeof named === 'string') return named
  if (moreSteps.length > 0) return `too many slashes: ${text}`
  const step = stepText === undefined ? 1 : numberOf(stepText)
  if (typeof step === 'string') return step
  const end = stepText !== undefined && high === undefined ? field.maximum : named
  if (start < field.minimum) return `beginning of range (${start}) below minimum (${field.minimum}): ${text}`
  if (end > field.maximum) return `end of range (${end}) above maximum (${field.maximum}): ${text}`
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`
  if (step === 0) return `step of range should be a positive number: ${text}`
  return { start, end, step, isAny: isWild && step === 1 }
}

/** The number, or what is wrong with it. */
function numberOf(
  text: string,
  { minimum, names }: Pick<Field, 'minimum' | 'names'> = { minimum: 0 },
): number | string {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  if (named >= 0) return named + minimum
  const wrong = (why: string): string =>
    `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`
  if (!/^[+-]?\d+$/.test(text)) return wrong('invalid syntax')
  const value = parseInt64(text)
  if (value === undefined) return wrong('value out of range')
  return value < 0n ? `negative number (${value}) not allowed: ${text}` : Number(value)
}
