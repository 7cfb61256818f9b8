// Bounds how many parts of a value one step looks at. Values share their parts, so a small expression can make
// one that is far larger to walk through than to make. State of the module, because evaluation is synchronous.
import { CostLimitError } from './cel-error.ts'

let left = Infinity

/** Called for each part of a value that is looked at. */
export function visit(): void {
  left -= 1
  if (left < 0) throw new CostLimitError()
}

/** Runs a step that may look at so many parts; throws CostLimitError when it wants more. */
export function limitWork<T>(most: number, run: () => T): { readonly result: T; readonly visited: number } {
  const outer = left
  left = most
  try {
    const result = run()
    return { result, visited: most - left }
  } finally {
    left = outer
  }
}
