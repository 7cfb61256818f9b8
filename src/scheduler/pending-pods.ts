// The pods that wait for a node: those to be tried now, higher priority first and then in order of
// arrival, and those parked until something changes.
import type { Pod } from '../api/generated/models.ts'
import { keyOf } from '../api/object.ts'

export class PendingPods {
  /** Priority, then key in order of arrival. */
  private readonly ready = new Map<number, Map<string, Pod>>()
  private readonly parked = new Map<string, Pod>()

  add(pod: Pod): void {
    const key = keyOf(pod)
    this.parked.delete(key)
    const priority = pod.spec.priority ?? 0
    const queue = this.ready.get(priority) ?? new Map<string, Pod>()
    queue.set(key, pod)
    this.ready.set(priority, queue)
  }

  /** A newer state of a waiting pod; its turn stays. */
  refresh(pod: Pod): void {
    const key = keyOf(pod)
    if (this.parked.has(key)) this.parked.set(key, pod)
    const queue = this.ready.get(pod.spec.priority ?? 0)
    if (queue?.has(key)) queue.set(key, pod)
  }

  park(pod: Pod): void {
    this.parked.set(keyOf(pod), pod)
  }

  remove(key: string): void {
    this.parked.delete(key)
    for (const queue of this.ready.values()) queue.delete(key)
  }

  /** Parked pods may fit now. */
  retryAll(which: (pod: Pod) => boolean = () => true): void {
    for (const pod of this.parked.values()) if (which(pod)) this.add(pod)
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
