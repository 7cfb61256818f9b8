// Policies that together ask for more than can be done for one request. Pure.
import { fails } from '../findings.ts'
import { ownerOf } from '../host-rule.ts'
import type { Backend } from '../model.ts'
import { limitsOf, mostLimits } from '../policing.ts'
import type { OwnPolicy } from './policies.ts'

/** Told of each of those that have limits, since none of them is wrong by itself. */
export function withCrowded(own: readonly OwnPolicy[], backends: Iterable<Backend>): readonly OwnPolicy[] {
  const crowded = crowdedLimits(backends)
  return own.map(each => {
    const message = crowded.get(ownerOf(each.policy))
    return message === undefined
      ? each
      : { ...each, findings: [...each.findings, fails('Accepted', 'Conflicted', message)] }
  })
}

/** By owner: what is wrong. */
function crowdedLimits(backends: Iterable<Backend>): ReadonlyMap<string, string> {
  const crowded = new Map<string, string>()
  for (const { handling } of backends) {
    const limiting = (handling.policies ?? []).filter(({ limits = [] }) => limits.length > 0)
    const count = limitsOf(limiting).length
    if (count <= mostLimits) continue
    const all = limiting.map(({ source }) => source).join(', ')
    for (const { source } of limiting)
      crowded.set(
        source,
        `expected at most ${mostLimits} limits for one request, found ${count} of ${all}: nobody is let in there`,
      )
  }
  return crowded
}
