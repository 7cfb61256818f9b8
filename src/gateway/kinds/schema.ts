// The few shapes that the schemas of the Gateway API are made of. Lists are atomic unless they say otherwise.
import type { JSONSchemaProps as Schema, ValidationRule } from '../../api/generated/models.ts'

export const rule = (message: string, expression: string): ValidationRule => ({ message, rule: expression })

/** A copy that has these rules in addition. */
export const ruled = (schema: Schema, ...rules: readonly ValidationRule[]): Schema => ({
  ...schema,
  'x-kubernetes-validations': [...(schema['x-kubernetes-validations'] ?? []), ...rules],
})

export const object = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  type: 'object',
  // An empty list of them is dropped by whoever stores it.
  ...(Object.keys(properties).length > 0 && { properties }),
  ...(required.length > 0 && { required: [...required] }),
})

/** Of these fields each one is required. */
export const whole = (properties: Record<string, Schema>): Schema => object(properties, Object.keys(properties))

export const text = (maxLength: number, minLength = 0): Schema => ({
  type: 'string',
  maxLength,
  ...(minLength > 0 && { minLength }),
})

export const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: [...values] })

export const integer = (minimum: number, maximum?: number): Schema => ({
  type: 'integer',
  format: 'int32',
  minimum,
  ...(maximum !== undefined && { maximum }),
})

export const list = (items: Schema, maxItems: number, minItems = 0): Schema => ({
  type: 'array',
  'x-kubernetes-list-type': 'atomic',
  items,
  maxItems,
  ...(minItems > 0 && { minItems }),
})

export const set = (items: Schema, maxItems: number): Schema => ({
  ...list(items, maxItems),
  'x-kubernetes-list-type': 'set',
})

/** A list in which the values of `key` occur once. */
export const listByKey = (key: string, items: Schema, maxItems: number, minItems = 0): Schema => ({
  ...list(items, maxItems, minItems),
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
})

export const map = (additionalProperties: Schema, maxProperties: number): Schema => ({
  type: 'object',
  additionalProperties,
  maxProperties,
})

/** The words that `kubectl explain` shows. */
export const described = (description: string, schema: Schema): Schema => ({ ...schema, description })

export const withDefault = (schema: Schema, value: unknown): Schema => ({ ...schema, default: value })
