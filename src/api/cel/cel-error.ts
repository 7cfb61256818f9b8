// What can go wrong with an expression: it does not compile, or its evaluation fails, or it costs more than
// it may. Nothing else leaves this folder as an exception.

/** A place in the source and what is wrong there; both counts start at 0. */
export interface Issue {
  readonly offset: number
  readonly message: string
}

/** `message` is in the form of cel-go: a line for the place, the source line, and a caret under it. */
export class CompileError extends Error {
  readonly issues: readonly Issue[]

  constructor(source: string, issues: readonly Issue[]) {
    super(formatIssues(source, issues))
    this.name = 'CompileError'
    this.issues = issues
  }
}

/** The evaluation failed: `no such key: x`, `division by zero`. */
export class EvaluationError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'EvaluationError'
  }
}

/** The evaluation used up what it may cost. Unlike other errors, `||` and `&&` do not absorb it. */
export class CostLimitError extends Error {
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
    this.name = 'CostLimitError'
  }
}

function formatIssues(source: string, issues: readonly Issue[]): string {
  return [...issues]
    .sort((a, b) => a.offset - b.offset)
    .map(issue => formatIssue(source, issue))
    .join('\n')
}

function formatIssue(source: string, { offset, message }: Issue): string {
  const lineStart = source.lastIndexOf('\n', offset - 1) + 1
  const lineEnd = source.indexOf('\n', offset)
  const line = source.slice(lineStart, lineEnd === -1 ? source.length : lineEnd).replaceAll('\t', ' ')
  const row = source.slice(0, lineStart).split('\n').length
  const column = Array.from(source.slice(lineStart, offset)).length
  return `ERROR: <input>:${row}:${column + 1}: ${message}\n | ${line}\n | ${'.'.repeat(column)}^`
}
