// Match conditions of policies and webhooks: the finest filter, in CEL. Loads CEL: import it (dynamically)
// where the first condition is.
import {
  AdmissionCompiler,
  AdmissionEvaluation,
  OutOfBudget,
  type AdmissionVariables,
  type Compilation,
} from '../../api/cel/admission-expressions.ts'
import { runtimeBudget } from '../../api/cel/environment.ts'
import { bool } from '../../api/cel/types.ts'
import type { MatchCondition } from '../../api/generated/models.ts'

/** What all conditions of one policy or webhook may cost: a quarter of what a request may. */
const budget = runtimeBudget / 4

export interface MatchConditionsResult {
  /** Whether the policy or webhook applies. */
  readonly matches: boolean
  /** Why that could not be found out, when errors count (failurePolicy Fail). */
  readonly error?: string
}

export interface CompiledMatchConditions {
  evaluate(values: AdmissionVariables): MatchConditionsResult
}

export interface MatchConditionsOptions {
  /** Whether `params` may be used: in policies with a paramKind. */
  readonly hasParams: boolean
  readonly failurePolicy: string | undefined
}

/** Never throws: what does not compile fails when it is evaluated. */
export function compileMatchConditions(
  conditions: readonly MatchCondition[],
  { hasParams, failurePolicy }: MatchConditionsOptions,
): CompiledMatchConditions {
  const compiler = new AdmissionCompiler()
  const compiled = conditions.map(({ expression }) =>
    compiler.compile(expression.trim(), { hasParams, hasAuthorizer: true, hasVariables: false }, [bool]),
  )
  return { evaluate: values => evaluate(compiled, values, failurePolicy) }
}

/** All true: it applies. Any false: it does not, whatever the others say. Else errors go by the failure policy. */
function evaluate(
  compiled: readonly Compilation[],
  values: AdmissionVariables,
  failurePolicy: string | undefined,
): MatchConditionsResult {
  const evaluation = new AdmissionEvaluation(values, [], budget)
  const errors: string[] = []
  try {
    for (const condition of compiled) {
      const outcome = evaluation.evaluate(condition)
      if ('error' in outcome) errors.push(outcome.error)
      else if (outcome.value === false) return { matches: false }
    }
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error
    errors.push(error.message)
  }
  if (errors.length === 0) return { matches: true }
  if (failurePolicy === 'Ignore') return { matches: false }
  return { matches: false, error: errors.length === 1 ? errors[0]! : `[${errors.join(', ')}]` }
}
