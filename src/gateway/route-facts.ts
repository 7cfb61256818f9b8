// What people look for in a model: each rule with where its requests come in and what becomes of them. Pure.
import { entranceFacts, openedBy, type EntranceFacts } from './entrance-facts.ts'
import { compareHosts } from './model/find-rule.ts'
import { ruleFacts, type KnownModel, type RuleFacts } from './rule-facts.ts'

export interface RouteFacts extends RuleFacts {
  readonly entrances: readonly EntranceFacts[]
  /** `Ingress`, `Service`, or the Gateways at whose listeners it is. */
  readonly by: readonly string[]
}

/** In the order in which they are tried. What is the same at several entrances is one. */
export function routeFacts(known: KnownModel): readonly RouteFacts[] {
  const facts = known.model.entrances
    .flatMap(entrance => entrance.hosts.map(host => ({ entrance, host, name: host.name })))
    .toSorted(compareHosts)
    .flatMap(({ entrance, host }) =>
      host.rules.map(rule => ({
        rule: ruleFacts(rule, host, entrance, known),
        entrance: entranceFacts(entrance),
        by: openedBy(rule, host, entrance, known),
      })),
    )
  return [...Map.groupBy(facts, ({ rule }) => JSON.stringify(rule)).values()].map(same => ({
    ...same[0]!.rule,
    entrances: unique(same.map(({ entrance }) => entrance)),
    by: unique(same.flatMap(({ by }) => by)),
  }))
}

const unique = <T>(values: readonly T[]): readonly T[] => [
  ...new Map(values.map(value => [JSON.stringify(value), value])).values(),
]
