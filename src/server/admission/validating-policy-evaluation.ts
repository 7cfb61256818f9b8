// One ValidatingAdmissionPolicy against one write. A policy is compiled once, when the first write meets it.
import {
  AdmissionCompiler,
  AdmissionEvaluation,
  OutOfBudget,
  type Compilation,
  type Outcome,
} from '../../api/cel/admission-expressions.ts'
import { bool, nullType, string } from '../../api/cel/types.ts'
import { typeNameOf } from '../../api/cel/values.ts'
import type { AuditAnnotation, ValidatingAdmissionPolicy, Validation } from '../../api/generated/models.ts'
import { encodeUtf8 } from '../../lib/text.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import type { AdmissionRequest, ServerContext } from '../server-context.ts'
import { admissionVariables } from './admission-values.ts'
import { compileMatchConditions, type CompiledMatchConditions } from './match-conditions.ts'

const longestMessageBytes = 5 * 1024
const longestAnnotation = 10 * 1024

interface PolicyFailure {
  readonly message: string
  readonly reason: string
}

interface IndexedFailure extends PolicyFailure {
  /** Which validation it is of; 0 for the policy as a whole. */
  readonly index: number
}

export interface PolicyResult {
  readonly failures: readonly IndexedFailure[]
  readonly annotations: Readonly<Record<string, string>>
  readonly annotationErrors: readonly string[]
}

interface CompiledPolicy {
  readonly conditions: CompiledMatchConditions | undefined
  readonly compiler: AdmissionCompiler
  readonly validations: readonly {
    readonly validation: Validation
    readonly check: Compilation
    readonly message: Compilation | undefined
  }[]
  readonly annotations: readonly { readonly annotation: AuditAnnotation; readonly value: Compilation }[]
}

export interface PolicyCall {
  readonly request: AdmissionRequest
  /** As which the request matched. */
  readonly kind: KindDefinition
  readonly context: ServerContext
  readonly params: KubeObject | undefined
}

const compiled = new WeakMap<ValidatingAdmissionPolicy, CompiledPolicy>()
const nothing: PolicyResult = { failures: [], annotations: {}, annotationErrors: [] }

export function evaluateValidatingPolicy(
  policy: ValidatingAdmissionPolicy,
  { request, kind, context, params }: PolicyCall,
): PolicyResult {
  const { conditions, compiler, validations, annotations } = compiledPolicy(policy)
  const values = admissionVariables(request, kind, context, params)
  const fails = policy.spec.failurePolicy !== 'Ignore'
  const failed = (message: string): IndexedFailure[] => (fails ? [{ message, reason: 'Invalid', index: 0 }] : [])
  const matched = conditions?.evaluate(values)
  if (matched?.error !== undefined) return { ...nothing, failures: failed(matched.error) }
  if (matched?.matches === false) return nothing
  try {
    const evaluation = new AdmissionEvaluation(values, compiler.compiledVariables)
    const outcomes = validations.map(({ check }) => evaluation.evaluate(check))
    const failures = validations.flatMap(({ validation, message }, index) =>
      failureOf(validation, outcomes[index]!, () => messageOf(message, evaluation), failed).map(failure => ({
        ...failure,
        index,
      })),
    )
    return { failures, ...annotate(annotations, new AdmissionEvaluation(values, compiler.compiledVariables), fails) }
  } catch (error) {
    if (error instanceof OutOfBudget) return { ...nothing, failures: failed(error.message) }
    throw error
  }
}

function compiledPolicy(policy: ValidatingAdmissionPolicy): CompiledPolicy {
  const known = compiled.get(policy)
  if (known !== undefined) return known
  const made = compilePolicy(policy)
  compiled.set(policy, made)
  return made
}

function compilePolicy({ spec }: ValidatingAdmissionPolicy): CompiledPolicy {
  const hasParams = spec.paramKind !== undefined
  const [full, limited] = [
    { hasParams, hasAuthorizer: true, hasVariables: true },
    { hasParams, hasAuthorizer: false, hasVariables: true },
  ]
  const compiler = new AdmissionCompiler()
  for (const { name, expression } of spec.variables ?? []) compiler.addVariable(name, expression, full)
  return {
    compiler,
    conditions:
      (spec.matchConditions ?? []).length === 0
        ? undefined
        : compileMatchConditions(spec.matchConditions!, { hasParams, failurePolicy: spec.failurePolicy }),
    validations: (spec.validations ?? []).map(validation => ({
      validation,
      check: compiler.compile(validation.expression, full, [bool]),
      message:
        validation.messageExpression === undefined || validation.messageExpression === ''
          ? undefined
          : compiler.compile(validation.messageExpression, limited, [string]),
    })),
    annotations: (spec.auditAnnotations ?? []).map(annotation => ({
      annotation,
      value: compiler.compile(annotation.valueExpression.trim(), full, [string, nullType]),
    })),
  }
}

function failureOf(
  { expression, message, reason }: Validation,
  outcome: Outcome,
  evaluateMessage: () => string,
  failed: (message: string) => PolicyFailure[],
): PolicyFailure[] {
  if ('error' in outcome) return failed(outcome.error)
  if (outcome.value === true) return []
  let own: string
  try {
    own = evaluateMessage()
  } catch (error) {
    if (error instanceof OutOfBudget) return failed(`failed messageExpression: ${error.message}`)
    throw error
  }
  return [{ message: own || message?.trim() || `failed expression: ${expression.trim()}`, reason: reason ?? 'Invalid' }]
}

/** Empty when there is none that can be used. */
function messageOf(compilation: Compilation | undefined, evaluation: AdmissionEvaluation): string {
  if (compilation === undefined) return ''
  const outcome = evaluation.evaluate(compilation)
  const text = 'value' in outcome && typeof outcome.value === 'string' ? outcome.value.trim() : ''
  return encodeUtf8(text).length > longestMessageBytes || text.includes('\n') ? '' : text
}

function annotate(
  annotations: CompiledPolicy['annotations'],
  evaluation: AdmissionEvaluation,
  fails: boolean,
): Pick<PolicyResult, 'annotations' | 'annotationErrors'> {
  const values: Record<string, string> = {}
  const errors: string[] = []
  for (const {
    annotation: { key, valueExpression },
    value,
  } of annotations) {
    const outcome = evaluation.evaluate(value)
    if ('error' in outcome) {
      if (fails) errors.push(outcome.error)
    } else if (typeof outcome.value === 'string') {
      const text = outcome.value.trim()
      if (text !== '') values[key] = text.slice(0, longestAnnotation)
    } else if (outcome.value !== null) {
      errors.push(
        `valueExpression '${valueExpression}' resulted in unsupported return type: ${typeNameOf(outcome.value)}. Return type must be either string or null.`,
      )
    }
  }
  return { annotations: values, annotationErrors: errors }
}
