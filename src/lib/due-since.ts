// When a CronJob is due. Times are epoch milliseconds.
import type { Schedule } from './cron-times.ts'

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
