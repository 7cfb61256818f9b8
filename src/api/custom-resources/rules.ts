// The one place where rules in CEL (`x-kubernetes-validations`) come in.
import { compileSchemaRules, validateSchemaRules } from '../cel/schema-rules.ts'
import type { FieldError } from '../field-error.ts'
import type { KubeObject } from '../object.ts'
import type { Schema } from './schema.ts'

/** What is wrong with the rules of a schema that is otherwise in order. */
export const checkRules = (schema: Schema, path: string): FieldError[] => validateSchemaRules(schema, path)

export type Rules = (object: KubeObject, old: KubeObject | undefined) => FieldError[]

/** undefined: the schema has no rules. */
export function compileRules(schema: Schema): Rules | undefined {
  const rules = compileSchemaRules(schema)
  return rules && ((object, old) => rules.check(object, old, ''))
}
