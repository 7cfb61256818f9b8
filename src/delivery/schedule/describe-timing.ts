// A timing in words: "every 30 minutes", "at 06:15 on Monday to Friday (Europe/Kyiv)". What has no short words is told
// as the cron line that it is.
import type { Timing } from '../engine/parts.ts'
import { listed } from '../manifest/nearest-name.ts'

export function describeTiming(timing: Timing): string {
  if (!('cron' in timing)) return describePeriod(timing)
  const words = cronWords(timing.cron) ?? `cron ${timing.cron}`
  return `${words} (${timing.timeZone ?? 'UTC'})`
}

const units = [
  ['week', 7 * 24 * 60],
  ['day', 24 * 60],
  ['hour', 60],
  ['minute', 1],
] as const

function describePeriod({ start, everyMinutes, count }: Extract<Timing, { start: string }>): string {
  const [unit, minutes] = units.find(([, size]) => everyMinutes % size === 0)!
  const number = everyMinutes / minutes
  const period = number === 1 ? `every ${unit}` : `every ${number} ${unit}s`
  const from = start.startsWith('1970-') ? '' : ` from ${start.replace(':00Z', 'Z')}`
  return count === undefined ? `${period}${from}` : `${count === 1 ? 'once' : `${count} times`}, ${period}${from}`
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** undefined: more than a sentence says. */
function cronWords(cron: string): string | undefined {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = cron.split(' ')
  const time = timeWords(minute, hour)
  const date = dateWords(day, month, weekday)
  return time === undefined || date === undefined ? undefined : `${time}${date}`
}

function timeWords(minute: string, hour: string): string | undefined {
  if (hour === '*') {
    if (minute === '*') return 'every minute'
    const step = /^\*\/(\d+)$/.exec(minute)?.[1]
    if (step !== undefined && 60 % Number(step) === 0) return `every ${step} minutes`
    if (minute === '0') return 'every hour'
    return isNumber(minute) ? `at minute ${minute} of every hour` : undefined
  }
  const step = /^\*\/(\d+)$/.exec(hour)?.[1]
  if (minute === '0' && step !== undefined && 24 % Number(step) === 0) return `every ${step} hours`
  const hours = hour.split(',')
  if (!isNumber(minute) || !hours.every(isNumber)) return undefined
  return `at ${listed(
    hours.map(each => `${each.padStart(2, '0')}:${minute.padStart(2, '0')}`),
    'and',
  )}`
}

function dateWords(day: string, month: string, weekday: string): string | undefined {
  if (weekday === '*') {
    if (month === '*' && day === '*') return ''
    if (!isNumber(day)) return undefined
    if (month === '*') return ` on day ${day} of every month`
    const named = month.split(',').map(each => (isNumber(each) ? months[Number(each) - 1] : undefined))
    return named.every(each => each !== undefined) ? ` on day ${day} of ${listed(named, 'and')}` : undefined
  }
  if (day !== '*' || month !== '*') return undefined
  const range = /^([0-6])-([0-6])$/.exec(weekday)
  if (range !== null) return ` on ${weekdays[Number(range[1])]} to ${weekdays[Number(range[2])]}`
  const named = weekday.split(',').map(each => (/^[0-6]$/.test(each) ? weekdays[Number(each)] : undefined))
  return named.every(each => each !== undefined) ? ` on ${listed(named, 'and')}` : undefined
}

const isNumber = (text: string): boolean => /^\d+$/.test(text)
