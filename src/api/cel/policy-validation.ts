// Whether the expressions of policies and of match conditions compile and are of the types they must be. What
// needs no CEL is checked by the kinds themselves.
import { encodeUtf8 } from '../../lib/text.ts'
import type { FieldError } from '../field-error.ts'
import { duplicate, invalidValue, joinErrors, notSupported, required, tooMany } from '../field-error.ts'
import type {
  AuditAnnotation,
  MatchCondition,
  MutatingAdmissionPolicySpec,
  Mutation,
  ValidatingAdmissionPolicySpec,
  Validation,
  Variable,
} from '../generated/models.ts'
import { checkQualifiedName } from '../validation/formats.ts'
import { each } from '../validation/scalars.ts'
import { AdmissionCompiler, type AdmissionScope, type Compilation } from './admission-expressions.ts'
import { jsonPatchList, mutationExtension, wholeObject } from './mutation-types.ts'
import { bool, nullType, string } from './types.ts'

const mostConditions = 64
const mostAnnotations = 20
const longestValueExpressionBytes = 5 * 1024
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/
const reserved = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
])

export function validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined,
  field: string,
  hasParams: boolean,
): FieldError[] {
  const compiler = new AdmissionCompiler()
  const names = (conditions ?? []).map(({ name }) => name)
  return joinErrors(
    names.length > mostConditions ? [tooMany(field, names.length, mostConditions)] : [],
    each(conditions, field, ({ name = '', expression = '' }: Partial<MatchCondition>, path) =>
      joinErrors(
        expression.trim() === ''
          ? [required(`${path}.expression`)]
          : problemsOf(
              compiler.compile(expression.trim(), { hasParams, hasAuthorizer: true, hasVariables: false }, [bool]),
              expression.trim(),
              `${path}.expression`,
            ),
        name === ''
          ? [required(`${path}.name`)]
          : checkQualifiedName(name).map(problem => invalidValue(`${path}.name`, name, problem)),
      ),
    ),
    names.flatMap((name, index) =>
      name !== undefined && name !== '' && names.indexOf(name) < index
        ? [duplicate(`${field}[${index}].name`, name)]
        : [],
    ),
  )
}

export function validateValidatingPolicyExpressions(name: string, spec: ValidatingAdmissionPolicySpec): FieldError[] {
  const hasParams = spec.paramKind !== undefined
  const hasVariables = (spec.variables ?? []).length > 0
  const compiler = new AdmissionCompiler()
  const [full, limited] = [
    { hasParams, hasAuthorizer: true, hasVariables },
    { hasParams, hasAuthorizer: false, hasVariables },
  ]
  const annotations = spec.auditAnnotations ?? []
  return joinErrors(
    validateMatchConditions(spec.matchConditions, 'spec.matchConditions', hasParams),
    validateVariables(spec.variables, compiler, full),
    each(spec.validations, 'spec.validations', (validation, path) =>
      validateValidation(validation, compiler, { full, limited }, path),
    ),
    annotations.length > mostAnnotations
      ? [
          invalidValue(
            'spec.auditAnnotations',
            annotations,
            `must not have more than ${mostAnnotations} auditAnnotations`,
          ),
        ]
      : [],
    each(annotations, 'spec.auditAnnotations', (annotation, path) =>
      validateAnnotation(annotation, name, compiler, full, path),
    ),
    annotations.flatMap(({ key }, index) =>
      annotations.findIndex(other => other.key === key) < index
        ? [duplicate(`spec.auditAnnotations[${index}].key`, key)]
        : [],
    ),
  )
}

export function validateMutatingPolicyExpressions(spec: MutatingAdmissionPolicySpec): FieldError[] {
  const hasParams = spec.paramKind !== undefined
  const compiler = new AdmissionCompiler({}, mutationExtension)
  const scope = { hasParams, hasAuthorizer: true, hasVariables: true }
  return joinErrors(
    validateMatchConditions(spec.matchConditions, 'spec.matchConditions', hasParams),
    validateVariables(spec.variables, compiler, scope),
    each(spec.mutations, 'spec.mutations', (mutation, path) => validateMutation(mutation, compiler, scope, path)),
  )
}

function validateVariables(
  variables: readonly Variable[] | undefined,
  compiler: AdmissionCompiler,
  scope: AdmissionScope,
): FieldError[] {
  return each(variables, 'spec.variables', ({ name = '', expression = '' }: Partial<Variable>, path) =>
    joinErrors(
      name.trim() === ''
        ? [required(`${path}.name`, 'name is not specified')]
        : identifier.test(name) && !reserved.has(name)
          ? []
          : [invalidValue(`${path}.name`, name, 'name is not a valid CEL identifier')],
      expression.trim() === ''
        ? [required(`${path}.expression`, 'expression is not specified')]
        : problemsOf(compiler.addVariable(name, expression, scope), expression, `${path}.expression`),
    ),
  )
}

function validateValidation(
  { expression = '', message = '', messageExpression = '', reason }: Partial<Validation>,
  compiler: AdmissionCompiler,
  { full, limited }: { full: AdmissionScope; limited: AdmissionScope },
  path: string,
): FieldError[] {
  return joinErrors(
    expression.trim() === ''
      ? [required(`${path}.expression`, 'expression is not specified')]
      : problemsOf(compiler.compile(expression, full, [bool]), expression, `${path}.expression`),
    messageExpression === ''
      ? []
      : messageExpression.trim() === ''
        ? [invalidValue(`${path}.messageExpression`, messageExpression, 'must be non-empty if specified')]
        : problemsOf(
            compiler.compile(messageExpression, limited, [string]),
            messageExpression,
            `${path}.messageExpression`,
          ),
    message !== '' && message.trim() === ''
      ? [invalidValue(`${path}.message`, message, 'message must be non-empty if specified')]
      : [],
    /[\n\r]/.test(message.trim())
      ? [invalidValue(`${path}.message`, message, 'message must not contain line breaks')]
      : [],
    reason === undefined || reasons.includes(reason) ? [] : [notSupported(`${path}.reason`, reason, reasons)],
  )
}

function validateAnnotation(
  { key = '', valueExpression = '' }: Partial<AuditAnnotation>,
  policyName: string,
  compiler: AdmissionCompiler,
  scope: AdmissionScope,
  path: string,
): FieldError[] {
  const name = `${policyName}/${key}`
  const trimmed = valueExpression.trim()
  const field = `${path}.valueExpression`
  return joinErrors(
    checkQualifiedName(name).map(problem => invalidValue(`${path}.key`, name, problem)),
    trimmed === ''
      ? [required(field, 'valueExpression is not specified')]
      : encodeUtf8(trimmed).length > longestValueExpressionBytes
        ? [required(field, `must not exceed ${longestValueExpressionBytes} bytes in length`)]
        : problemsOf(compiler.compile(trimmed, scope, [string, nullType]), valueExpression, field),
  )
}

function validateMutation(
  { patchType, applyConfiguration, jsonPatch }: Mutation,
  compiler: AdmissionCompiler,
  scope: AdmissionScope,
  path: string,
): FieldError[] {
  const isApply = patchType === 'ApplyConfiguration'
  const expression = ((isApply ? applyConfiguration?.expression : jsonPatch?.expression) ?? '').trim()
  if (expression === '') return []
  return problemsOf(
    compiler.compile(expression, scope, [isApply ? wholeObject : jsonPatchList]),
    expression,
    `${path}.${isApply ? 'applyConfiguration' : 'jsonPatch'}.expression`,
  )
}

const problemsOf = (compilation: Compilation, expression: string, field: string): FieldError[] =>
  'problem' in compilation ? [invalidValue(field, expression, compilation.problem)] : []
