// Validates values against the OpenAPI v3 schema of a custom resource. A schema is compiled once into a
// chain of checks for each kind of value. Order, reasons and sentences are those of kube-openapi's
// validator. On updates, findings about a value that did not change are dropped (ratcheting): what was
// accepted once does not stand in the way of other changes.
import type { FieldError } from '../field-error.ts'
import { invalidValue, notSupported, required, tooLong, tooMany } from '../field-error.ts'
import type { Int64 } from '../../lib/int64.ts'
import { deepEqual, getKey, isObject, type JsonObject } from '../patch/json-value.ts'
import { compilePattern } from './pattern.ts'
import { additionalOf, itemsOf, propertiesOf, withChoice, type Schema } from './schema.ts'
import { stringFormat } from './string-formats.ts'

export interface SchemaValidator {
  /**
   * @param old is the value before an update; undefined when there is none
   * @param prefix is put before each finding's field
   */
  validate(value: unknown, old?: unknown, prefix?: string): FieldError[]
}

interface Place {
  /** `spec.ports[0]`, empty at the root. */
  readonly path: string
  readonly old: unknown
}

/** Adds findings; returns how many checks there were, by which the nearest alternative of an anyOf is chosen. */
type Check = (value: unknown, place: Place, found: FieldError[]) => number

type Kind = 'null' | 'string' | 'number' | 'boolean' | 'list' | 'object'

/** Findings that belong to no field in the original. */
const nowhere = ''

export function compileSchema(schema: Schema): SchemaValidator {
  const check = compile(schema)
  return {
    validate(value, old, prefix = '') {
      const found: FieldError[] = []
      check(value, { path: '', old }, found)
      return found.length === 0 ? found : found.map(error => ({ ...error, field: fieldUnder(prefix, error.field) }))
    },
  }
}

function fieldUnder(prefix: string, field: string): string {
  const bare = field.replace(/^\./, '')
  if (bare === '') return prefix === '' ? '<nil>' : prefix
  return prefix === '' ? bare : `${prefix}.${bare}`
}

function kindOf(value: unknown): Kind {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'list'
  const type = typeof value
  if (type === 'bigint') return 'number'
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object'
}

/** Made at first use, so that a large schema costs only what is used of it. */
function later(schema: Schema): Check {
  let made: Check | undefined
  return (value, place, found) => (made ??= compile(schema))(value, place, found)
}

function compile(given: Schema): Check {
  const schema = withChoice(given)
  const type = typeCheck(schema)
  const first = [...type, ...junctorCheck(schema)]
  const choice = enumCheck(schema)
  const chains: Record<Kind, readonly Check[]> = {
    null: [...type, ...choice],
    string: [...first, ...textCheck(schema), ...formatCheck(schema), ...choice],
    number: [...first, ...numberCheck(schema), ...choice],
    boolean: [...first, ...choice],
    list: [...first, ...listCheck(schema), ...choice],
    object: [...first, ...choice, ...objectCheck(schema)],
  }
  return (value, place, found) => {
    const before = found.length
    let count = 1
    for (const check of chains[kindOf(value)]) count += 1 + check(value, place, found)
    if (found.length > before && place.old !== undefined && deepEqual(value, place.old)) found.length = before
    return count
  }
}

const inBody = ({ path }: Place, rest: string): string => `${path} in body ${rest}`
const wrongType = (place: Place, value: unknown, type: string): FieldError => ({
  ...invalidValue(place.path, value, inBody(place, `must be of type ${type}: ${JSON.stringify(value)}`)),
  reason: 'FieldValueTypeInvalid',
})

const typeNames: Readonly<Record<Kind, string>> = {
  null: 'null',
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  list: 'array',
  object: 'object',
}

function typeNameOf(value: unknown): string {
  const kind = kindOf(value)
  return kind === 'number' && (typeof value === 'bigint' || Number.isInteger(value)) ? 'integer' : typeNames[kind]
}

function typeCheck(schema: Schema): Check[] {
  const { type = '', nullable } = schema
  if (type === '') return []
  const format = knownFormat(schema)
  return [
    (value, place, found) => {
      const name = typeNameOf(value)
      if (name === type || (type === 'number' && name === 'integer') || (name === 'null' && nullable === true)) return 0
      const named = format !== undefined && !['null', 'string', 'array'].includes(name)
      found.push(
        named
          ? wrongType(place, name === 'integer' ? 'int64' : name === 'number' ? 'float64' : '', format)
          : wrongType(place, name, type),
      )
      return 0
    },
  ]
}

/** The format where it is one that counts for the type. */
function knownFormat({ type = '', format = '' }: Schema): string | undefined {
  switch (type) {
    case 'integer':
      return ['int32', 'int64'].includes(format) ? format : undefined
    case 'number':
      return ['float', 'double'].includes(format) ? format : undefined
    case '':
    case 'string':
      return stringFormat(format) === undefined ? undefined : format
    default:
      return undefined
  }
}

function junctorCheck({ anyOf = [], oneOf = [], allOf = [], not }: Schema): Check[] {
  return [
    ...(anyOf.length > 0 ? [anyOfCheck(anyOf.map(later))] : []),
    ...(oneOf.length > 0 ? [oneOfCheck(oneOf.map(later))] : []),
    ...(allOf.length > 0 ? [allOfCheck(allOf.map(later))] : []),
    ...(not === undefined ? [] : [notCheck(later(not))]),
  ]
}

const junctorFailed = ({ path }: Place, rest: string): FieldError =>
  invalidValue(nowhere, '', `${JSON.stringify(path)} ${rest}`)

interface Tried {
  readonly found: FieldError[]
  readonly count: number
}

const tryCheck = (check: Check, value: unknown, place: Place): Tried => {
  const found: FieldError[] = []
  return { count: check(value, place, found), found }
}

/** The alternative that came furthest: what it misses is what the client most likely forgot. */
const nearest = (tried: readonly Tried[]): Tried =>
  tried.reduce((best, next) => (next.count > best.count ? next : best))

function anyOfCheck(checks: readonly Check[]): Check {
  return (value, place, found) => {
    const tried: Tried[] = []
    for (const check of checks) {
      const result = tryCheck(check, value, place)
      if (result.found.length === 0) return result.count
      tried.push(result)
    }
    const best = nearest(tried)
    found.push(junctorFailed(place, 'must validate at least one schema (anyOf)'), ...best.found)
    return best.count
  }
}

function oneOfCheck(checks: readonly Check[]): Check {
  return (value, place, found) => {
    const tried = checks.map(check => tryCheck(check, value, place))
    const valid = tried.filter(result => result.found.length === 0)
    if (valid.length === 1) return valid[0]!.count
    const what = valid.length === 0 ? 'Found none valid' : `Found ${valid.length} valid alternatives`
    found.push(junctorFailed(place, `must validate one and only one schema (oneOf). ${what}`))
    if (valid.length > 0) return 0
    const best = nearest(tried)
    found.push(...best.found)
    return best.count
  }
}

function allOfCheck(checks: readonly Check[]): Check {
  return (value, place, found) => {
    const tried = checks.map(check => tryCheck(check, value, place))
    for (const result of tried) found.push(...result.found)
    const valid = tried.filter(result => result.found.length === 0).length
    if (valid < checks.length)
      found.push(junctorFailed(place, `must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`))
    return tried.reduce((sum, result) => sum + result.count, 0)
  }
}

function notCheck(check: Check): Check {
  return (value, place, found) => {
    if (tryCheck(check, value, place).found.length === 0)
      found.push(junctorFailed(place, 'must not validate the schema (not)'))
    return 0
  }
}

/** Characters as Go counts them, which are code points. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}

function textCheck({ maxLength, minLength, pattern = '' }: Schema): Check[] {
  if (maxLength === undefined && minLength === undefined && pattern === '') return []
  const compiled = pattern === '' ? undefined : compilePattern(pattern)
  const problem = (text: string, place: Place): FieldError | undefined => {
    if (maxLength !== undefined && text.length > maxLength && lengthOf(text) > maxLength)
      return tooLong(place.path, Number(maxLength))
    if (minLength !== undefined && lengthOf(text) < minLength)
      return invalidValue(place.path, text, inBody(place, `should be at least ${minLength} chars long`))
    if (typeof compiled === 'string')
      return invalidValue(
        place.path,
        text,
        inBody(place, `should match '${pattern}, but pattern is invalid: ${compiled}'`),
      )
    return compiled === undefined || compiled.test(text)
      ? undefined
      : invalidValue(place.path, text, inBody(place, `should match '${pattern}'`))
  }
  return [
    (value, place, found) => {
      const error = problem(value as string, place)
      if (error !== undefined) found.push(error)
      return 0
    },
  ]
}

function formatCheck(schema: Schema): Check[] {
  const { format = '', type = '' } = schema
  const test = type === '' || type === 'string' ? stringFormat(format) : undefined
  if (test === undefined) return []
  return [
    (value, place, found) => {
      if (!test(value as string)) found.push(wrongType(place, value, format))
      return 0
    },
  ]
}

const int32Limit = 2 ** 31
const int64Limit = 2 ** 63

function numberCheck(schema: Schema): Check[] {
  const { type, multipleOf, maximum, exclusiveMaximum, minimum, exclusiveMinimum } = schema
  const format = knownFormat(schema)
  const limit = type !== 'integer' ? Infinity : format === 'int32' ? int32Limit : int64Limit
  if (multipleOf === undefined && maximum === undefined && minimum === undefined && limit === Infinity) return []
  return [
    (value, place, found) => {
      const number = value as Int64
      const refuse = (rest: string): number => found.push(invalidValue(place.path, number, inBody(place, rest)))
      if (number >= limit || number < -limit)
        found.push(
          invalidValue(
            nowhere,
            '',
            `Checked value must be of type integer ${format === undefined ? '(default format)' : `with format ${format}`} in ${place.path}`,
          ),
        )
      if (multipleOf !== undefined && !isMultiple(Number(number), multipleOf))
        refuse(`should be a multiple of ${multipleOf}`)
      if (maximum !== undefined && (exclusiveMaximum === true ? number >= maximum : number > maximum))
        refuse(`should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`)
      if (minimum !== undefined && (exclusiveMinimum === true ? number <= minimum : number < minimum))
        refuse(`should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`)
      return 0
    },
  ]
}

function isMultiple(number: number, factor: number): boolean {
  const quotient = number / factor
  return factor === 0 || Math.abs(quotient - Math.round(quotient)) < 1e-9
}

function listCheck(schema: Schema): Check[] {
  const { maxItems, minItems, uniqueItems } = schema
  const items = itemsOf(schema)
  const item = items === undefined ? undefined : later(items)
  const oldItem = oldItemFinder(schema)
  return [
    (value, place, found) => {
      const list = value as readonly unknown[]
      let count = 0
      if (item !== undefined)
        for (const [index, one] of list.entries())
          count += item(one, { path: `${place.path}[${index}]`, old: oldItem(place.old, one, index) }, found)
      if (minItems !== undefined && list.length < minItems)
        found.push(invalidValue(place.path, list.length, inBody(place, `should have at least ${minItems} items`)))
      if (maxItems !== undefined && list.length > maxItems)
        found.push(tooMany(place.path, list.length, Number(maxItems)))
      if (
        uniqueItems === true &&
        list.some((one, index) => list.slice(0, index).some(earlier => deepEqual(one, earlier)))
      )
        found.push(invalidValue(place.path, '', inBody(place, "shouldn't contain duplicates")))
      return count
    },
  ]
}

/** Which item of the list before an item is compared with: the one of the same keys, or at the same index. */
function oldItemFinder(schema: Schema): (old: unknown, item: unknown, index: number) => unknown {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  switch (schema['x-kubernetes-list-type']) {
    case 'set':
    case 'atomic':
      return () => undefined
    case 'map':
      return (old, item) =>
        Array.isArray(old) && isObject(item)
          ? (old.find(one => isObject(one) && keys.every(key => deepEqual(one[key], item[key]))) as unknown)
          : undefined
    default:
      return (old, _item, index) => (Array.isArray(old) ? (old[index] as unknown) : undefined)
  }
}

function enumCheck({ enum: values = [] }: Schema): Check[] {
  if (values.length === 0) return []
  const supported = values.map(value => (typeof value === 'string' ? value : JSON.stringify(value)))
  return [
    (value, place, found) => {
      if (!values.some(allowed => deepEqual(allowed, value))) found.push(notSupported(place.path, value, supported))
      return 0
    },
  ]
}

function objectCheck(schema: Schema): Check[] {
  const { maxProperties, minProperties, required: needed = [], additionalProperties } = schema
  const properties = propertiesOf(schema).map(([name, property]) => ({ name, check: later(property) }))
  const regular = new Set(properties.map(({ name }) => name))
  const others = additionalOf(schema)
  const other = others === undefined ? undefined : later(others)
  if (
    maxProperties === undefined &&
    minProperties === undefined &&
    needed.length === 0 &&
    properties.length === 0 &&
    additionalProperties === undefined
  )
    return []
  return [
    (value, place, found) => {
      const object = value as JsonObject
      const names = Object.keys(object)
      if (minProperties !== undefined && names.length < minProperties)
        return (
          found.push(
            invalidValue(place.path, names.length, inBody(place, `should have at least ${minProperties} properties`)),
          ) - found.length
        )
      if (maxProperties !== undefined && names.length > maxProperties)
        return found.push(tooMany(place.path, names.length, Number(maxProperties))) - found.length
      const inside = (name: string, separator = place.path === '' ? '' : '.'): Place => ({
        path: `${place.path}${separator}${name}`,
        old: isObject(place.old) ? getKey(place.old, name) : undefined,
      })
      let count = 0
      if (other !== undefined || additionalProperties === false) {
        for (const name of names) {
          if (regular.has(name)) continue
          if (other === undefined)
            found.push(invalidValue(place.path, name, `${place.path}.${name} in body is a forbidden property`))
          else count += other(object[name], inside(name, '.'), found)
        }
      }
      for (const { name, check } of properties)
        if (Object.hasOwn(object, name)) count += check(object[name], inside(name), found)
      for (const name of needed) if (!Object.hasOwn(object, name)) found.push(required(`${place.path}.${name}`))
      return count
    },
  ]
}
