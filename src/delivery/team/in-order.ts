// Works on services in the order of their needs: each as soon as all that it needs are done, side by side otherwise.
export interface Outcome<T> {
  readonly name: string
  /** `waiting`: never begun, because one of its needs failed. */
  readonly state: 'done' | 'failed' | 'waiting'
  readonly value?: T
  readonly error?: Error
}

/** @param needs by name; names that are not among them count as done */
export async function inOrder<T>(
  needs: Readonly<Record<string, readonly string[]>>,
  work: (name: string) => Promise<T>,
): Promise<readonly Outcome<T>[]> {
  const begun = new Map<string, Promise<Outcome<T>>>()
  const begin = (name: string): Promise<Outcome<T>> => {
    let outcome = begun.get(name)
    if (outcome === undefined) {
      outcome = carryOut(name)
      begun.set(name, outcome)
    }
    return outcome
  }
  async function carryOut(name: string): Promise<Outcome<T>> {
    const before = await Promise.all((needs[name] ?? []).filter(need => need in needs).map(begin))
    if (before.some(({ state }) => state !== 'done')) return { name, state: 'waiting' }
    try {
      return { name, state: 'done', value: await work(name) }
    } catch (error) {
      return { name, state: 'failed', error: error as Error }
    }
  }
  return Promise.all(Object.keys(needs).map(begin))
}
