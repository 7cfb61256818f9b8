// What is asked of several services of a namespace at the same moment is asked of the cluster once: a look at forty
// services costs as many requests as a look at one.
import type { Place } from '../parts.ts'

/** @returns what answers for one of the services */
type AskAll<Answer> = (namespace: string, services: readonly string[]) => Promise<(service: string) => Answer>

export class Together<Answer> {
  private readonly askAll: AskAll<Answer>
  /** By namespace; what is asked before the event loop turns joins. */
  private readonly waiting = new Map<
    string,
    { readonly services: Set<string>; readonly all: ReturnType<AskAll<Answer>> }
  >()

  constructor(askAll: AskAll<Answer>) {
    this.askAll = askAll
  }

  async ask({ namespace, service }: Place): Promise<Answer> {
    let group = this.waiting.get(namespace)
    if (group === undefined) {
      const services = new Set<string>()
      const all = Promise.resolve().then(() => {
        this.waiting.delete(namespace)
        return this.askAll(namespace, [...services])
      })
      group = { services, all }
      this.waiting.set(namespace, group)
    }
    group.services.add(service)
    return (await group.all)(service)
  }
}
