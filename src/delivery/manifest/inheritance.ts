// Which environments an environment is laid over: the one that it extends, and what that one extends.
import type { Mistake } from './field.ts'
import { suggestion } from './nearest-name.ts'

export interface Chains {
  /** Nearest first, beginning with the environment itself; none for those with a mistake on the way. */
  readonly chains: ReadonlyMap<string, readonly string[]>
  readonly mistakes: readonly Mistake[]
}

/**
 * @param extended by environment, as the file says it
 * @param elsewhere by environment, as another file says it: counts where this one says nothing
 */
export function chainsOf(
  extended: ReadonlyMap<string, string | undefined>,
  elsewhere: ReadonlyMap<string, string | undefined> = new Map(),
): Chains {
  const known = [...new Set([...extended.keys(), ...elsewhere.keys()])]
  const parentOf = (name: string): string | undefined => extended.get(name) ?? elsewhere.get(name)
  const chains = new Map<string, readonly string[]>()
  const mistakes: Mistake[] = []
  for (const name of known) {
    const chain = [name]
    let next = parentOf(name)
    while (next !== undefined && known.includes(next) && !chain.includes(next)) {
      chain.push(next)
      next = parentOf(next)
    }
    if (next === undefined) chains.set(name, chain)
    const mistake = next === undefined || extended.get(name) === undefined ? undefined : mistakeIn(chain, next, known)
    if (mistake !== undefined) mistakes.push({ path: ['environments', name, 'extends'], message: mistake })
  }
  return { chains, mistakes }
}

/** Each environment tells its own mistake, and not those of others on its way. */
function mistakeIn(chain: readonly string[], next: string, known: readonly string[]): string | undefined {
  const [name = ''] = chain
  if (!known.includes(next))
    return chain.length > 1
      ? undefined
      : `expected the name of an environment, found ${JSON.stringify(next)}; ${suggestion(
          next,
          known.filter(other => other !== name),
        )}`
  if (next !== name) return undefined
  return `expected an environment that does not lead back here, found ${[...chain, next].join(' → ')}`
}
