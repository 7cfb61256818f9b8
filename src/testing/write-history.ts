// What is known about writes to a store that is killed again and again, and what must hold after each
// restart: acknowledged writes are there under their revision, others are there whole or not at all, no
// revision is missing or used twice, and the state is what the events make it.
import type { Entry, Store, StoreEvent } from '../store/store.ts'
import { nameInValue } from './checked-value.ts'
import { eventually } from './eventually.ts'

interface Intention {
  readonly type: 'put' | 'delete'
  readonly key: string
}

export class WriteHistory {
  /** Newest revision of the store that was checked. */
  checkedRevision: number
  acknowledgedWrites = 0
  private readonly prefix: string
  private intentions = new Map<string, Intention>()
  private acknowledged = new Map<number, string>()
  private readonly state = new Map<string, { readonly revision: number; readonly name: string }>()

  constructor(prefix: string, startRevision: number) {
    this.prefix = prefix
    this.checkedRevision = startRevision
  }

  /** `put NAME KEY`, `delete NAME KEY`, `done NAME REVISION`; other lines are ignored. */
  note(line: string): void {
    const [word, name, rest] = line.split(' ') as [string, string, string]
    if (word === 'put' || word === 'delete') this.intentions.set(name, { type: word, key: rest })
    if (word !== 'done') return
    const revision = Number(rest)
    if (!(revision > this.checkedRevision))
      throw new Error(`write ${name} got revision ${revision}, but ${this.checkedRevision} was there before`)
    if (this.acknowledged.has(revision))
      throw new Error(`revision ${revision} was given to ${name} and to ${this.acknowledged.get(revision)}`)
    this.acknowledged.set(revision, name)
    this.acknowledgedWrites++
  }

  /**
   * Resumes a watch where the last check ended and holds what it tells against what was noted.
   * @param everyRevision whether the store counts nothing but these writes
   */
  async check(store: Store, everyRevision = true): Promise<void> {
    const revision = await store.currentRevision()
    const events: StoreEvent[] = []
    const watch = await store.watch(this.prefix, this.checkedRevision, batch => void events.push(...batch))
    const { entries } = await store.range(this.prefix)
    const newest = Math.max(this.checkedRevision, ...entries.map(entry => entry.revision), ...this.acknowledged.keys())
    await eventually(
      `that the watch reaches revision ${newest}`,
      () => newest <= (events.at(-1)?.entry.revision ?? this.checkedRevision),
    )
    watch.close()
    let last = this.checkedRevision
    for (const event of events) {
      if (event.entry.revision <= last || (everyRevision && event.entry.revision !== last + 1))
        throw new Error(`after revision ${last} the watch tells ${event.entry.revision}`)
      last = event.entry.revision
      this.apply(event)
    }
    if (everyRevision && last !== revision)
      throw new Error(`the store is at revision ${revision}, the watch ended at ${last}`)
    for (const [lost, name] of this.acknowledged)
      throw new Error(`write ${name} was acknowledged with revision ${lost} and is gone`)
    this.compare(entries)
    this.checkedRevision = Math.max(last, revision)
    this.intentions = new Map()
  }

  private apply({ type, entry, previousRevision }: StoreEvent): void {
    const { key, revision } = entry
    const before = this.state.get(key)
    if ((before?.revision ?? 0) !== previousRevision)
      throw new Error(
        `the event ${revision} replaces revision ${previousRevision} of ${key}, but the one before was ${before?.revision ?? 0}`,
      )
    const acknowledged = this.acknowledged.get(revision)
    const name = type === 'put' ? nameInValue(entry.value) : (acknowledged ?? this.deletionOf(key))
    const intention = name === undefined ? undefined : this.intentions.get(name)
    if (intention?.type !== type || intention.key !== key)
      throw new Error(`nobody wanted the ${type} of ${key} with revision ${revision}`)
    if (acknowledged !== undefined && acknowledged !== name)
      throw new Error(`revision ${revision} was acknowledged for ${acknowledged} and holds ${name}`)
    this.acknowledged.delete(revision)
    this.intentions.delete(name!)
    if (type === 'put') this.state.set(key, { revision, name: name! })
    else this.state.delete(key)
  }

  private deletionOf(wantedKey: string): string | undefined {
    const waiting = new Set(this.acknowledged.values())
    for (const [name, { type, key }] of this.intentions)
      if (type === 'delete' && key === wantedKey && !waiting.has(name)) return name
    return undefined
  }

  private compare(entries: readonly Entry[]): void {
    const found = entries.map(({ key, revision, value }) => `${key} ${revision} ${nameInValue(value)}`)
    const expected = [...this.state].map(([key, { revision, name }]) => `${key} ${revision} ${name}`).sort()
    if (found.join('\n') !== expected.join('\n'))
      throw new Error(
        `the state is not what the events made it:\n${found.join('\n')}\ninstead of\n${expected.join('\n')}`,
      )
  }
}
