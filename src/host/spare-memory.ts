// Gives memory back that the server does not need any more: V8 keeps room for new objects as large as a start or
// a busy minute needed it, a tenth of an idle server.
import { getHeapStatistics } from 'node:v8'
import type { Clock, Timer } from '../lib/clock.ts'
import { collectThoroughly } from './collect-garbage.ts'

/**
 * Collecting takes about 4 ms for each megabyte that is in use, during which nothing else runs. What a first start leaves
 * behind counts as well: a third of it, where it installed definitions.
 */
const largestHeapBytes = 48 * 1024 * 1024
const worthwhileBytes = 3 * 1024 * 1024
/** Until the process was quiet for the first time. */
const firstMs = 10_000
const everyMs = 60_000
/** Share of a processor. */
const quietShare = 0.05

export interface SpareMemoryOptions {
  readonly clock: Clock
  /** Shrinks the heap to what is in use. */
  readonly collect?: () => void
  readonly heap?: () => { readonly usedBytes: number; readonly reservedBytes: number }
  /** Processor time of the process so far. */
  readonly processorMs?: () => number
}

/** Looks now and then, and collects when the process is quiet. */
export function giveSpareMemoryBack({
  clock,
  collect = collectThoroughly,
  heap = heapNow,
  processorMs = processorTime,
}: SpareMemoryOptions): { stop(): void } {
  let timer: Timer
  let before = processorMs()
  const wait = (delayMs: number): void => {
    timer = clock.after(delayMs, () => look(delayMs))
  }
  const look = (delayMs: number): void => {
    const used = processorMs() - before
    const { usedBytes, reservedBytes } = heap()
    const quiet = used < delayMs * quietShare
    if (quiet && usedBytes < largestHeapBytes && reservedBytes - usedBytes > worthwhileBytes) collect()
    before = processorMs()
    wait(quiet ? everyMs : delayMs)
  }
  wait(firstMs)
  return { stop: () => timer.cancel() }
}

function heapNow(): { usedBytes: number; reservedBytes: number } {
  const { used_heap_size: usedBytes, total_heap_size: reservedBytes } = getHeapStatistics()
  return { usedBytes, reservedBytes }
}

function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
