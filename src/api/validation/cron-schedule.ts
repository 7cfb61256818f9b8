// Cron expressions as Kubernetes' parser takes them: five fields or a descriptor. Only what is wrong
// with one is of interest here; who runs them parses them.

interface Field {
  readonly minimum: number
  readonly maximum: number
  readonly names?: readonly string[]
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const fields: readonly Field[] = [
  { minimum: 0, maximum: 59 },
  { minimum: 0, maximum: 23 },
  { minimum: 1, maximum: 31 },
  { minimum: 1, maximum: 12, names: months },
  { minimum: 0, maximum: 6, names: weekdays },
]
const descriptors = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])

/** What is wrong with the schedule, or undefined. */
export function cronScheduleProblem(schedule: string): string | undefined {
  if (schedule === '') return 'empty spec string'
  if (schedule.startsWith('@')) return descriptorProblem(schedule)
  const parts = schedule.trim().split(/\s+/)
  if (parts.length !== fields.length) return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`
  for (const [index, part] of parts.entries()) {
    for (const range of part.split(',').filter(text => text !== '')) {
      const problem = rangeProblem(range, fields[index]!)
      if (problem !== undefined) return problem
    }
  }
  return undefined
}

function descriptorProblem(schedule: string): string | undefined {
  if (descriptors.has(schedule)) return undefined
  if (!schedule.startsWith('@every ')) return `unrecognized descriptor: ${schedule}`
  const duration = schedule.slice('@every '.length)
  return /^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$/.test(duration)
    ? undefined
    : `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(duration)}`
}

function rangeProblem(text: string, field: Field): string | undefined {
  const [range = '', step, ...moreSteps] = text.split('/')
  const [low = '', high, ...moreEnds] = range.split('-')
  if (moreEnds.length > 0) return `too many hyphens: ${text}`
  if (moreSteps.length > 0) return `too many slashes: ${text}`
  const wild = low === '*' || low === '?'
  const start = wild ? field.minimum : numberOf(low, field)
  if (typeof start === 'string') return start
  const end = wild
    ? field.maximum
    : high !== undefined
      ? numberOf(high, field)
      : step !== undefined
        ? field.maximum
        : start
  if (typeof end === 'string') return end
  const every = step === undefined ? 1 : numberOf(step, { minimum: 0, maximum: 0 })
  if (typeof every === 'string') return every
  if (start < field.minimum) return `beginning of range (${start}) below minimum (${field.minimum}): ${text}`
  if (end > field.maximum) return `end of range (${end}) above maximum (${field.maximum}): ${text}`
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`
  return every === 0 ? `step of range should be a positive number: ${text}` : undefined
}

/** The number, or what is wrong with it. */
function numberOf(text: string, field: Field): number | string {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1
  if (named >= 0) return named + field.minimum
  if (/^-\d+$/.test(text)) return `negative number (${text}) not allowed: ${text}`
  return /^\+?\d+$/.test(text)
    ? Number(text)
    : `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
}
