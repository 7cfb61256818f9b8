// What a CustomResourceDefinition's rules must satisfy before they are stored: they compile, their messages
// and field paths make sense, and none of them can cost too much, alone or together.
import type { Int64 } from '../../lib/int64.ts'
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { JSONSchemaProps, ValidationRule } from '../generated/models.ts'
import { estimateCost } from './estimate-cost.ts'
import { compileRule, usesLineBreaks, type CompiledRule } from './rule-compiler.ts'
import { parseFieldPath } from './rule-field-path.ts'
import { schemaOf, schemaType, type SchemaType } from './schema-type.ts'

/** What one rule may cost for all values it can apply to in one object, and all rules of a schema together. */
const costLimit = 10_000_000
const totalCostLimit = 100_000_000
const requestBytes = 3 * 1024 * 1024
const longestMessage = 2048
const mostNamed = 4
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

interface Context {
  readonly costs: { path: string; cost: number }[]
  /** In schema order; compile errors are only of interest when there are none of these. */
  readonly schemaErrors: FieldError[]
  readonly errors: FieldError[]
}

interface Place {
  readonly path: string
  readonly isResource: boolean
  /** How many such values an object can have at most; undefined when nothing bounds it. */
  readonly count: number | undefined
  /** Where, around it, old and new values cannot be told to be the same. */
  readonly uncorrelatable: string | undefined
}

/** @param path of the schema: `spec.validation.openAPIV3Schema` */
export function validateSchemaRules(schema: JSONSchemaProps, path: string): FieldError[] {
  const context: Context = { costs: [], schemaErrors: [], errors: [] }
  visit(schema, { path, isResource: true, count: 1, uncorrelatable: undefined }, context)
  if (context.schemaErrors.length > 0) return context.schemaErrors
  return joinErrors(context.errors, totalCostErrors(context.costs, path))
}

function visit(schema: JSONSchemaProps, place: Place, context: Context): void {
  const { path, count } = place
  const child = (
    part: JSONSchemaProps,
    name: string,
    most: Int64 | undefined,
    uncorrelatable: string | undefined,
  ): void =>
    visit(
      part,
      {
        path: `${path}.${name}`,
        isResource: part['x-kubernetes-embedded-resource'] === true,
        count: count === undefined || most === undefined ? undefined : count * Number(most),
        uncorrelatable: place.uncorrelatable ?? uncorrelatable,
      },
      context,
    )
  const atomic = schema['x-kubernetes-map-type'] === 'atomic' ? path : undefined
  const additional = schemaOf(schema.additionalProperties)
  if (additional !== undefined) child(additional, 'additionalProperties', schema.maxProperties, atomic)
  for (const [name, part] of Object.entries(schema.properties ?? {})) child(part, `properties[${name}]`, 1, atomic)
  const items = schemaOf(schema.items)
  if (items !== undefined)
    child(items, 'items', schema.maxItems, schema['x-kubernetes-list-type'] === 'map' ? undefined : `${path}.items`)
  validateRules(schema, place, context)
}

function validateRules(schema: JSONSchemaProps, place: Place, context: Context): void {
  const rules = schema['x-kubernetes-validations'] ?? []
  if (rules.length === 0) return
  const field = `${place.path}.x-kubernetes-validations`
  for (const [index, rule] of rules.entries())
    context.schemaErrors.push(...ruleTextErrors(rule, `${field}[${index}]`, schema))
  if (context.schemaErrors.length > 0) return
  const type = schemaType(schema, place.isResource)
  if (type === undefined) {
    context.errors.push({
      reason: 'InternalError',
      field,
      message: 'Internal error: internal error: failed to retrieve type information for x-kubernetes-validations',
    })
    return
  }
  for (const [index, rule] of rules.entries())
    validateRule(compileRule(rule, type), type, { ...place, path: `${field}[${index}]` }, context)
}

function ruleTextErrors(rule: ValidationRule, field: string, schema: JSONSchemaProps): FieldError[] {
  const { messageExpression = '', reason, fieldPath = '' } = rule
  const path = fieldPath === '' ? undefined : parseFieldPath(fieldPath, schema)
  return joinErrors(
    messageErrors(rule, field),
    messageExpression !== '' && messageExpression.trim() === ''
      ? [required(`${field}.messageExpression`, 'messageExpression must be non-empty if specified')]
      : [],
    reason !== undefined && !reasons.includes(reason) ? [notSupported(`${field}.reason`, reason, reasons)] : [],
    fieldPath !== '' && fieldPath.trim() === ''
      ? [invalidValue(`${field}.fieldPath`, fieldPath, 'fieldPath must be non-empty if specified')]
      : [],
    usesLineBreaks(fieldPath)
      ? [invalidValue(`${field}.fieldPath`, fieldPath, 'fieldPath must not contain line breaks')]
      : [],
    path !== undefined && 'problem' in path
      ? [invalidValue(`${field}.fieldPath`, fieldPath, `fieldPath must be a valid path: ${path.problem}`)]
      : [],
  )
}

function messageErrors({ rule = '', message = '' }: Partial<ValidationRule>, field: string): FieldError[] {
  if (rule.trim() === '') return [required(`${field}.rule`, 'rule is not specified')]
  if (message !== '' && message.trim() === '')
    return [invalidValue(`${field}.message`, message, 'message must be non-empty if specified')]
  if (message.length > longestMessage)
    return [
      invalidValue(
        `${field}.message`,
        `${message.slice(0, 10)}...`,
        'message must have a maximum length of 2048 characters',
      ),
    ]
  if (usesLineBreaks(message.trim()))
    return [invalidValue(`${field}.message`, message, 'message must not contain line breaks')]
  return usesLineBreaks(rule.trim()) && message.trim() === ''
    ? [required(`${field}.message`, 'message must be specified if rule contains line breaks')]
    : []
}

function validateRule(
  compiled: CompiledRule,
  self: SchemaType,
  { path, count, uncorrelatable }: Place,
  { costs, errors }: Context,
): void {
  const { rule, expression, message, problem, messageProblem } = compiled
  const schemaOfVariable = (): SchemaType => self
  const times = count ?? Math.floor(requestBytes / (self.smallestBytes + 1))
  if (expression !== undefined) {
    const cost = estimateCost(expression.expression, expression.checked, schemaOfVariable) * times
    if (cost > costLimit)
      errors.push(forbiddenField(`${path}.rule`, costMessage('estimated rule cost', cost, costLimit)))
    costs.push({ path: `${path}.rule`, cost })
  }
  if (problem !== undefined) errors.push(invalidValue(`${path}.rule`, shownRule(rule), problem))
  if (messageProblem !== undefined)
    errors.push(invalidValue(`${path}.messageExpression`, shownRule(rule), messageProblem))
  if (message !== undefined) {
    const cost = estimateCost(message.expression, message.checked, schemaOfVariable)
    if (cost > costLimit)
      errors.push(
        forbiddenField(`${path}.messageExpression`, costMessage('estimated messageExpression cost', cost, costLimit)),
      )
    costs.push({ path: `${path}.messageExpression`, cost })
  }
  if (compiled.usesOldSelf && uncorrelatable !== undefined) {
    errors.push(
      invalidValue(
        `${path}.rule`,
        rule.rule,
        `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`,
      ),
    )
  }
}

/** With the names that the rule's fields have inside of Kubernetes. */
const shownRule = ({
  rule,
  message = '',
  messageExpression = '',
  reason,
  fieldPath = '',
  optionalOldSelf,
}: ValidationRule): unknown => ({
  Rule: rule,
  Message: message,
  MessageExpression: messageExpression,
  Reason: reason ?? null,
  FieldPath: fieldPath,
  OptionalOldSelf: optionalOldSelf ?? null,
})

function totalCostErrors(costs: readonly { path: string; cost: number }[], path: string): FieldError[] {
  const total = costs.reduce((sum, { cost }) => sum + cost, 0)
  if (total <= totalCostLimit) return []
  const expensive = costs
    .filter(({ cost }) => cost >= totalCostLimit / 100)
    .sort((a, b) => (b.cost > a.cost ? 1 : b.cost < a.cost ? -1 : 0))
    .slice(0, mostNamed)
  return [
    ...expensive.map(each =>
      forbiddenField(
        each.path,
        'contributed to estimated rule & messageExpression cost total exceeding cost limit for entire OpenAPIv3 schema',
      ),
    ),
    forbiddenField(
      path,
      costMessage(
        'x-kubernetes-validations estimated rule & messageExpression cost total for entire OpenAPIv3 schema',
        total,
        totalCostLimit,
      ),
    ),
  ]
}

function costMessage(name: string, cost: number, limit: number): string {
  const factor = cost / limit
  const shown = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  return `${name} exceeds budget by factor of ${shown} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
