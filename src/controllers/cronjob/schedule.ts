// When a CronJob is due. Times are epoch milliseconds.
import { Cron } from 'croner'

export interface Schedule {
  /** The first time after the given one; undefined when there is none any more. */
  nextAfter(timeMs: number): number | undefined
}

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** @throws Error for a schedule or a time zone that cannot be understood */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  if (text.startsWith('@every ')) {
    const everyMs = Math.max(
      1000,
      [...text.matchAll(/([0-9.]+)(ns|us|µs|ms|s|m|h)/g)].reduce(
        (sum, [, amount, unit]) => sum + Number(amount) * unitsMs[unit!]!,
        0,
      ),
    )
    return { nextAfter: timeMs => Math.floor((timeMs + everyMs) / 1000) * 1000 }
  }
  // Throws for a zone that does not exist.
  void new Intl.DateTimeFormat('en', { timeZone: timeZone ?? 'UTC' })
  const cron = new Cron(text, { paused: true, timezone: timeZone ?? 'UTC' })
  return { nextAfter: timeMs => nextMatch(cron, new Date(timeMs))?.getTime() }
}

/** The library moves a time that summer time leaves out to the next one there is; Kubernetes leaves it out. */
function nextMatch(cron: Cron, after: Date): Date | undefined {
  let next = cron.nextRun(after)
  while (next !== null && !cron.match(next)) next = cron.nextRun(next)
  return next ?? undefined
}

export interface Due {
  /** The latest time that has come and was not acted on; undefined: none. */
  readonly atMs?: number
  /** How many have come, roughly. */
  readonly missed: number
}

/** @param sinceMs is when it was acted on last, or began */
export function dueSince(schedule: Schedule, sinceMs: number, nowMs: number): Due {
  const first = schedule.nextAfter(sinceMs)
  if (first === undefined || first > nowMs) return { missed: 0 }
  const second = schedule.nextAfter(first)
  if (second === undefined || second > nowMs) return { atMs: first, missed: 1 }
  // Near the end by the usual distance, then time by time: thousands may have been missed.
  const gapMs = second - first
  const missed = Math.floor((nowMs - first) / gapMs) + 1
  let atMs = first
  for (
    let next = schedule.nextAfter(Math.max(first, nowMs - 2 * gapMs - 1));
    next !== undefined && next <= nowMs;
    next = schedule.nextAfter(next)
  )
    atMs = next
  return { atMs, missed }
}
