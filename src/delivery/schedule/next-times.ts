// When a timing comes next; for who lists schedules, and for messages.
import { parseSchedule } from '../../lib/cron-times.ts'
import type { Timing } from '../engine/parts.ts'

const minuteMs = 60_000

/**
 * The next times in ascending order, at most so many; fewer when the timing ends, or cron finds none within five years.
 * @param afterMs epoch milliseconds; a time equal to it is not among them
 */
export function nextTimes(timing: Timing, afterMs: number, most: number): number[] {
  return 'cron' in timing ? cronTimes(timing, afterMs, most) : periodicTimes(timing, afterMs, most)
}

function cronTimes({ cron, timeZone }: Extract<Timing, { cron: string }>, afterMs: number, most: number): number[] {
  const schedule = parseSchedule(cron, timeZone)
  const times: number[] = []
  let next = schedule.nextAfter(afterMs)
  while (next !== undefined && times.length < most) {
    times.push(next)
    next = schedule.nextAfter(next)
  }
  return times
}

function periodicTimes(
  { start, everyMinutes, count = Infinity }: Extract<Timing, { start: string }>,
  afterMs: number,
  most: number,
): number[] {
  const startMs = Date.parse(start)
  const periodMs = everyMinutes * minuteMs
  const first = Math.max(0, Math.floor((afterMs - startMs) / periodMs) + 1)
  const length = Math.max(0, Math.min(most, count - first))
  return Array.from({ length }, (_unused, index) => startMs + (first + index) * periodMs)
}
