// Whose rules a configuration is refused for: those without which it is taken. Found by halving, since one check says no more
// than whether there is anything wrong.

/** What is told of each begins so. */
export const refusedByHaproxy = 'HAProxy does not take it: '

export interface Refused {
  /** Of one of them: what was said. */
  readonly owner: string
  readonly reason: string
}

/**
 * @param owners in the order in which they came: of several that are only wrong together, the later one is refused
 * @param refusal what is said against all but these; undefined: nothing
 * @throws Error when it is refused without any of them as well
 */
export async function findRefused(
  owners: readonly string[],
  refusal: (without: ReadonlySet<string>) => Promise<string | undefined>,
): Promise<readonly Refused[]> {
  const refused: Refused[] = []
  const without = (kept: readonly string[]): ReadonlySet<string> =>
    new Set(owners.filter(owner => !kept.includes(owner)))
  for (;;) {
    const left = owners.filter(owner => refused.every(each => each.owner !== owner))
    let reason = await refusal(without(left))
    if (reason === undefined) return refused
    // With the first `taken` it is taken, with the first `failing` it is not.
    let taken = 0
    let failing = left.length
    const alone = await refusal(without([]))
    if (alone !== undefined) throw new Error(alone)
    while (failing - taken > 1) {
      const middle = Math.floor((taken + failing) / 2)
      const said = await refusal(without(left.slice(0, middle)))
      if (said === undefined) taken = middle
      else {
        failing = middle
        reason = said
      }
    }
    refused.push({ owner: left[failing - 1]!, reason })
  }
}
