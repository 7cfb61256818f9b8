// Which fields differ between two objects, and which fields an object has at all: the two questions
// behind ownership. What is new counts with everything in it; what exists on both sides is looked into.
import { deepEqual, isObject, type JsonObject } from '../patch/json-value.ts'
import { isEmpty, leaf, type FieldSet } from './field-set.ts'
import type { Shape } from './shape.ts'

type Draft = Record<string, FieldSet>

export interface Comparison {
  /** Added or modified. */
  readonly changed: FieldSet
  readonly removed: FieldSet
}

const unknownShape: Shape = { kind: 'deduced' }

/** `k:{"name":"c"}`; undefined when the item lacks a key that has no default. */
export function keyElement(item: unknown, shape: Extract<Shape, { kind: 'list' }>): string | undefined {
  if (!isObject(item)) return undefined
  const { keys, defaults } = shape
  let text = ''
  for (const key of keys) {
    const value = item[key] ?? defaults[key]
    if (value === undefined) return undefined
    text += `${text === '' ? '' : ','}"${key}":${JSON.stringify(value)}`
  }
  return `k:{${text}}`
}

export const valueElement = (value: unknown): string => `v:${JSON.stringify(value)}`

/** Every field of `value`, each map and list itself included: what "added" means. */
function everything(value: unknown, shape: Shape): FieldSet {
  const set: Draft = {}
  collect(value, shape, set, everything)
  if (isEmpty(set)) return leaf
  set['.'] = leaf
  return set
}

/** The fields that whoever applies `value` owns: leaves, empty maps and lists, and elements of lists. */
export function appliedFields(value: unknown, shape: Shape): FieldSet {
  const set: Draft = {}
  collect(value, shape, set, appliedElement)
  return set
}

function appliedElement(value: unknown, shape: Shape, inList: boolean): FieldSet {
  const set = appliedFields(value, shape)
  return inList && !isEmpty(set) ? { '.': leaf, ...set } : set
}

function collect(
  value: unknown,
  shape: Shape,
  set: Draft,
  inner: (value: unknown, shape: Shape, inList: boolean) => FieldSet,
): void {
  if (Array.isArray(value)) {
    if (shape.kind === 'set') for (const item of value) set[valueElement(item)] = leaf
    if (shape.kind !== 'list') return
    for (const item of value) {
      const element = keyElement(item, shape)
      if (element !== undefined) set[element] = inner(item, shape.item, true)
    }
  } else if (isObject(value) && shape.kind !== 'leaf') {
    for (const key in value) set[elementOf(key, shape)] = inner(value[key], shapeIn(key, shape), false)
  }
}

function elementOf(key: string, shape: Shape): string {
  return shape.kind === 'struct' ? (shape.fields.get(key)?.element ?? `f:${key}`) : `f:${key}`
}

export function shapeIn(key: string, shape: Shape): Shape {
  if (shape.kind === 'struct') return shape.fields.get(key)?.shape ?? unknownShape
  return shape.kind === 'map' ? shape.value : unknownShape
}

/** Compares two objects of one shape. */
export function compare(before: JsonObject, after: JsonObject, shape: Shape): Comparison {
  const changed: Draft = {}
  const removed: Draft = {}
  compareMaps(before, after, shape, changed, removed)
  return { changed, removed }
}

function compareMaps(before: JsonObject, after: JsonObject, shape: Shape, changed: Draft, removed: Draft): void {
  for (const key in after) {
    const value = after[key]
    const old = before[key]
    if (old === value) continue
    const element = elementOf(key, shape)
    if (old === undefined) changed[element] = everything(value, shapeIn(key, shape))
    else compareValues(old, value, shapeIn(key, shape), element, changed, removed)
  }
  for (const key in before) {
    if (before[key] !== undefined && after[key] === undefined)
      removed[elementOf(key, shape)] = everything(before[key], shapeIn(key, shape))
  }
}

function compareValues(
  old: unknown,
  value: unknown,
  shape: Shape,
  element: string,
  changed: Draft,
  removed: Draft,
): void {
  if (shape.kind === 'leaf') {
    if (!deepEqual(old, value)) changed[element] = leaf
    return
  }
  const oldIsList = Array.isArray(old)
  const isList = Array.isArray(value)
  const innerChanged: Draft = {}
  const innerRemoved: Draft = {}
  if ((isList || value === null) && (oldIsList || old === null) && (shape.kind === 'list' || shape.kind === 'set')) {
    compareLists(oldIsList ? old : [], isList ? value : [], shape, innerChanged, innerRemoved)
  } else if (
    (isObject(value) || value === null) &&
    (isObject(old) || old === null) &&
    (value !== null || old !== null)
  ) {
    compareMaps(old ?? {}, value ?? {}, shape, innerChanged, innerRemoved)
    if (old === null && isEmpty(innerChanged)) changed[element] = leaf
  } else if (!deepEqual(old, value)) {
    changed[element] = leaf
  }
  if (!isEmpty(innerChanged)) changed[element] = innerChanged
  if (!isEmpty(innerRemoved)) removed[element] = innerRemoved
}

type ListShape = Extract<Shape, { kind: 'list' | 'set' }>

function compareLists(
  before: readonly unknown[],
  after: readonly unknown[],
  shape: ListShape,
  changed: Draft,
  removed: Draft,
): void {
  const old = new Map<string, unknown>()
  for (const item of before) old.set(itemElement(item, shape), item)
  for (const item of after) {
    const element = itemElement(item, shape)
    const known = old.get(element)
    old.delete(element)
    if (known === item) continue
    if (known === undefined) changed[element] = shape.kind === 'list' ? everything(item, shape.item) : leaf
    else if (shape.kind === 'list') compareValues(known, item, shape.item, element, changed, removed)
  }
  for (const [element, item] of old) removed[element] = shape.kind === 'list' ? everything(item, shape.item) : leaf
}

const itemElement = (item: unknown, shape: ListShape): string =>
  shape.kind === 'list' ? (keyElement(item, shape) ?? valueElement(item)) : valueElement(item)
