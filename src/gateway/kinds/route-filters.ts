// Filters of HTTP and gRPC routes: which types there are, and the field that each type has for itself.
import type { JSONSchemaProps as Schema, ValidationRule } from '../../api/generated/models.ts'
import { backendObjectReference, localReference } from './names-and-references.ts'
import { integer, list, listByKey, object, oneOf, rule, ruled, set, text, whole, withDefault } from './schema.ts'

export const headerName: Schema = { ...text(256, 1), pattern: String.raw`^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$` }

/** A header or parameter that has to be equal to a text or match an expression. */
export const valueMatch = (maxLength: number): Schema =>
  object(
    { type: withDefault(oneOf('Exact', 'RegularExpression'), 'Exact'), name: headerName, value: text(maxLength, 1) },
    ['name', 'value'],
  )

const headers = listByKey('name', whole({ name: headerName, value: text(4096, 1) }), 16)
const headerModifier = object({ set: headers, add: headers, remove: set({ type: 'string' }, 16) })

const fraction = ruled(
  object({ numerator: integer(0), denominator: withDefault(integer(1), 100) }, ['numerator']),
  rule('numerator must be less than or equal to denominator', 'self.numerator <= self.denominator'),
)
const requestMirror = ruled(
  object({ backendRef: backendObjectReference, percent: integer(0, 100), fraction }, ['backendRef']),
  rule(
    'Only one of percent or fraction may be specified in HTTPRequestMirrorFilter',
    '!(has(self.percent) && has(self.fraction))',
  ),
)

/** The filters by their type, those of both kinds of route. */
export const commonFilters: Readonly<Record<string, Schema>> = {
  RequestHeaderModifier: headerModifier,
  ResponseHeaderModifier: headerModifier,
  RequestMirror: requestMirror,
  ExtensionRef: localReference,
}

/** URLRewrite becomes urlRewrite, CORS becomes cors. */
const fieldOf = (type: string): string => type.replace(/^([A-Z]+(?![a-z])|[A-Z])/, initials => initials.toLowerCase())

const fieldFollowsType = (type: string): ValidationRule[] => [
  rule(
    `filter.${fieldOf(type)} must be nil if the filter.type is not ${type}`,
    `!(has(self.${fieldOf(type)}) && self.type != '${type}')`,
  ),
  rule(
    `filter.${fieldOf(type)} must be specified for ${type} filter.type`,
    `!(!has(self.${fieldOf(type)}) && self.type == '${type}')`,
  ),
]

const onlyOnce = (type: string): ValidationRule =>
  rule(`${type} filter cannot be repeated`, `self.filter(f, f.type == '${type}').size() <= 1`)

/** @param unique are the types that may stand in the list once */
export function filterList(
  filters: Readonly<Record<string, Schema>>,
  unique: readonly string[],
  rules: readonly ValidationRule[] = [],
): Schema {
  const types = Object.keys(filters)
  const fields = Object.entries(filters).map(([type, schema]) => [fieldOf(type), schema])
  const filter = ruled(
    object({ type: oneOf(...types), ...Object.fromEntries(fields) }, ['type']),
    ...types.flatMap(fieldFollowsType),
  )
  return ruled(list(filter, 16), ...rules, ...unique.map(onlyOnce))
}
