// Local times of a time zone, out of Intl's tables. Local times are counted as if they were UTC, in
// milliseconds, so that they can be computed with; instants are epoch milliseconds.

const secondMs = 1_000
const dayMs = 24 * 60 * 60 * secondMs
const formats = new Map<string, Intl.DateTimeFormat>()
/** More than there are zones; the letters' case does not count, so one zone has many names. */
const mostFormats = 1_000

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  if (formats.size >= mostFormats) formats.clear()
  formats.set(zone, format)
  return format
}

/**
 * What the clocks of the zone show, as if it were UTC; to the second.
 * @throws RangeError for a zone that does not exist
 */
export function localTime(zone: string, instantMs: number): number {
  if (zone === 'UTC') return instantMs
  const parts: Record<string, string> = {}
  for (const { type, value } of formatOf(zone).formatToParts(instantMs)) parts[type] = value
  const number = (name: string): number => Number(parts[name])
  return Date.UTC(
    number('year'),
    number('month') - 1,
    number('day'),
    number('hour'),
    number('minute'),
    number('second'),
  )
}

/** How far the zone's clocks are ahead of UTC. */
export function zoneOffsetMs(zone: string, instantMs: number): number {
  const wholeMs = Math.floor(instantMs / secondMs) * secondMs
  return localTime(zone, wholeMs) - wholeMs
}

/**
 * The offsets that the zone has around a local day: one, or two when clocks are changed then.
 * @param localMs midnight, when the day begins
 */
export const offsetsAround = (zone: string, localMs: number): number[] => [
  ...new Set([zoneOffsetMs(zone, localMs - dayMs), zoneOffsetMs(zone, localMs + 2 * dayMs)]),
]

/** Whether it is a zone's name in IANA's list; an offset such as +02:00 is none. */
export function isTimeZone(zone: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: zone })
    return /^[A-Za-z]/.test(zone)
  } catch {
    return false
  }
}
