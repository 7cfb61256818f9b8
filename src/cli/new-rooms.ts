// Rooms that a command makes for its services: those that it made go with it, those that were there stay.
import type { Target } from './target.ts'

export class NewRooms {
  private readonly target: Pick<Target, 'engine' | 'environment'>
  private readonly made = new Set<string>()

  constructor(target: Pick<Target, 'engine' | 'environment'>) {
    this.target = target
  }

  async prepare(namespaces: readonly string[]): Promise<void> {
    const { engine, environment } = this.target
    for (const namespace of new Set(namespaces))
      if (await engine.prepare({ environment, namespace, service: '' })) this.made.add(namespace)
  }

  /** Unless somebody else's service has moved in meanwhile. */
  async remove(timeLimitSeconds: number): Promise<void> {
    const { engine, environment } = this.target
    const { signal } = new AbortController()
    for (const namespace of this.made) {
      if ((await engine.services(environment, namespace)).length > 0) continue
      await engine.removeRoom(environment, namespace, {
        progress: () => {},
        heldUp: () => {},
        timeLimitSeconds,
        signal,
      })
    }
  }
}
