// One rule of `x-kubernetes-validations`, compiled against the type of the value it stands at.
import type { ValidationRule } from '../generated/models.ts'
import { CompileError } from './cel-error.ts'
import { compile, type CompiledExpression } from './environment.ts'
import type { SchemaType } from './schema-type.ts'
import { optionalOf, type CelType } from './types.ts'

export interface CompiledRule {
  readonly rule: ValidationRule
  /** undefined when it does not compile. */
  readonly expression: CompiledExpression | undefined
  readonly message: CompiledExpression | undefined
  /** What is wrong, in the words of Kubernetes. */
  readonly problem: string | undefined
  readonly messageProblem: string | undefined
  /** A rule about a change: it holds where there is no old value. */
  readonly usesOldSelf: boolean
}

interface Attempt {
  readonly expression?: CompiledExpression
  readonly problem?: string
}

export function compileRule(rule: ValidationRule, self: SchemaType): CompiledRule {
  const variables = { self: self.type, oldSelf: rule.optionalOldSelf === true ? optionalOf(self.type) : self.type }
  const main = attempt(rule.rule, variables, 'bool', {
    failed: 'compilation failed: ',
    mistyped: 'cel expression must evaluate to a bool',
  })
  const hasMessage = (rule.messageExpression ?? '').trim() !== ''
  const message: Attempt = hasMessage
    ? attempt(rule.messageExpression!, variables, 'string', {
        failed: 'messageExpression compilation failed: ',
        mistyped: 'messageExpression must evaluate to a string',
      })
    : {}
  return {
    rule,
    expression: main.expression,
    message: message.expression,
    problem: main.problem,
    messageProblem: message.problem,
    usesOldSelf: main.expression?.checked.variables.has('oldSelf') === true,
  }
}

function attempt(
  source: string,
  variables: Readonly<Record<string, CelType>>,
  kind: 'bool' | 'string',
  { failed, mistyped }: { failed: string; mistyped: string },
): Attempt {
  try {
    const expression = compile(source, { variables })
    return expression.type.kind === kind ? { expression } : { problem: mistyped }
  } catch (error) {
    if (error instanceof CompileError) return { problem: failed + error.message }
    throw error
  }
}

export const usesLineBreaks = (text: string): boolean => /[\n\r]/.test(text)
