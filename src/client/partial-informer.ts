// The part of a resource that its user may see, as a view of all of it. What he may see can change with any
// change of the objects: an object is announced as new when it can be seen, and as gone when it goes.
import { keyOf, type KubeObject, type ObjectName } from '../api/object.ts'
import type { Change, Informer } from './client.ts'
import { ObjectIndexes } from './object-index.ts'

export class PartialInformer<T extends KubeObject> implements Informer<T> {
  readonly synced: Promise<void>
  private readonly whole: Informer<T>
  private readonly isVisible: (object: T) => boolean
  private readonly indexes = new ObjectIndexes<T>(listener => this.subscribe(listener))

  constructor(whole: Informer<T>, isVisible: (object: T) => boolean) {
    this.whole = whole
    this.isVisible = isVisible
    this.synced = whole.synced
  }

  get(name: ObjectName): T | undefined {
    const found = this.whole.get(name)
    return found !== undefined && this.isVisible(found) ? found : undefined
  }

  list(namespace?: string): readonly T[] {
    return this.whole.list(namespace).filter(this.isVisible)
  }

  index(name: string, keysOf: (object: T) => readonly string[]): (value: string) => readonly T[] {
    return this.indexes.get(name, keysOf)
  }

  subscribe(listener: (change: Change<T>) => void): () => void {
    const shown = new Set<string>()
    return this.whole.subscribe(change => {
      const key = keyOf(change.object)
      const before = shown.has(key)
      const now = change.type !== 'DELETED' && this.isVisible(change.object)
      if (now) shown.add(key)
      else shown.delete(key)
      if (before && now) listener(change)
      else if (now) listener({ type: 'ADDED', object: change.object })
      else if (before) listener({ type: 'DELETED', object: change.old ?? change.object })
    })
  }
}
