// Defaults must fit their own schema, and must not bring fields along that would be pruned.
import type { FieldError } from '../field-error.ts'
import { invalidValue } from '../field-error.ts'
import { deepEqual } from '../patch/json-value.ts'
import { compileListTypes } from './list-types.ts'
import { compilePruner } from './pruning.ts'
import { additionalOf, itemsOf, propertiesOf, type Schema } from './schema.ts'
import { compileSchema } from './schema-validator.ts'

export function checkDefaults(schema: Schema, path: string): FieldError[] {
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  return [
    ...(schema.default === undefined ? [] : checkDefault(schema, schema.default, `${path}.default`)),
    ...propertiesOf(schema).flatMap(([name, property]) => checkDefaults(property, `${path}.properties[${name}]`)),
    ...(items === undefined ? [] : checkDefaults(items, `${path}.items`)),
    ...(additional === undefined ? [] : checkDefaults(additional, `${path}.additionalProperties`)),
  ]
}

function checkDefault(schema: Schema, value: unknown, path: string): FieldError[] {
  const pruned = compilePruner(schema)(value, '', [])
  return [
    ...(deepEqual(pruned, value) ? [] : [invalidValue(path, value, 'must not have unknown fields')]),
    ...compileSchema(schema).validate(value, undefined, path),
    ...(compileListTypes(schema)?.(value, path) ?? []),
  ]
}
