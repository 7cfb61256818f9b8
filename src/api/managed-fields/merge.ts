// The two halves of an apply: merging the applied configuration into the live object, and removing what
// the applier owned before, applies no more, and nobody else owns.
import { getKey, isObject, setKey, type JsonObject } from '../patch/json-value.ts'
import { keyElement, shapeIn, valueElement } from './compare.ts'
import { isMember, leaf, type FieldSet } from './field-set.ts'
import type { Shape } from './shape.ts'

type ListShape = Extract<Shape, { kind: 'list' }>

/** `live` with `applied` laid over it; unchanged parts are shared. */
export function mergeApplied(live: unknown, applied: unknown, shape: Shape): unknown {
  if (shape.kind === 'leaf' || live === undefined || live === null) return withoutNulls(applied)
  if (shape.kind === 'set' && Array.isArray(live) && Array.isArray(applied))
    return mergeLists(live, applied, valueElement, (_old, item) => item)
  if (shape.kind === 'list' && Array.isArray(live) && Array.isArray(applied)) {
    return mergeLists(
      live,
      applied,
      item => keyElement(item, shape) ?? valueElement(item),
      (old, item) => mergeApplied(old, item, shape.item),
    )
  }
  if (!isObject(live) || !isObject(applied)) return withoutNulls(applied)
  const merged: JsonObject = { ...live }
  for (const key of Object.keys(applied)) {
    if (applied[key] === null) delete merged[key]
    else setKey(merged, key, mergeApplied(getKey(live, key), applied[key], shapeIn(key, shape)))
  }
  return merged
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isObject(value)) return value
  const kept: JsonObject = {}
  for (const key of Object.keys(value)) if (value[key] !== null) setKey(kept, key, withoutNulls(value[key]))
  return kept
}

/** What only the live list has stays where it is; the rest comes in the applied order. */
function mergeLists(
  live: readonly unknown[],
  applied: readonly unknown[],
  idOf: (item: unknown) => string,
  merge: (old: unknown, item: unknown) => unknown,
): unknown[] {
  const old = new Map(live.map(item => [idOf(item), item]))
  const wanted = new Set(applied.map(idOf))
  const merged: unknown[] = []
  let at = 0
  const takeLiveOnly = (): void => {
    for (; at < live.length && !wanted.has(idOf(live[at])); at++) merged.push(live[at])
  }
  const done = new Set<string>()
  for (const item of applied) {
    const id = idOf(item)
    takeLiveOnly()
    merged.push(old.has(id) ? merge(old.get(id), item) : withoutNulls(item))
    done.add(id)
    while (at < live.length && done.has(idOf(live[at]))) at++
  }
  for (; at < live.length; at++) if (!wanted.has(idOf(live[at]))) merged.push(live[at])
  return merged
}

/**
 * Removes what is in `last` and not in `owned`. A field of a structure goes with everything in it as soon
 * as nobody owns anything in it; an element of a list or a key of a map when nobody owns itself.
 */
export function prune(value: unknown, shape: Shape, last: FieldSet, owned: FieldSet): unknown {
  if (Array.isArray(value)) return pruneList(value, shape, last, owned)
  if (!isObject(value)) return value
  const pruned: JsonObject = { ...value }
  for (const element in last) {
    const key = element.slice(2)
    if (!element.startsWith('f:') || !Object.hasOwn(pruned, key)) continue
    const mine = last[element]!
    const theirs = owned[element]
    const gone =
      shape.kind === 'struct' ? theirs === undefined : isMember(mine) && !(theirs !== undefined && isMember(theirs))
    if (gone) delete pruned[key]
    else setKey(pruned, key, prune(pruned[key], shapeIn(key, shape), mine, theirs ?? leaf))
  }
  return pruned
}

function pruneList(list: readonly unknown[], shape: Shape, last: FieldSet, owned: FieldSet): unknown[] {
  if (shape.kind === 'set') return list.filter(item => !(valueElement(item) in last) || valueElement(item) in owned)
  if (shape.kind !== 'list') return list as unknown[]
  const kept: unknown[] = []
  for (const item of list) {
    const pruned = pruneItem(item, shape, last, owned)
    if (pruned !== undefined) kept.push(pruned)
  }
  return kept
}

function pruneItem(item: unknown, shape: ListShape, last: FieldSet, owned: FieldSet): unknown {
  const element = keyElement(item, shape)
  const mine = element === undefined ? undefined : last[element]
  if (element === undefined || mine === undefined) return item
  const theirs = owned[element]
  if (isMember(mine) && !(theirs !== undefined && isMember(theirs))) return undefined
  return prune(item, shape.item, mine, theirs ?? leaf)
}
