// Which of several rules takes a request that all of them match: the most telling one. Pure.
// Source: Gateway API, HTTPRouteRule.matches.
import type { PathMatch, Rule } from './model.ts'

const kinds = ['exact', 'pattern', 'prefix'] as const

/** Negative: `left` goes first. Those that are as telling as each other keep their order. */
export function compareRules({ match: left }: Pick<Rule, 'match'>, { match: right }: Pick<Rule, 'match'>): number {
  return (
    comparePaths(left.path, right.path) ||
    Number(right.method !== undefined) - Number(left.method !== undefined) ||
    right.headers.length - left.headers.length ||
    right.query.length - left.query.length
  )
}

const comparePaths = (left: PathMatch, right: PathMatch): number =>
  kinds.indexOf(left.kind) - kinds.indexOf(right.kind) || right.value.length - left.value.length

/** A slash at its end says nothing. */
export const prefixOf = (value: string): string => value.replace(/\/+$/, '')
