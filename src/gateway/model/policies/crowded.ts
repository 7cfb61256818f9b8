// Policies that together ask for more than can be done for one request. Pure.
import type { Problem } from '../host-rule.ts'
import type { Backend } from '../model.ts'
import { limitsOf, mostLimits } from '../policing.ts'

/** Told of each of those that have limits, since none of them is wrong by itself. */
export function crowdedLimits(backends: Iterable<Backend>): readonly Problem[] {
  const problems = new Map<string, Problem>()
  for (const { handling } of backends) {
    const limiting = (handling.policies ?? []).filter(({ limits = [] }) => limits.length > 0)
    const count = limitsOf(limiting).length
    if (count <= mostLimits) continue
    const all = limiting.map(({ source }) => source).join(', ')
    for (const { source } of limiting)
      problems.set(source, {
        owner: source,
        reason: 'TooManyLimits',
        message: `expected at most ${mostLimits} limits for one request, found ${count} of ${all}: nobody is let in there`,
      })
  }
  return [...problems.values()]
}
