// The one place where rules in CEL (`x-kubernetes-validations`) come in.
import type { FieldError } from '../field-error.ts'
import type { KubeObject } from '../object.ts'
import type { Schema } from './schema.ts'

/** What is wrong with the rules of a schema. */
export function checkRules(_schema: Schema, _path: string): FieldError[] {
  return []
}

export type Rules = (object: KubeObject, old: KubeObject | undefined) => FieldError[]

/** undefined: the schema has no rules. */
export function compileRules(_schema: Schema): Rules | undefined {
  return undefined
}
