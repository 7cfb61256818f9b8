// An index over a changing set of objects: value → objects. Fed with changes, answers look-ups.
import { keyOf, type KubeObject } from '../api/object.ts'
import type { Change } from './client.ts'

export class ObjectIndex<T extends KubeObject> {
  private readonly byValue = new Map<string, Map<string, T>>()
  private readonly keysOf: (object: T) => readonly string[]

  constructor(keysOf: (object: T) => readonly string[]) {
    this.keysOf = keysOf
  }

  readonly lookUp = (value: string): readonly T[] => {
    const found = this.byValue.get(value)
    return found === undefined ? [] : [...found.values()]
  }

  apply(change: Change<T>): void {
    const key = keyOf(change.object)
    const before = change.type === 'MODIFIED' ? change.old : change.type === 'DELETED' ? change.object : undefined
    if (before !== undefined) for (const value of this.keysOf(before)) this.remove(value, key)
    if (change.type !== 'DELETED') for (const value of this.keysOf(change.object)) this.add(value, key, change.object)
  }

  private add(value: string, key: string, object: T): void {
    const entries = this.byValue.get(value)
    if (entries === undefined) this.byValue.set(value, new Map([[key, object]]))
    else entries.set(key, object)
  }

  private remove(value: string, key: string): void {
    const entries = this.byValue.get(value)
    entries?.delete(key)
    if (entries?.size === 0) this.byValue.delete(value)
  }
}

/** The indexes of one informer by name, each made when it is asked for first and fed by the informer. */
export class ObjectIndexes<T extends KubeObject> {
  private readonly byName = new Map<string, ObjectIndex<T>>()
  private readonly subscribe: (listener: (change: Change<T>) => void) => unknown

  /** @param subscribe tells what there is, then every change */
  constructor(subscribe: (listener: (change: Change<T>) => void) => unknown) {
    this.subscribe = subscribe
  }

  get(name: string, keysOf: (object: T) => readonly string[]): (value: string) => readonly T[] {
    const known = this.byName.get(name)
    if (known !== undefined) return known.lookUp
    const made = new ObjectIndex(keysOf)
    this.byName.set(name, made)
    this.subscribe(change => made.apply(change))
    return made.lookUp
  }
}
