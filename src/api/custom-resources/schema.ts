// How the parts of a CustomResourceDefinition's schema are reached, whatever form a client gave them.
import type { JSONSchemaProps } from '../generated/models.ts'
import { isObject } from '../patch/json-value.ts'

export type Schema = JSONSchemaProps

/** The schema of a list's items; undefined for none, and for the list of schemas that structural schemas forbid. */
export const itemsOf = ({ items }: Schema): Schema | undefined => (isObject(items) ? items : undefined)

/** The schema of a map's values; undefined for none and for plain `true` or `false`. */
export const additionalOf = ({ additionalProperties }: Schema): Schema | undefined =>
  isObject(additionalProperties) ? additionalProperties : undefined

/** In alphabetical order, so that findings come in the same order every time. */
export const propertiesOf = ({ properties = {} }: Schema): [name: string, schema: Schema][] =>
  Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))

export const propertyOf = ({ properties }: Schema, name: string): Schema | undefined =>
  properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined

export const isIntOrString = (schema: Schema): boolean => schema['x-kubernetes-int-or-string'] === true
export const isEmbedded = (schema: Schema): boolean => schema['x-kubernetes-embedded-resource'] === true
export const preservesUnknown = (schema: Schema): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true

const alternatives = [{ type: 'integer' }, { type: 'string' }]

/** `anyOf: [integer, string]`, the one place where a structural schema names types under a junctor. */
export const isIntOrStringChoice = (anyOf: readonly Schema[] | undefined): boolean =>
  JSON.stringify(anyOf) === JSON.stringify(alternatives)

/** What `x-kubernetes-int-or-string` means, spelled out. */
export function withChoice(schema: Schema): Schema {
  if (!isIntOrString(schema) || isIntOrStringChoice(schema.anyOf) || isIntOrStringChoice(schema.allOf?.[0]?.anyOf))
    return schema
  if (schema.anyOf === undefined) return { ...schema, anyOf: alternatives }
  return { ...schema, allOf: [{ anyOf: alternatives }, ...(schema.allOf ?? [])] }
}
