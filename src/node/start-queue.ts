// Which sandbox or container is started next when many want to: so many at once as the machine can work on.
// What belongs to a pod that has begun comes first; then each workload has its turn, so that one instance of
// every service runs before the second of any does.

interface Waiting {
  readonly workload: string
  readonly hasBegun: boolean
  readonly begin: () => void
}

export class StartQueue {
  private free: number
  private readonly waiting: Waiting[] = []
  /** Pods begun so far, by workload. */
  private readonly begun = new Map<string, number>()

  constructor(limit: number) {
    this.free = limit
  }

  /** @param workload is what the pod belongs to; `hasBegun`: its sandbox is there */
  async run<T>(workload: string, hasBegun: boolean, work: () => Promise<T>): Promise<T> {
    const turn = new Promise<void>(begin => { this.waiting.push({ workload, hasBegun, begin }) })
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

  private fill(): void {
    while (this.free > 0 && this.waiting.length > 0) {
      const next = this.next()
      this.waiting.splice(this.waiting.indexOf(next), 1)
      this.free -= 1
      if (!next.hasBegun) this.begun.set(next.workload, this.begunOf(next) + 1)
      next.begin()
    }
    if (this.waiting.length === 0) this.begun.clear()
  }

  private next(): Waiting {
    return this.waiting.find(one => one.hasBegun) ?? this.waiting.reduce((best, one) => (this.begunOf(one) < this.begunOf(best) ? one : best))
  }

  private begunOf({ workload }: Waiting): number {
    return this.begun.get(workload) ?? 0
  }
}
