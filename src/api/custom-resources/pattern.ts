// Patterns come from clients, so they are RE2: matched in linear time, with Go's syntax and messages.
import { RE2JS } from 're2js'
import { errorText } from '../../lib/error-text.ts'

export interface Pattern {
  /** Whether it occurs anywhere in the text. */
  test(text: string): boolean
}

const compiled = new Map<string, Pattern | string>()
const remembered = 500

/** The pattern, or what is wrong with it. */
export function compilePattern(source: string): Pattern | string {
  let known = compiled.get(source)
  if (known === undefined) {
    if (compiled.size >= remembered) compiled.clear()
    known = compile(source)
    compiled.set(source, known)
  }
  return known
}

function compile(source: string): Pattern | string {
  try {
    return RE2JS.compile(source)
  } catch (error) {
    return errorText(error)
  }
}
