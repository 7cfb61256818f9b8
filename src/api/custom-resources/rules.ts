// The one place where rules in CEL (`x-kubernetes-validations`) come in.
import { runtimeBudget } from '../cel/environment.ts'
import { compileSchemaRules, validateSchemaRules, type RuleBudget } from '../cel/schema-rules.ts'
import type { FieldError } from '../field-error.ts'
import type { KubeObject } from '../object.ts'
import type { Schema } from './schema.ts'

export type { RuleBudget } from '../cel/schema-rules.ts'

/** What is wrong with the rules of a schema that is otherwise in order. */
export const checkRules = (schema: Schema, path: string): FieldError[] => validateSchemaRules(schema, path)

export const rulesBudget = (): RuleBudget => ({ remaining: runtimeBudget })

/** What a schema's own rules say of a value of it: as one that did not change, then as one that is new. */
export function checkByRules(
  schema: Schema,
  value: unknown,
  { path, isResource, budget }: { path: string; isResource: boolean; budget: RuleBudget },
): FieldError[] {
  const rules = compileSchemaRules(schema, isResource)
  if (rules === undefined) return []
  const again = { ...budget }
  const found = rules.check(value, value, path, { budget })
  if (found.length > 0) return found
  const asNew = rules.check(value, undefined, path, { budget: again })
  budget.remaining = Math.min(budget.remaining, again.remaining)
  return asNew
}

/** @param warn receives what an update did not change and therefore is not refused for */
export type Rules = (object: KubeObject, old: KubeObject | undefined, warn: (text: string) => void) => FieldError[]

/** undefined: the schema has no rules. */
export function compileRules(schema: Schema): Rules | undefined {
  const rules = compileSchemaRules(schema)
  return rules && ((object, old, warn) => rules.check(object, old, '', { warn }))
}
