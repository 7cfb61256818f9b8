// What a bench has measured, in milliseconds.
export class Figures {
  readonly all: Record<string, number> = {}

  async timed(what: string, work: () => unknown): Promise<void> {
    const startMs = performance.now()
    await work()
    this.all[what] = Math.round(performance.now() - startMs)
  }
}
