// Who gets the requests that several rules ask for in the same words: the oldest of their objects. Pure.
import { compareAges } from './age-order.ts'
import { textOfHost } from './host-names.ts'
import { ownerOf, type HostRule, type Problem } from './host-rule.ts'

export interface SettledRules {
  /** The older ones first. */
  readonly rules: readonly HostRule[]
  readonly problems: readonly Problem[]
}

export function withoutClaims(rules: readonly HostRule[]): SettledRules {
  const takenBy = new Map<string, HostRule>()
  const problems: Problem[] = []
  for (const rule of rules.toSorted((left, right) => compareAges(left.from, right.from))) {
    const key = JSON.stringify([rule.name, rule.rule.match])
    const taken = takenBy.get(key)
    if (taken === undefined) takenBy.set(key, rule)
    else
      problems.push({
        owner: ownerOf(rule.from),
        reason: 'AlreadyTaken',
        message: `${textOf(rule)} is taken by ${taken.from === rule.from ? 'an earlier rule of its own' : `the older ${ownerOf(taken.from)}`}`,
      })
  }
  return { rules: [...takenBy.values()], problems }
}

const textOf = ({ name, rule }: HostRule): string => `${textOfHost(name)}${rule.match.path.value}`
