// How a wait of the engine is told to whoever gave the command.
import type { Watch } from '../engine/engine.ts'
import type { Report } from './world.ts'

export const watchOf = (report: Report, timeLimitSeconds: number, signal: AbortSignal): Watch => ({
  progress: text => report.waiting(text),
  heldUp: text => report.note(`waiting: ${text}`),
  timeLimitSeconds,
  signal,
})
