// What judges the objects of one version. CEL and patterns take long to load, so that this comes in with the first object
// that is written, and not with a definition.
import { compileEmbeddedObjects } from './embedded-objects.ts'
import { compileListTypes } from './list-types.ts'
import { compileRules, type Rules } from './rules.ts'
import { propertyOf, type Schema } from './schema.ts'
import { compileSchema, type SchemaValidator } from './schema-validator.ts'

export interface Validators {
  readonly whole: SchemaValidator
  readonly status: SchemaValidator
  readonly embedded: ReturnType<typeof compileEmbeddedObjects>
  readonly lists: ReturnType<typeof compileListTypes>
  readonly rules: Rules | undefined
}

/** @param own is the schema without what all objects have */
export const compileValidators = (schema: Schema, own: Schema): Validators => ({
  whole: compileSchema(schema),
  status: compileSchema(propertyOf(schema, 'status') ?? {}),
  embedded: compileEmbeddedObjects(own),
  lists: compileListTypes(own),
  rules: compileRules(schema),
})
