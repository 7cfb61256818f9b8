// The pods that wait for a node: those to be tried now, higher priority first and then in order of
// arrival, those parked until something changes, and those held while room is made for them.
import type { Pod } from '../api/generated/models.ts'
import { keyOf } from '../api/object.ts'
import { priorityOf } from './requirements.ts'

export class PendingPods {
  /** Priority, then key in order of arrival. */
  private readonly ready = new Map<number, Map<string, Pod>>()
  private readonly parked = new Map<string, Pod>()
  private readonly held = new Map<string, { pod: Pod; isWanted: boolean }>()

  add(pod: Pod): void {
    const key = keyOf(pod)
    if (this.held.has(key)) {
      this.held.set(key, { pod, isWanted: true })
      return
    }
    this.parked.delete(key)
    const priority = priorityOf(pod)
    const queue = this.ready.get(priority) ?? new Map<string, Pod>()
    queue.set(key, pod)
    this.ready.set(priority, queue)
  }

  /** A newer state of a waiting pod; its turn stays. */
  refresh(pod: Pod): void {
    const key = keyOf(pod)
    if (this.parked.has(key)) this.parked.set(key, pod)
    const held = this.held.get(key)
    if (held !== undefined) held.pod = pod
    const queue = this.ready.get(priorityOf(pod))
    if (queue?.has(key)) queue.set(key, pod)
  }

  park(pod: Pod): void {
    this.parked.set(keyOf(pod), pod)
  }

  /** Keeps it from being tried until it is released. */
  hold(pod: Pod): void {
    this.held.set(keyOf(pod), { pod, isWanted: false })
  }

  /** @param isWanted it is tried again even if nothing happened meanwhile */
  release(key: string, isWanted = false): void {
    const held = this.held.get(key)
    if (held === undefined) return
    this.held.delete(key)
    if (isWanted || held.isWanted) this.add(held.pod)
    else this.park(held.pod)
  }

  remove(key: string): void {
    this.parked.delete(key)
    this.held.delete(key)
    for (const queue of this.ready.values()) queue.delete(key)
  }

  /** Waiting pods may fit now. */
  retryAll(which: (pod: Pod) => boolean = () => true): void {
    for (const pod of this.parked.values()) if (which(pod)) this.add(pod)
    for (const held of this.held.values()) held.isWanted ||= which(held.pod)
  }

  hasReady(): boolean {
    return this.ready.values().some(queue => queue.size > 0)
  }

  next(): Pod | undefined {
    let highest = -Infinity
    for (const [priority, queue] of this.ready) {
      if (queue.size === 0) this.ready.delete(priority)
      else if (priority > highest) highest = priority
    }
    const queue = this.ready.get(highest)
    const first = queue?.entries().next().value
    if (queue === undefined || first === undefined) return undefined
    queue.delete(first[0])
    return first[1]
  }
}
