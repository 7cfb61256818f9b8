// Strategic merge patches: like merge patches, but lists of structures merge by their key and lists of
// scalars as sets, where the schema says so, and directives ($patch, $retainKeys, $setElementOrder/x,
// $deleteFromPrimitiveList/x) say more. Order of elements as in apimachinery pkg/util/strategicpatch.
import { ApiError, badRequest } from '../api-error.ts'
import { modelOf, type Field } from '../schema/schema.ts'
import { getKey, isObject, setKey, type JsonObject } from './json-value.ts'
import { normalizeOrder, partition } from './element-order.ts'

const orderPrefix = '$setElementOrder/'
const deletePrefix = '$deleteFromPrimitiveList/'
const isDirective = (key: string): boolean => key.startsWith('$')

const unprocessable = (): ApiError =>
  new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
/** Kubernetes answers 500 here; the fault is the client's. */
const failure = (message: string): ApiError => badRequest(message)

/** What the schema says about a value: its model, if it is a structure, and the field it stands in. */
interface Place {
  readonly model: string | undefined
  readonly field: Field | undefined
}

const nowhere: Place = { model: undefined, field: undefined }

function placeOf(parent: Place, key: string): Place {
  if (parent.field?.shape === 'map') return { model: parent.model, field: undefined }
  const field = parent.model === undefined ? undefined : modelOf(parent.model).fields.get(key)
  if (field === undefined) return nowhere
  return { model: field.type === 'object' ? field.model : undefined, field }
}

/** The place of one element of the list, or one value of the map. */
const insideOf = (place: Place): Place => ({ model: place.model, field: undefined })

export function applyStrategicMergePatch(model: string, target: JsonObject, patch: unknown): JsonObject {
  if (!isObject(patch)) {
    const kind = Array.isArray(patch) ? 'array' : typeof patch === 'boolean' ? 'bool' : typeof patch
    throw badRequest(`json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`)
  }
  return mergeMap(target, patch, { model, field: undefined })
}

function mergeMap(original: JsonObject, patch: JsonObject, place: Place): JsonObject {
  const directive = patch.$patch
  if (directive === 'delete') return {}
  if (directive === 'replace') return stripped(patch) as JsonObject
  if (directive !== undefined && directive !== 'merge')
    throw badRequest(`unknown patch type found: ${JSON.stringify(directive)}`)
  const merged = retainedKeys(original, patch)
  const ordered = mergeOrderedLists(merged, patch, place)
  for (const key of Object.keys(patch)) {
    if (key.startsWith(deletePrefix)) deleteFromPrimitives(merged, key.slice(deletePrefix.length), patch[key])
    else if (!isDirective(key) || !isKnownDirective(key)) {
      if (!ordered.has(key)) mergeKey(merged, key, patch[key], placeOf(place, key))
    }
  }
  return merged
}

const isKnownDirective = (key: string): boolean =>
  key === '$patch' || key === '$retainKeys' || key.startsWith(orderPrefix) || key.startsWith(deletePrefix)

function retainedKeys(original: JsonObject, patch: JsonObject): JsonObject {
  const retain = patch.$retainKeys
  if (retain === undefined) return { ...original }
  if (!Array.isArray(retain)) throw badRequest('invalid patch format of retainKeys')
  const surplus = Object.keys(patch).find(key => !isDirective(key) && patch[key] !== null && !retain.includes(key))
  if (surplus !== undefined) throw badRequest(`the patch has a key ${surplus} that is not in its retainKeys list`)
  return Object.fromEntries(Object.entries(original).filter(([key]) => retain.includes(key)))
}

function mergeKey(merged: JsonObject, key: string, value: unknown, place: Place): void {
  const original = getKey(merged, key)
  if (value === null || value === undefined) {
    delete merged[key]
  } else if (original === undefined || original === null) {
    const kept = stripped(value)
    if (kept !== dropped) setKey(merged, key, kept)
  } else if (isObject(original) && isObject(value) && place.field?.patchReplace !== true) {
    setKey(merged, key, mergeMap(original, value, mapPlace(place)))
  } else if (Array.isArray(original) && Array.isArray(value)) {
    setKey(merged, key, place.field?.patchMerge === true ? mergeList(original, value, place) : stripped(value))
  } else {
    setKey(merged, key, stripped(value))
  }
}

/** A map of structures keeps its field, so that its keys are not mistaken for fields of the model. */
const mapPlace = (place: Place): Place => (place.field?.shape === 'map' ? place : insideOf(place))

const dropped = Symbol('dropped')

/** A value of the patch that meets nothing to merge with: without directives and nulls. */
function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped).filter(item => item !== dropped)
  if (!isObject(value)) return value
  if (value.$patch === 'delete') return dropped
  if (value.$patch === 'replace' && Object.keys(value).length === 1) return dropped
  const kept: JsonObject = {}
  for (const key of Object.keys(value)) {
    if (isKnownDirective(key) || value[key] === null) continue
    const inner = stripped(value[key])
    if (inner !== dropped) setKey(kept, key, inner)
  }
  return kept
}

function mergeList(original: unknown[], patch: unknown[], place: Place): unknown[] {
  const key = place.field?.patchMergeKey
  if (key === undefined) return mergePrimitives(original, patch)
  const replaces = patch.some(item => isObject(item) && item.$patch === 'replace')
  const plain = patch.filter(item => !(isObject(item) && (item.$patch === 'replace' || item.$patch === 'delete')))
  if (replaces) return stripped(plain) as unknown[]
  const gone = new Set(
    patch
      .filter((item): item is JsonObject => isObject(item) && item.$patch === 'delete')
      .map(item => keyValue(item, key)),
  )
  const merged = original.filter(item => !isObject(item) || !gone.has(item[key]))
  for (const item of plain) {
    if (!isObject(item)) throw badRequest(`cannot merge a list of structures with ${JSON.stringify(item)}`)
    const value = keyValue(item, key)
    const at = merged.findIndex(candidate => isObject(candidate) && candidate[key] === value)
    if (at >= 0) merged[at] = mergeMap(merged[at] as JsonObject, item, insideOf(place))
    else merged.push(stripped(item))
  }
  const [fromPatch, serverOnly] = partition(merged, plain, key)
  return normalizeOrder(fromPatch, serverOnly, plain, original, key)
}

function keyValue(item: JsonObject, key: string): unknown {
  const value = item[key]
  if (value === undefined) throw failure(`map: ${goMap(item)} does not contain declared merge key: ${key}`)
  return value
}

/** `map[image:q]`, as Go prints it. */
function goMap(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goMap).join(' ')}]`
  if (!isObject(value)) return String(value)
  return `map[${Object.keys(value)
    .sort()
    .map(key => `${key}:${goMap(value[key])}`)
    .join(' ')}]`
}

function mergePrimitives(original: unknown[], patch: unknown[]): unknown[] {
  const merged = [...new Set([...original, ...patch])]
  const [fromPatch, serverOnly] = partition(merged, patch, undefined)
  return normalizeOrder(fromPatch, serverOnly, patch, original, undefined)
}

function deleteFromPrimitives(merged: JsonObject, key: string, gone: unknown): void {
  if (!Array.isArray(gone)) throw badRequest('invalid patch format of primitive list')
  const original = getKey(merged, key)
  if (Array.isArray(original))
    setKey(
      merged,
      key,
      original.filter(item => !gone.includes(item)),
    )
}

/** Deals with every `$setElementOrder/x` and returns the fields that are done with it. */
function mergeOrderedLists(merged: JsonObject, patch: JsonObject, place: Place): Set<string> {
  const done = new Set<string>()
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(orderPrefix)) continue
    const key = directive.slice(orderPrefix.length)
    const order = patch[directive]
    if (!Array.isArray(order)) throw badRequest('invalid patch format of setElementOrder list')
    orderList(merged, patch, key, order, placeOf(place, key))
    done.add(key)
  }
  return done
}

function orderList(merged: JsonObject, patch: JsonObject, key: string, order: unknown[], place: Place): void {
  const deletions = patch[deletePrefix + key]
  if (deletions !== undefined) deleteFromPrimitives(merged, key, deletions)
  const original = getKey(merged, key)
  const change = getKey(patch, key)
  if (change === null) {
    delete merged[key]
    return
  }
  const mergeKeyName = place.field?.patchMergeKey
  if (Array.isArray(change)) checkOrder(change, order, mergeKeyName)
  const list = mergedList(original, change, place)
  if (list === undefined) return
  const [fromPatch, serverOnly] = partition(list, order, mergeKeyName)
  setKey(
    merged,
    key,
    normalizeOrder(fromPatch, serverOnly, order, Array.isArray(original) ? original : [], mergeKeyName),
  )
}

function mergedList(original: unknown, change: unknown, place: Place): unknown[] | undefined {
  if (!Array.isArray(change)) return Array.isArray(original) ? original : undefined
  if (!Array.isArray(original)) return stripped(change) as unknown[]
  return place.field?.patchMerge === true ? mergeList(original, change, place) : (stripped(change) as unknown[])
}

/** What the patch changes must stand in the order it names, in the same sequence. */
function checkOrder(change: readonly unknown[], order: readonly unknown[], key: string | undefined): void {
  const idOf = (item: unknown): unknown => (key !== undefined && isObject(item) ? item[key] : item)
  const ids = order.map(idOf)
  let from = 0
  for (const item of change) {
    if (isObject(item) && (item.$patch === 'delete' || item.$patch === 'replace')) continue
    const at = ids.indexOf(idOf(item), from)
    if (at < 0) throw unprocessable()
    from = at + 1
  }
}
