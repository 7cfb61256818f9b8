// The log files of running containers: tells followers when a container starts or ends, and rotates files
// that grew past 10 MiB, keeping five, as Kubernetes does by default.
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Runtime } from '../cri/runtime.ts'
import type { Clock, Timer } from '../lib/clock.ts'

export interface RotationLimits {
  readonly maximumBytes: number
  readonly maximumFiles: number
}

const defaultLimits: RotationLimits = { maximumBytes: 10 << 20, maximumFiles: 5 }
const checkEveryMs = 10_000

export class LogFiles {
  private readonly runtime: Runtime
  private readonly clock: Clock
  private readonly limits: RotationLimits
  /** Container id → log file. */
  private readonly running = new Map<string, string>()
  private readonly listeners = new Map<string, Set<() => void>>()
  private timer: Timer | undefined

  constructor(runtime: Runtime, clock: Clock, limits: RotationLimits = defaultLimits) {
    this.runtime = runtime
    this.clock = clock
    this.limits = limits
  }

  containerChanged(id: string, file: string, running: boolean): void {
    if (running) this.running.set(id, file)
    else this.running.delete(id)
    for (const listener of this.listeners.get(id) ?? []) listener()
    if (running && this.timer === undefined) this.schedule()
  }

  isRunning(id: string): boolean {
    return this.running.has(id)
  }

  onChange(id: string, listener: () => void): () => void {
    const listeners = this.listeners.get(id) ?? new Set()
    this.listeners.set(id, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.listeners.delete(id)
    }
  }

  stop(): void {
    this.timer?.cancel()
    this.running.clear()
    for (const listeners of this.listeners.values()) for (const listener of listeners) listener()
  }

  /** Rotates what is too large now. */
  async rotate(): Promise<void> {
    // A container may end meanwhile, its log gone with it; the next round looks again at what still runs.
    await Promise.all([...this.running].map(([id, file]) => this.rotateOne(id, file).catch(() => {})))
  }

  private schedule(): void {
    this.timer = this.clock.after(checkEveryMs, () => void this.rotateAndSchedule())
  }

  private async rotateAndSchedule(): Promise<void> {
    this.timer = undefined
    await this.rotate()
    if (this.running.size > 0 && this.timer === undefined) this.schedule()
  }

  private async rotateOne(id: string, file: string): Promise<void> {
    const { size } = await stat(file)
    if (size <= this.limits.maximumBytes) return
    const stamp = new Date(this.clock.now()).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
    const rotated = `${file}.${stamp}`
    await rename(file, rotated)
    try {
      await this.runtime.reopenContainerLog(id)
    } catch (error) {
      // The runtime writes on to the old file: under its own name it is looked at again.
      await rename(rotated, file)
      throw error
    }
    const prefix = `${basename(file)}.`
    const old = (await readdir(dirname(file))).filter(name => name.startsWith(prefix)).sort()
    await Promise.all(
      old
        .slice(0, Math.max(0, old.length - (this.limits.maximumFiles - 1)))
        .map(name => rm(join(dirname(file), name), { force: true })),
    )
  }
}
