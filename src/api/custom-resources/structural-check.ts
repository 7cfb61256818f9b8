// Whether a schema is structural: every field's type is said once, outside of allOf, anyOf, oneOf and not,
// so that pruning and defaulting need no guessing. Rules and wording: apiextensions-apiserver
// pkg/apiserver/schema.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import { isObject } from '../patch/json-value.ts'
import { each } from '../validation/scalars.ts'
import { compilePattern } from './pattern.ts'
import {
  additionalOf,
  isEmbedded,
  isIntOrString,
  isIntOrStringChoice,
  itemsOf,
  preservesUnknown,
  propertiesOf,
  propertyOf,
  type Schema,
} from './schema.ts'

type Level = 'root' | 'item' | 'field'

const withoutType: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

/** @param path of the schema, `spec.validation.openAPIV3Schema` */
export function checkStructural(schema: Schema, path: string): FieldError[] {
  const text = ({ field, message }: FieldError): string => `${field}: ${message}`
  return joinErrors(invariants(schema, 'root', path), junctorsComplete(schema, schema, path, path)).sort((a, b) =>
    text(a) < text(b) ? -1 : 1,
  )
}

function invariants(schema: Schema, level: Level, path: string): FieldError[] {
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  return joinErrors(
    schema.type === 'array' && schema.items === undefined ? [required(`${path}.items`, 'must be specified')] : [],
    items === undefined ? [] : invariants(items, 'item', `${path}.items`),
    propertiesOf(schema).flatMap(([name, property]) => invariants(property, 'field', `${path}.properties[${name}]`)),
    schema.additionalProperties !== undefined && level === 'root'
      ? [forbiddenField(`${path}.additionalProperties`, 'must not be used at the root')]
      : [],
    additional === undefined ? [] : invariants(additional, 'field', `${path}.additionalProperties`),
    extensionsAgree(schema, path),
    junctors(schema, path, isIntOrString(schema)),
    typeGiven(schema, level, path),
    metadataUntouched(schema, level, path),
  )
}

function extensionsAgree(schema: Schema, path: string): FieldError[] {
  if (!isIntOrString(schema)) return []
  const detail = 'must be false if x-kubernetes-int-or-string is true'
  return joinErrors(
    preservesUnknown(schema) ? [invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, true, detail)] : [],
    isEmbedded(schema) ? [invalidValue(`${path}.x-kubernetes-embedded-resource`, true, detail)] : [],
  )
}

function typeGiven(schema: Schema, level: Level, path: string): FieldError[] {
  const { type = '' } = schema
  const field = `${path}.type`
  const found: FieldError[] = []
  if (isEmbedded(schema) && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true'
    found.push(type === '' ? required(field, detail) : invalidValue(field, type, detail))
  } else if (type === '' && !isIntOrString(schema) && !preservesUnknown(schema))
    found.push(required(field, withoutType[level]))
  if (isEmbedded(schema) && schema.additionalProperties !== undefined)
    found.push(
      forbiddenField(`${path}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'),
    )
  if (level === 'root' && type !== '' && type !== 'object')
    found.push(invalidValue(field, type, 'must be object at the root'))
  return found
}

function metadataUntouched(schema: Schema, level: Level, path: string): FieldError[] {
  const isObjectRoot = level === 'root' || isEmbedded(schema)
  const textual = (name: string): FieldError[] => {
    const property = propertyOf(schema, name)
    return isObjectRoot && property !== undefined && property.type !== 'string'
      ? [invalidValue(`${path}.properties[${name}].type`, property.type ?? '', 'must be string')]
      : []
  }
  const metadata = propertyOf(schema, 'metadata')
  const field = `${path}.properties[metadata]`
  return joinErrors(
    textual('kind'),
    textual('apiVersion'),
    metadata !== undefined && isObjectRoot && metadata.type !== 'object'
      ? [invalidValue(`${field}.type`, metadata.type ?? '', 'must be object')]
      : [],
    metadata !== undefined && level === 'root' && restrictsMore(metadata)
      ? [
          forbiddenField(
            field,
            'must not specify anything other than name and generateName, but metadata is implicitly specified',
          ),
        ]
      : [],
    isEmbedded(schema) && !preservesUnknown(schema) && propertiesOf(schema).length === 0
      ? [
          required(
            `${path}.properties`,
            'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
          ),
        ]
      : [],
  )
}

function restrictsMore({ type: _type, default: _default, properties = {}, ...rest }: Schema): boolean {
  return (
    Object.keys(rest).length > 0 || Object.keys(properties).some(name => name !== 'name' && name !== 'generateName')
  )
}

/** What stands under allOf, anyOf, oneOf and not, and the pattern. */
function junctors(schema: Schema, path: string, choiceAllowed: boolean): FieldError[] {
  const { allOf, anyOf, oneOf, not, pattern } = schema
  const problem = pattern === undefined || pattern === '' ? undefined : compilePattern(pattern)
  return joinErrors(
    choiceAllowed && isIntOrStringChoice(anyOf) ? [] : each(anyOf, `${path}.anyOf`, (inner, at) => nested(inner, at)),
    each(allOf, `${path}.allOf`, (inner, at, index) => nested(inner, at, choiceAllowed && index === 0)),
    each(oneOf, `${path}.oneOf`, (inner, at) => nested(inner, at)),
    not === undefined ? [] : nested(not, `${path}.not`),
    typeof problem === 'string'
      ? [invalidValue(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${problem}`)]
      : [],
  )
}

const mustBeEmpty = ['type', 'title', 'description', 'x-kubernetes-list-map-keys', 'x-kubernetes-validations'] as const
const mustBeFalse = [
  'nullable',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
] as const
const mustBeUndefined = [
  'additionalProperties',
  'default',
  'externalDocs',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
] as const

function nested(schema: Schema, path: string, choiceAllowed = false): FieldError[] {
  const items = itemsOf(schema)
  return joinErrors(
    junctors(schema, path, choiceAllowed),
    items === undefined ? [] : nested(items, `${path}.items`),
    propertiesOf(schema).flatMap(([name, property]) => nested(property, `${path}.properties[${name}]`)),
    mustBeEmpty
      .filter(name => (schema[name] ?? '').length > 0)
      .map(name => forbiddenField(`${path}.${name}`, 'must be empty to be structural')),
    mustBeFalse
      .filter(name => schema[name] === true)
      .map(name => forbiddenField(`${path}.${name}`, 'must be false to be structural')),
    mustBeUndefined
      .filter(name => schema[name] !== undefined)
      .map(name => forbiddenField(`${path}.${name}`, 'must be undefined to be structural')),
    propertyOf(schema, 'metadata') === undefined
      ? []
      : [forbiddenField(`${path}.properties[metadata]`, 'must not be specified in a nested context')],
  )
}

/** Whatever a junctor speaks of must be specified outside of it too. */
function junctorsComplete(rules: Schema, schema: Schema, path: string, rulesPath: string): FieldError[] {
  const { allOf, anyOf, oneOf, not } = rules
  return joinErrors(
    not === undefined ? [] : specified(not, schema, path, `${rulesPath}.not`),
    each(allOf, `${rulesPath}.allOf`, (inner, at) => specified(inner, schema, path, at)),
    each(anyOf, `${rulesPath}.anyOf`, (inner, at) => specified(inner, schema, path, at)),
    each(oneOf, `${rulesPath}.oneOf`, (inner, at) => specified(inner, schema, path, at)),
  )
}

function specified(rules: Schema, schema: Schema | undefined, path: string, rulesPath: string): FieldError[] {
  if (schema === undefined) return [required(path, `because it is defined in ${rulesPath}`)]
  const items = itemsOf(rules)
  const additional = rules.additionalProperties
  return joinErrors(
    junctorsComplete(rules, schema, path, rulesPath),
    items === undefined ? [] : specified(items, itemsOf(schema), `${path}.items`, `${rulesPath}.items`),
    propertiesOf(rules).flatMap(([name, property]) =>
      specified(property, propertyOf(schema, name), `${path}.properties[${name}]`, `${rulesPath}.properties[${name}]`),
    ),
    isObject(additional)
      ? specified(additional, additionalOf(schema), `${path}.additionalProperties`, `${rulesPath}.additionalProperties`)
      : [],
  )
}
