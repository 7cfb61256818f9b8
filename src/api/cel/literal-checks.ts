// What can be known of literals before anything runs: patterns, durations and times that are none.
import type { Issue } from './cel-error.ts'
import { EvaluationError } from './cel-error.ts'
import { compilePattern } from './library/pattern.ts'
import { parseDuration, parseTimestamp } from './library/time.ts'
import type { Call, Expression } from './syntax.ts'

export function checkLiterals(root: Expression, issues: Issue[]): void {
  for (const node of nodesOf(root)) if (node.kind === 'call') checkCall(node, issues)
}

function checkCall({ name, target, args }: Call, issues: Issue[]): void {
  const isPattern = name === 'matches' || (target !== undefined && (name === 'find' || name === 'findAll'))
  const argument = isPattern ? args[target === undefined ? 1 : 0] : args[0]
  if (argument?.kind !== 'literal' || typeof argument.value !== 'string') return
  const { value, offset } = argument
  if (isPattern && isBadPattern(value)) issues.push({ offset, message: 'invalid matches argument' })
  if (name === 'duration' && parseDuration(value) === undefined)
    issues.push({ offset, message: 'invalid duration argument' })
  if (name === 'timestamp' && parseTimestamp(value) === undefined)
    issues.push({ offset, message: 'invalid timestamp argument' })
}

function isBadPattern(source: string): boolean {
  try {
    compilePattern(source)
    return false
  } catch (error) {
    if (error instanceof EvaluationError) return true
    throw error
  }
}

/** Every node, parents first; a node that macros repeated comes once. */
export function* nodesOf(root: Expression): Generator<Expression> {
  const seen = new Set<Expression>()
  const open: Expression[] = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    yield node
    open.push(...childrenOf(node))
  }
}

function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'select':
      return [node.operand]
    case 'call':
      return node.target === undefined ? node.args : [node.target, ...node.args]
    case 'list':
      return node.elements.map(({ value }) => value)
    case 'map':
      return node.entries.flatMap(({ key, value }) => [key, value])
    case 'struct':
      return node.fields.map(({ value }) => value)
    case 'comprehension':
      return [node.range, node.initial, node.condition, node.step, node.result]
    case 'literal':
    case 'identifier':
    default:
      return []
  }
}
