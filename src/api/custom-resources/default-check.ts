// Defaults must fit their own schema and its rules, must not bring fields along that would be pruned, and must
// make valid metadata where they stand in metadata. What is below additionalProperties is not looked at.
// Source: apiextensions-apiserver pkg/apiserver/schema/defaulting/validation.go.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors } from '../field-error.ts'
import { deepEqual } from '../patch/json-value.ts'
import { compileEmbeddedObjects } from './embedded-objects.ts'
import { compilePruner } from './pruning.ts'
import { checkByRules, rulesBudget, type RuleBudget } from './rules.ts'
import { isEmbedded, itemsOf, propertiesOf, type Schema } from './schema.ts'
import { compileSchema } from './schema-validator.ts'

/** The object that a default inside of metadata would stand in. */
type Surround = (value: unknown) => unknown

interface Place {
  readonly path: string
  /** The innermost schema around that is a whole object. */
  readonly root: Schema
  readonly insideMetadata: boolean
  readonly surround: Surround
}

const wholeObject: Surround = value => ({ apiVersion: 'validation/v1', kind: 'Validation', ...(value as object) })
const metadataFields = new Set(['metadata', 'apiVersion', 'kind'])

/** @param schema of a whole resource */
export function checkDefaults(schema: Schema, path: string): FieldError[] {
  const found: FieldError[] = []
  visit(
    { ...schema, 'x-kubernetes-embedded-resource': true },
    { path, root: schema, insideMetadata: false, surround: wholeObject },
    found,
    rulesBudget(),
  )
  return found
}

function visit(schema: Schema, outer: Place, found: FieldError[], budget: RuleBudget): void {
  const embedded = isEmbedded(schema)
  const place = embedded ? { path: outer.path, root: schema, insideMetadata: false, surround: wholeObject } : outer
  if (schema.default !== undefined && schema.default !== null) {
    found.push(...checkDefault(schema, schema.default, place, budget))
    if (budget.remaining < 0) return
  }
  const { path, surround } = place
  const items = itemsOf(schema)
  if (items !== undefined)
    visit(items, { ...place, path: `${path}.items`, surround: value => surround([value]) }, found, budget)
  for (const [name, property] of propertiesOf(schema)) {
    if (budget.remaining < 0) return
    const insideMetadata = place.insideMetadata || (embedded && metadataFields.has(name))
    visit(
      property,
      { ...place, path: `${path}.properties[${name}]`, insideMetadata, surround: value => surround({ [name]: value }) },
      found,
      budget,
    )
  }
}

/** The first sort of problem there is; unknown fields are reported beside. */
function checkDefault(schema: Schema, value: unknown, place: Place, budget: RuleBudget): FieldError[] {
  const path = `${place.path}.default`
  const unpruned =
    place.insideMetadata || deepEqual(compilePruner(schema)(value, '', []), value)
      ? []
      : [invalidValue(path, value, 'must not have unknown fields')]
  const checks = [
    () =>
      place.insideMetadata
        ? metadataProblems(value, place, path)
        : (compileEmbeddedObjects(schema)?.(value, path) ?? []),
    () => compileSchema(schema).validate(value, undefined, path),
    () => checkByRules(schema, value, { path, isResource: schema === place.root, budget }),
  ]
  for (const check of checks) {
    const problems = check()
    if (problems.length > 0) return joinErrors(unpruned, problems)
  }
  return unpruned
}

function metadataProblems(value: unknown, { root, surround }: Place, path: string): FieldError[] {
  const problems = (compileEmbeddedObjects(root)?.(surround(value), '') ?? []).map(
    ({ field, message }) => `${field}: ${message}`,
  )
  if (problems.length === 0) return []
  return [
    invalidValue(
      path,
      value,
      `must result in valid metadata: ${problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`}`,
    ),
  ]
}
