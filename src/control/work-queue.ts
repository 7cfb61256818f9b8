// The queue of one control loop: a key is in it at most once, never worked on twice at the same time,
// and comes back by itself after a failure (with back-off) or when the work asked for it. Work starts in
// a microtask, so that the changes of one moment become one run.
import { BackOff } from '../lib/back-off.ts'
import type { Clock, Timer } from '../lib/clock.ts'

export type Outcome = 'done' | { readonly requeueAfterMs: number }

export interface WorkQueueOptions {
  readonly clock: Clock
  readonly concurrency: number
  /** Throwing means: try again later. */
  readonly work: (key: string) => Promise<Outcome>
  /** Told about every failure, with the wait that follows. */
  readonly failed: (key: string, error: unknown, retryAfterMs: number) => void
  readonly initialBackOffMs?: number
  readonly maximumBackOffMs?: number
}

export class WorkQueue {
  private readonly options: WorkQueueOptions
  private readonly backOff: BackOff<string>
  private readonly waiting = new Set<string>()
  private readonly active = new Set<string>()
  private readonly again = new Set<string>()
  private readonly timers = new Map<string, { timer: Timer; dueMs: number }>()
  private state: 'paused' | 'running' | 'stopped' = 'paused'
  private pumping = false
  private drained: (() => void) | undefined

  constructor(options: WorkQueueOptions) {
    this.options = options
    this.backOff = new BackOff({
      initialMs: options.initialBackOffMs ?? 5,
      maximumMs: options.maximumBackOffMs ?? 60_000,
    })
  }

  add(key: string): void {
    if (this.state === 'stopped') return
    if (this.active.has(key)) this.again.add(key)
    else this.waiting.add(key)
    this.pumpSoon()
  }

  /** Adds the key later; the earliest of several wishes counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.state === 'stopped') return
    if (delayMs <= 0) return this.add(key)
    const dueMs = this.options.clock.now() + delayMs
    const planned = this.timers.get(key)
    if (planned !== undefined && planned.dueMs <= dueMs) return
    planned?.timer.cancel()
    const timer = this.options.clock.after(delayMs, () => {
      this.timers.delete(key)
      this.add(key)
    })
    this.timers.set(key, { timer, dueMs })
  }

  /** Keys added before are worked on from now on. */
  start(): void {
    if (this.state === 'paused') this.state = 'running'
    this.pumpSoon()
  }

  /** Nothing new starts; resolves when what runs has ended. */
  stop(): Promise<void> {
    this.state = 'stopped'
    this.waiting.clear()
    this.again.clear()
    for (const { timer } of this.timers.values()) timer.cancel()
    this.timers.clear()
    if (this.active.size === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.drained = resolve
    })
  }

  private pumpSoon(): void {
    if (this.pumping || this.state !== 'running') return
    this.pumping = true
    queueMicrotask(() => {
      this.pumping = false
      this.pump()
    })
  }

  private pump(): void {
    for (const key of this.waiting) {
      if (this.state !== 'running' || this.active.size >= this.options.concurrency) return
      this.waiting.delete(key)
      this.active.add(key)
      void this.run(key)
    }
  }

  private async run(key: string): Promise<void> {
    try {
      const outcome = await this.options.work(key)
      this.backOff.forget(key)
      if (outcome !== 'done') this.addAfter(key, Math.max(1, outcome.requeueAfterMs))
    } catch (error) {
      const retryAfterMs = this.backOff.next(key, this.options.clock.now())
      this.options.failed(key, error, retryAfterMs)
      this.addAfter(key, retryAfterMs)
    }
    this.finish(key)
  }

  private finish(key: string): void {
    this.active.delete(key)
    if (this.again.delete(key)) this.waiting.add(key)
    if (this.state !== 'stopped') return this.pumpSoon()
    if (this.active.size === 0) this.drained?.()
  }
}
