// Which sandbox or container is started next when many want to: so many at once as the machine can work on.
// What belongs to a pod that has begun comes first; then each workload has its turn, so that one instance of
// every service runs before the second of any does. While the first instances still come up, as many as the
// machine has processors, further instances wait for them: they would only take their processors away.
import type { Clock } from '../lib/clock.ts'

interface Waiting {
  readonly pod: StartingPod
  readonly hasBegun: boolean
  readonly begin: () => void
}

export interface StartingPod {
  readonly uid: string
  /** What the pod belongs to; itself when nobody made it. */
  readonly workload: string
}

export interface StartQueueOptions {
  readonly clock: Clock
  readonly processors: number
  /** How many sandboxes and containers start at the same time. */
  readonly limit: number
}

/** Others wait for a first instance no longer than this, from the start of its sandbox. */
const comingUpLimitMs = 1_500

export class StartQueue {
  private readonly options: StartQueueOptions
  private free: number
  private readonly waiting: Waiting[] = []
  /** Pods begun so far, by workload. */
  private readonly begun = new Map<string, number>()
  /** First instances that do not serve yet. */
  private readonly comingUp = new Set<string>()

  constructor(options: StartQueueOptions) {
    this.options = options
    this.free = options.limit
  }

  /** `hasBegun`: the pod's sandbox is there. */
  async run<T>(pod: StartingPod, hasBegun: boolean, work: () => Promise<T>): Promise<T> {
    const turn = new Promise<void>(begin => {
      this.waiting.push({ pod, hasBegun, begin })
    })
    // Whoever asks in the same turn of the event loop is compared with the others.
    setImmediate(() => this.fill())
    await turn
    try {
      return await work()
    } finally {
      this.free += 1
      this.fill()
    }
  }

  /** The pod serves or has ended: nobody waits for it any longer. */
  settled(uid: string): void {
    if (this.comingUp.delete(uid)) this.fill()
  }

  private fill(): void {
    while (this.free > 0) {
      const next = this.next()
      if (next === undefined) break
      this.waiting.splice(this.waiting.indexOf(next), 1)
      this.free -= 1
      if (!next.hasBegun) this.note(next.pod)
      next.begin()
    }
    if (this.waiting.length === 0) this.begun.clear()
  }

  private note({ uid, workload }: StartingPod): void {
    const before = this.begunOf(workload)
    this.begun.set(workload, before + 1)
    if (before > 0) return
    this.comingUp.add(uid)
    this.options.clock.after(comingUpLimitMs, () => this.settled(uid))
  }

  private next(): Waiting | undefined {
    const begun = this.waiting.find(({ hasBegun }) => hasBegun)
    if (begun !== undefined) return begun
    const fewest = this.waiting.reduce<Waiting | undefined>(
      (best, one) =>
        best === undefined || this.begunOf(one.pod.workload) < this.begunOf(best.pod.workload) ? one : best,
      undefined,
    )
    const isHeld =
      fewest !== undefined && this.begunOf(fewest.pod.workload) > 0 && this.comingUp.size >= this.options.processors
    return isHeld ? undefined : fewest
  }

  private begunOf(workload: string): number {
    return this.begun.get(workload) ?? 0
  }
}
