// The rules that a structural schema puts on its values with `x-kubernetes-validations`: compiled once for a
// definition, checked for every object that is written.
import { encodeUtf8 } from '../../lib/text.ts'
import type { FieldError } from '../field-error.ts'
import { duplicate, forbiddenField, invalidValue, required } from '../field-error.ts'
import type { JSONSchemaProps, ValidationRule } from '../generated/models.ts'
import { CostLimitError, EvaluationError } from './cel-error.ts'
import { costOfFailure, runtimeBudget, type CompiledExpression } from './environment.ts'
import { fromJson } from './json-values.ts'
import { parseFieldPath } from './rule-field-path.ts'
import { compileRule, type CompiledRule } from './rule-compiler.ts'
import { schemaOf, schemaType, type SchemaType } from './schema-type.ts'
import { deepEqual } from '../patch/json-value.ts'
import { Optional, type Value } from './values.ts'

export { validateSchemaRules } from './rule-definitions.ts'

/** What the rules of one object may still cost; below zero, none is evaluated any more. */
export interface RuleBudget {
  remaining: number
}

export interface SchemaRules {
  /** @param path of the value; empty at the root of an object */
  check(value: unknown, oldValue: unknown, path: string, options?: CheckOptions): FieldError[]
}

export interface CheckOptions {
  /** 10,000,000 units when absent. */
  readonly budget?: RuleBudget
  /** Receives what an update did not change and therefore is not refused for; without it, everything is refused. */
  readonly warn?: (text: string) => void
}

/**
 * Undefined when there is no rule anywhere.
 * @param isResource whether the values are whole objects
 */
export function compileSchemaRules(schema: JSONSchemaProps, isResource = true): SchemaRules | undefined {
  const node = nodeOf(schema, schema, isResource)
  return node === undefined
    ? undefined
    : {
        check(value, oldValue, path, { budget = { remaining: runtimeBudget }, warn } = {}) {
          const errors: FieldError[] = []
          new Check(budget, errors, warn).visit(node, value, {
            path,
            old: oldValue ?? undefined,
            correlated: oldValue !== undefined && oldValue !== null,
            unchanged: () => false,
          })
          return errors
        },
      }
}

/** The rules of one place in a schema, and those below it. */
interface RuleNode {
  readonly type: SchemaType
  readonly typeName: string
  readonly rules: readonly CompiledRule[]
  readonly paths: readonly string[]
  readonly properties: ReadonlyMap<string, RuleNode>
  readonly additional: RuleNode | undefined
  readonly items: RuleNode | undefined
  readonly listKeys: readonly string[] | undefined
  readonly isAtomicMap: boolean
  readonly allOf: readonly RuleNode[]
}

/**
 * @param rules where rules are looked for: the schema itself, or a part of its allOf
 * @param schema what the values are
 */
function nodeOf(rules: JSONSchemaProps, schema: JSONSchemaProps, isResource: boolean): RuleNode | undefined {
  if (!hasRules(rules)) return undefined
  const type = schemaType(schema, isResource)
  if (type === undefined) return undefined
  const below = (part: unknown, of: unknown): RuleNode | undefined => {
    const [partSchema, ofSchema] = [schemaOf(part), schemaOf(of)]
    return partSchema === undefined || ofSchema === undefined
      ? undefined
      : nodeOf(partSchema, ofSchema, ofSchema['x-kubernetes-embedded-resource'] === true)
  }
  const own = rules['x-kubernetes-validations'] ?? []
  return {
    type,
    typeName: schema.type ?? '',
    rules: own.map(rule => compileRule(rule, type)),
    paths: own.map(({ fieldPath }) => normalizedPath(fieldPath, schema)),
    properties: new Map(
      Object.entries(rules.properties ?? {}).flatMap(([name, part]) => {
        const node = below(part, schema.properties?.[name])
        return node === undefined ? [] : [[name, node] as const]
      }),
    ),
    additional: below(rules.additionalProperties, schema.additionalProperties),
    items: below(rules.items, schema.items),
    listKeys: schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined,
    isAtomicMap: schema['x-kubernetes-map-type'] === 'atomic',
    allOf: (rules.allOf ?? []).flatMap(part => nodeOf(part, schema, isResource) ?? []),
  }
}

function hasRules(schema: JSONSchemaProps): boolean {
  const parts = [
    ...Object.values(schema.properties ?? {}),
    schemaOf(schema.additionalProperties),
    schemaOf(schema.items),
    ...(schema.allOf ?? []),
  ]
  return (
    (schema['x-kubernetes-validations'] ?? []).length > 0 || parts.some(part => part !== undefined && hasRules(part))
  )
}

function normalizedPath(fieldPath: string | undefined, schema: JSONSchemaProps): string {
  if (!fieldPath) return ''
  const parsed = parseFieldPath(fieldPath, schema)
  return 'path' in parsed ? parsed.path : ''
}

interface Place {
  readonly path: string
  readonly old: unknown
  /** Whether `old` is known to be the same part of the old object. */
  readonly correlated: boolean
  /** Whether it, or where it has no counterpart what is around it, is as it was before. */
  readonly unchanged: () => boolean
}

class Check {
  private readonly budget: RuleBudget
  private readonly errors: FieldError[]
  private readonly warn: CheckOptions['warn']

  constructor(budget: RuleBudget, errors: FieldError[], warn: CheckOptions['warn']) {
    this.budget = budget
    this.errors = errors
    this.warn = warn
  }

  visit(node: RuleNode, value: unknown, place: Place): void {
    if (value === null || value === undefined) return
    const unchanged = place.correlated ? once(() => deepEqual(value, place.old)) : place.unchanged
    if (node.rules.length > 0 && !this.applyRules(node, value, { ...place, unchanged })) return
    for (const part of node.allOf) {
      this.visit(part, value, { ...place, correlated: false })
      if (this.budget.remaining < 0) return
    }
    if (Array.isArray(value)) this.visitItems(node, value, { ...place, unchanged })
    else if (typeof value === 'object')
      this.visitProperties(node, value as Readonly<Record<string, unknown>>, { ...place, unchanged })
  }

  private visitItems({ items, listKeys }: RuleNode, values: readonly unknown[], { path, old, unchanged }: Place): void {
    if (items === undefined) return
    const oldItems =
      listKeys === undefined || !Array.isArray(old)
        ? undefined
        : new Map(old.map(item => [keyOf(item, listKeys), item as unknown]))
    for (const [index, value] of values.entries()) {
      const oldItem = oldItems?.get(keyOf(value, listKeys ?? []))
      this.visit(items, value, {
        path: `${path}[${index}]`,
        old: oldItem,
        correlated: oldItem !== undefined,
        unchanged,
      })
      if (this.budget.remaining < 0) return
    }
  }

  private visitProperties(
    node: RuleNode,
    value: Readonly<Record<string, unknown>>,
    { path, old, unchanged }: Place,
  ): void {
    const oldObject =
      node.isAtomicMap || typeof old !== 'object' || old === null
        ? undefined
        : (old as Readonly<Record<string, unknown>>)
    for (const [name, part] of Object.entries(value)) {
      const property = node.properties.get(name)
      const below = node.additional ?? property
      if (below === undefined) continue
      const oldPart = oldObject !== undefined && Object.hasOwn(oldObject, name) ? oldObject[name] : undefined
      this.visit(below, part, {
        path: node.additional === undefined ? joined(path, name) : `${path}[${name}]`,
        old: oldPart ?? undefined,
        correlated: oldPart !== undefined,
        unchanged,
      })
      if (this.budget.remaining < 0) return
    }
  }

  /** False when nothing more may be evaluated. */
  private applyRules(node: RuleNode, value: unknown, place: Place): boolean {
    if (this.budget.remaining <= 0) return this.stop(node, place, outOfBudget)
    const self = fromJson(value, node.type)
    const oldSelf = place.old === undefined ? undefined : fromJson(place.old, node.type)
    for (const [index, compiled] of node.rules.entries()) {
      if (compiled.expression === undefined) {
        this.errors.push(
          invalidValue(shownPath(place.path), node.typeName, `rule compile error: ${compiled.problem ?? ''}`),
        )
        continue
      }
      const isOptional = compiled.rule.optionalOldSelf === true
      if (compiled.usesOldSelf && oldSelf === undefined && !isOptional) continue
      const old = isOptional ? (oldSelf === undefined ? Optional.none : new Optional(oldSelf)) : oldSelf
      const variables = (name: string): Value => (name === 'self' ? self : (old ?? noOldSelf()))
      if (
        !this.applyRule(
          node,
          { compiled, expression: compiled.expression, fieldPath: node.paths[index]! },
          variables,
          place,
        )
      )
        return false
    }
    return true
  }

  private applyRule(
    node: RuleNode,
    { compiled, expression, fieldPath }: { compiled: CompiledRule; expression: CompiledExpression; fieldPath: string },
    variables: (name: string) => Value,
    place: Place,
  ): boolean {
    const report = (detail: string): void => {
      this.errors.push(invalidValue(shownPath(place.path), node.typeName, detail))
    }
    const { rule } = compiled
    let holds: Value = null
    try {
      const { value, cost } = expression.evaluate(variables)
      if (!this.pay(cost)) return this.stop(node, place, outOfBudget)
      holds = value
    } catch (error) {
      if (!this.pay(costOfFailure(error))) return this.stop(node, place, outOfBudget)
      if (error instanceof CostLimitError)
        return this.stop(
          node,
          place,
          `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`,
        )
      if (!(error instanceof EvaluationError)) throw error
      report(
        error.message.startsWith('no such overload')
          ? `'${error.message}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`
          : `${error.message} evaluating rule: ${ruleText(rule)}`,
      )
      return true
    }
    if (holds === true) return true
    const message = compiled.message === undefined ? undefined : this.evaluateMessage(compiled.message, variables)
    const path = shownPath([place.path, fieldPath].filter(part => part !== '').join('.'))
    const failed =
      typeof message === 'object'
        ? invalidValue(path, node.typeName, message.stop)
        : withReason(rule.reason, path, node.typeName, message ?? defaultMessage(rule))
    if (this.warn !== undefined && !compiled.usesOldSelf && place.unchanged())
      this.warn(`${failed.field}: ${failed.message}`)
    else this.errors.push(failed)
    if (typeof message !== 'object') return true
    this.budget.remaining = -1
    return false
  }

  /** Undefined when the expression gives no usable message; an object when nothing more may be evaluated. */
  private evaluateMessage(
    expression: CompiledExpression,
    variables: (name: string) => Value,
  ): string | undefined | { stop: string } {
    try {
      const { value, cost } = expression.evaluate(variables)
      if (!this.pay(cost))
        return {
          stop: 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run',
        }
      const text = typeof value === 'string' ? value.trim() : ''
      return text === '' || encodeUtf8(text).length > longestMessageBytes || text.includes('\n') ? undefined : text
    } catch (error) {
      if (error instanceof CostLimitError)
        return {
          stop: `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(expression.source)}`,
        }
      if (!(error instanceof EvaluationError)) throw error
      this.pay(costOfFailure(error))
      return undefined
    }
  }

  private pay(cost: number): boolean {
    if (cost > this.budget.remaining) return false
    this.budget.remaining -= cost
    return true
  }

  private stop(node: RuleNode, { path }: Place, detail: string): false {
    this.errors.push(invalidValue(shownPath(path), node.typeName, detail))
    this.budget.remaining = -1
    return false
  }
}

/** Only a message can ask for it then. */
function noOldSelf(): never {
  throw new EvaluationError('no such attribute(s): oldSelf')
}

function once(compute: () => boolean): () => boolean {
  let known: boolean | undefined
  return () => (known ??= compute())
}

const outOfBudget = 'validation failed due to running out of cost budget, no further validation rules will be run'
const longestMessageBytes = 5 * 1024

const joined = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)
/** Kubernetes shows the root of an object so. */
const shownPath = (path: string): string => (path === '' ? '<nil>' : path)
const keyOf = (item: unknown, keys: readonly string[]): string =>
  JSON.stringify(keys.map(key => (item as Readonly<Record<string, unknown>> | null)?.[key]))
const ruleText = ({ rule, message }: ValidationRule): string => (message || rule).trim()
const defaultMessage = ({ rule, message }: ValidationRule): string =>
  message ? message.trim() : `failed rule: ${rule.trim()}`

function withReason(reason: string | undefined, path: string, typeName: string, detail: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbiddenField(path, detail)
    case 'FieldValueRequired':
      return required(path, detail)
    case 'FieldValueDuplicate':
      return duplicate(path, typeName)
    default:
      return invalidValue(path, typeName, detail)
  }
}
