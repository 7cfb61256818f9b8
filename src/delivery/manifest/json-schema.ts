// A JSON Schema (draft 7, which the YAML language server knows whole) out of a table of fields, for editors: what may
// stand where, and what it means. What several fields have to agree in, no schema says; `sampan check` does.
import type { Amount, Fields, FieldType, NameMap, Text } from './field.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/** @param id address under which the schema is published */
export const jsonSchema = (fields: Fields, id: string, title: string): JsonSchema => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: id,
  title,
  ...schemaOf(fields, false),
})

function schemaOf(type: FieldType, patch: boolean): JsonSchema {
  const schema = plainSchemaOf(type, patch)
  return patch ? either([schema, { type: 'null' }]) : schema
}

function plainSchemaOf(type: FieldType, patch: boolean): JsonSchema {
  switch (type.type) {
    case 'text':
      return textSchema(type)
    case 'number':
      return amountSchema(type)
    case 'flag':
      return type.only ? { const: true } : { type: 'boolean' }
    case 'choice':
      return { enum: type.values }
    case 'command':
      return { type: ['string', 'array'], minLength: 1, minItems: 1, items: plainText }
    case 'list':
      return {
        type: 'array',
        items: schemaOf(type.items, false),
        ...(type.unique && { uniqueItems: true }),
        ...(type.some && { minItems: 1 }),
      }
    case 'map':
      return mapSchema(type, patch)
    case 'object':
      return objectSchema(type, patch)
  }
}

const either = (options: readonly JsonSchema[]): JsonSchema => (options.length === 1 ? options[0]! : { anyOf: options })

/** YAML takes `3.10` and `true` for something else than texts; here they are texts. */
const plainText: JsonSchema = { type: ['string', 'number', 'boolean'] }

function textSchema({ pattern, expected, below }: Text): JsonSchema {
  if (pattern === undefined) return plainText
  const written = { type: 'string', pattern: pattern.source, description: expected }
  return pattern.test('1') || pattern.test('0.5')
    ? either([written, { type: 'number', ...(below !== undefined && { exclusiveMaximum: below }) }])
    : written
}

function amountSchema({ minimum, maximum, expected, fractions }: Amount): JsonSchema {
  return {
    type: fractions ? 'number' : 'integer',
    ...(Number.isFinite(minimum) && { minimum }),
    ...(Number.isFinite(maximum) && { maximum }),
    description: expected,
  }
}

function mapSchema({ keys, values, keyRule }: NameMap, patch: boolean): JsonSchema {
  return {
    type: 'object',
    propertyNames: { pattern: keys.source, description: keyRule },
    additionalProperties: schemaOf(values, patch),
  }
}

const alternatives = ({ names, required }: NonNullable<Fields['oneOf']>): JsonSchema => {
  if (required) return { oneOf: names.map(name => ({ required: [name] })) }
  const pairs = names.flatMap((name, index) => names.slice(index + 1).map(other => [name, other]))
  return { not: { anyOf: pairs.map(pair => ({ required: pair })) } }
}

function objectSchema(type: Fields, outerPatch: boolean): JsonSchema {
  const { fields, short, switchable, mayBeEmpty, oneOf } = type
  const patch = outerPatch || type.patch === true
  const required = Object.keys(fields).filter(name => fields[name]!.required)
  const written: JsonSchema = {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(fields).map(([name, { is, about }]) => [name, { ...schemaOf(is, patch), description: about }]),
    ),
    additionalProperties: false,
    ...(!patch && required.length > 0 && { required }),
    ...(oneOf !== undefined && !patch && alternatives(oneOf)),
  }
  return either([
    ...(short === undefined ? [] : [schemaOf(short.is, false)]),
    ...(switchable ? [{ type: 'boolean' }] : []),
    ...(mayBeEmpty ? [{ type: 'null' }] : []),
    written,
  ])
}
