// Regular expressions of users: what they may be, and how they are asked. They have to fit all of a value, as with most
// gateways. Pure. Source: RE2, the common part of what gateways take.
import { RE2JS } from 're2js'

/** undefined: it is one. */
export function patternProblem(text: string): string | undefined {
  try {
    RE2JS.compile(text)
    return undefined
  } catch (error) {
    return `"${text}" is no regular expression (RE2): ${error instanceof Error ? error.message : String(error)}`
  }
}

const compiled = new Map<string, RE2JS>()

export function fitsPattern(text: string, value: string): boolean {
  let pattern = compiled.get(text)
  if (pattern === undefined) {
    if (compiled.size > 1_000) compiled.clear()
    pattern = RE2JS.compile(text)
    compiled.set(text, pattern)
  }
  return pattern.matches(value)
}
