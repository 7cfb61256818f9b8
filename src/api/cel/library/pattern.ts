// Regular expressions of RE2: they take time linear in the text, and know no backreferences. The last few
// hundred are kept compiled.
import { RE2JS, RE2JSException } from 're2js'
import { EvaluationError } from '../cel-error.ts'

const kept = 300
const compiled = new Map<string, Pattern>()

export interface Pattern {
  /** Whether it matches anywhere. */
  test(text: string): boolean
  /** The matches, leftmost first, without overlap. */
  all(text: string, limit: number): string[]
}

/** Throws EvaluationError. */
export function compilePattern(source: string): Pattern {
  const known = compiled.get(source)
  if (known !== undefined) return known
  const pattern = make(source)
  if (compiled.size >= kept) compiled.delete(compiled.keys().next().value!)
  compiled.set(source, pattern)
  return pattern
}

function make(source: string): Pattern {
  try {
    const expression = RE2JS.compile(source)
    return {
      test: text => expression.matcher(text).find(),
      all(text, limit) {
        const found: string[] = []
        const matcher = expression.matcher(text)
        while (found.length < limit && matcher.find()) found.push(matcher.group() ?? '')
        return found
      },
    }
  } catch (error) {
    if (error instanceof RE2JSException)
      throw new EvaluationError(`error parsing regexp: ${error.message.replace(/^error parsing regexp: /, '')}`)
    throw error
  }
}
