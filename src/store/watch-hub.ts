// Hands committed events to those who watch a prefix. Events must be published in revision order.
import type { StoreEvent, StoreWatch } from './store.ts'

type Listener = (events: readonly StoreEvent[]) => void

export class WatchHub {
  private readonly watchers = new Set<{ prefix: string; listener: Listener }>()

  add(prefix: string, listener: Listener): StoreWatch {
    const watcher = { prefix, listener }
    this.watchers.add(watcher)
    return { close: () => void this.watchers.delete(watcher) }
  }

  publish(events: readonly StoreEvent[]): void {
    for (const { prefix, listener } of this.watchers) {
      const mine = events.filter(event => event.entry.key.startsWith(prefix))
      if (mine.length > 0) listener(mine)
    }
  }

  clear(): void {
    this.watchers.clear()
  }
}
