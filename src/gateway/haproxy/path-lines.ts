// Another path for a request, as lines of a backend; what is behind the path stays. Pure.
// Source: Gateway API, HTTPPathModifier.
import { prefixOf } from '../model/match-order.ts'
import type { PathChange } from '../model/model.ts'
import { plainPath } from '../model/plain-path.ts'
import { literal, quoted } from './quoted.ts'

export function pathLines(change: PathChange | undefined): readonly string[] {
  if (change === undefined) return []
  const value = literal(plainPath(change.value))
  return [`http-request set-path ${quoted(change.kind === 'whole' ? value : moved(change.prefix, value))}`]
}

/** A format: what is behind the prefix is empty or begins with a slash. */
function moved(prefix: string, value: string): string {
  const known = prefixOf(plainPath(prefix)).length
  const start = prefixOf(value)
  return start === '' ? `/%[path,bytes(${known + 1})]` : `${start}%[path,bytes(${known})]`
}
