// Whether an applied configuration fits the schema. Server-side apply refuses unknown fields, wrong types
// and list items without their keys before it looks at anything else, as structured-merge-diff does.
import { ApiError } from '../api-error.ts'
import { isObject, type JsonObject } from '../patch/json-value.ts'
import { keyElement, valueElement } from './compare.ts'
import { pathsOf } from './field-set.ts'
import type { Shape } from './shape.ts'

type ListShape = Extract<Shape, { kind: 'list' }>

export function checkTyped(applied: JsonObject, shape: Shape): void {
  const problems: string[] = []
  check(applied, shape, '', problems)
  if (problems.length === 0) return
  const { namespace = '', name = '' } = (applied.metadata ?? {}) as { namespace?: string; name?: string }
  const text = problems.length === 1 ? problems[0]! : `errors:\n${problems.map(problem => `  ${problem}`).join('\n')}`
  throw new ApiError(
    500,
    '',
    `failed to create typed patch object (${namespace}/${name}; ${String(applied.apiVersion)}, Kind=${String(applied.kind)}): ${text}`,
  )
}

function check(value: unknown, shape: Shape, path: string, problems: string[]): void {
  if (value === null || value === undefined) return
  switch (shape.kind) {
    case 'struct':
      if (!isObject(value)) problems.push(`${path}: expected map, got ${shown(value)}`)
      else checkStruct(value, shape, path, problems)
      break
    case 'map':
      if (!isObject(value)) problems.push(`${path}: expected map, got ${shown(value)}`)
      else for (const key of Object.keys(value)) check(value[key], shape.value, `${path}.${key}`, problems)
      break
    case 'list':
      if (!Array.isArray(value)) problems.push(`${path}: expected list, got ${shown(value)}`)
      else checkList(value, shape, path, problems)
      break
    case 'set':
      if (!Array.isArray(value)) problems.push(`${path}: expected list, got ${shown(value)}`)
      else checkSet(value, path, problems)
      break
    case 'leaf':
      checkLeaf(value, shape.type, path, problems)
      break
    case 'deduced':
  }
}

function checkStruct(
  value: JsonObject,
  shape: Extract<Shape, { kind: 'struct' }>,
  path: string,
  problems: string[],
): void {
  for (const key of Object.keys(value)) {
    const field = shape.fields.get(key)
    if (field === undefined) problems.push(`${path}.${key}: field not declared in schema`)
    else check(value[key], field.shape, `${path}.${key}`, problems)
  }
}

function checkList(list: readonly unknown[], shape: ListShape, path: string, problems: string[]): void {
  const seen = new Set<string>()
  for (const [index, item] of list.entries()) {
    const element = keyElement(item, shape)
    if (element === undefined) {
      problems.push(`${path}: element ${index}: ${missingKey(item, shape)}`)
      continue
    }
    const at = pathsOf({ [element]: {} })[0]!
    if (seen.has(element)) problems.push(`${path}: duplicate entries for key ${at}`)
    seen.add(element)
    check(item, shape.item, path + at, problems)
  }
}

function missingKey(item: unknown, shape: ListShape): string {
  if (!isObject(item)) return `associative list with keys may not have non-map elements`
  const key = shape.keys.find(name => item[name] === undefined && shape.defaults[name] === undefined)
  return `associative list with keys has an element that omits key field ${JSON.stringify(key)} (and doesn't have default value)`
}

function checkSet(list: readonly unknown[], path: string, problems: string[]): void {
  const seen = new Set<string>()
  for (const item of list) {
    const element = valueElement(item)
    if (seen.has(element)) problems.push(`${path}: duplicate entries for key [=${element.slice(2)}]`)
    seen.add(element)
  }
}

const kindOf = (value: unknown): string => (typeof value === 'bigint' ? 'number' : typeof value)

const expected = { string: 'string', number: 'numeric (int or float)', boolean: 'boolean', list: 'list', map: 'map' }

function checkLeaf(
  value: unknown,
  type: Extract<Shape, { kind: 'leaf' }>['type'],
  path: string,
  problems: string[],
): void {
  if (type === 'any') return
  const fits = type === 'list' ? Array.isArray(value) : type === 'map' ? isObject(value) : kindOf(value) === type
  if (!fits) problems.push(`${path}: expected ${expected[type]}, got ${shown(value)}`)
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? `&value.valueUnstructured{Value:${JSON.stringify(value)}}` : JSON.stringify(value)
