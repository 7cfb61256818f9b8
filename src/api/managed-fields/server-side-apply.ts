// Server-side apply: the applied configuration is everything its manager has an opinion about. It is
// merged into the live object, what the manager dropped and nobody else owns is removed, and taking a
// field that others own at another value is a conflict unless forced. Algorithm: structured-merge-diff
// merge/update.go; ownership bookkeeping: apimachinery managedfields.
import { ApiError, badRequest, type StatusCause } from '../api-error.ts'
import type { KubeObject } from '../object.ts'
import { isObject, type JsonObject } from '../patch/json-value.ts'
import { validateAnnotations } from '../validation/object-meta.ts'
import { parseExactJson } from '../../lib/exact-json.ts'
import { sortedKeys } from '../../lib/sorted-keys.ts'
import { appliedFields, compare, type Comparison } from './compare.ts'
import { entryKey, readEntries, writeEntries, type Entries, type Entry } from './entries.ts'
import {
  difference,
  equalSets,
  intersection,
  isEmpty,
  leaf,
  pathsOf,
  recursiveDifference,
  setOfPaths,
  union,
  type FieldSet,
} from './field-set.ts'
import { mergeApplied, prune } from './merge.ts'
import { shapeFor, takeAway, withoutBookkeeping, zeroObject } from './record-update.ts'
import type { Shape } from './shape.ts'
import { checkTyped } from './typed-check.ts'

/** One that has passed `checkConfiguration`. */
export type AppliedConfiguration = JsonObject & { readonly [checked]: true }
declare const checked: unique symbol

export interface Apply {
  /** The model's name, or the shape of a custom resource. */
  readonly model: string | Shape
  /** The stored object; undefined when the apply creates it. */
  readonly live: KubeObject | undefined
  /** What the client sent. */
  readonly applied: AppliedConfiguration
  readonly manager: string
  readonly force: boolean
  readonly apiVersion: string
  readonly subresource: string
  readonly timestamp: string
  /** Fields that this request cannot write (`[['status']]`), never owned by it. */
  readonly resetFields?: readonly (readonly string[])[]
}

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** The object to store, before defaults; the live object itself when nothing changes. Throws 409 on conflicts. */
export function serverSideApply(apply: Apply): KubeObject {
  const object = applyOwned(apply)
  return apply.manager === 'kubectl' && object.metadata.annotations?.[lastAppliedAnnotation]
    ? withLastApplied(object, apply.applied)
    : object
}

/** Keeps what `kubectl apply` without `--server-side` compares with, so that one may go back to it. What is too long is left out. */
function withLastApplied(object: KubeObject, applied: JsonObject): KubeObject {
  const { annotations: given, ...metadata } = applied.metadata as JsonObject
  const { [lastAppliedAnnotation]: _sent, ...ownAnnotations } = isObject(given) ? given : {}
  const text = `${JSON.stringify(sortedKeys({ ...applied, metadata: { ...metadata, ...(isObject(given) && { annotations: ownAnnotations }) } }))}\n`
  const { [lastAppliedAnnotation]: before, ...others } = object.metadata.annotations!
  if (text === before) return object
  const annotations = { ...others, [lastAppliedAnnotation]: text }
  return {
    ...object,
    metadata: {
      ...object.metadata,
      annotations: validateAnnotations(annotations, 'metadata.annotations').length === 0 ? annotations : others,
    },
  }
}

function applyOwned(apply: Apply): KubeObject {
  const { live, manager, apiVersion, subresource, timestamp } = apply
  const shape = shapeFor(apply.model)
  const { applied } = apply
  const entries = startingEntries(apply, shape)
  const before = snapshot(entries)
  const own: Entry = {
    manager,
    operation: 'Apply',
    apiVersion,
    subresource,
    time: undefined,
    set: ownedBy(applied, shape, apply.resetFields),
  }
  const last = entries.get(entryKey(own))?.set ?? leaf
  const base = (live ?? { apiVersion: applied.apiVersion, kind: applied.kind, metadata: {} }) as unknown as JsonObject
  const merged = mergeApplied(base, applied, shape) as JsonObject
  entries.set(entryKey(own), own)
  const result = isEmpty(last) ? merged : (prune(merged, shape, last, ownedByAll(entries)) as JsonObject)
  const compared = compare(live === undefined ? zeroObject(shape) : base, result, shape)
  const comparison = { changed: withoutBookkeeping(compared.changed), removed: withoutBookkeeping(compared.removed) }
  const others: Entries = new Map([...entries].filter(([key]) => key !== entryKey(own)))
  if (!apply.force) refuseConflicts(others, comparison, apply, shape)
  takeAway(others, comparison)
  own.set = withoutBookkeeping(own.set)
  const previous = before.get(entryKey(own))
  const unchanged =
    live !== undefined && sameSet(previous?.set, own.set) && isEmpty(comparison.changed) && isEmpty(comparison.removed)
  if (unchanged && (live.metadata.managedFields?.length ?? 0) > 0) return live
  own.time = timestamp
  others.set(entryKey(own), own)
  return withManagedFields(result, others)
}

const sameSet = (a: FieldSet | undefined, b: FieldSet): boolean => a !== undefined && equalSets(a, b)

/**
 * What cannot be applied, whatever the live object is.
 * @param model the model's name, or the shape of a custom resource
 * @throws ApiError
 */
export function checkConfiguration(applied: unknown, model: string | Shape): AppliedConfiguration {
  if (!isObject(applied)) throw badRequest('error decoding YAML: the applied configuration must be an object')
  const metadata = applied.metadata
  if (isObject(metadata) && metadata.managedFields !== undefined && metadata.managedFields !== null)
    throw badRequest('metadata.managedFields must be nil')
  checkTyped(applied, shapeFor(model))
  return applied as AppliedConfiguration
}

function ownedBy(applied: JsonObject, shape: Shape, resetFields: Apply['resetFields']): FieldSet {
  const set = appliedFields(applied, shape)
  return resetFields === undefined ? set : recursiveDifference(set, setOfPaths(resetFields))
}

const snapshot = (entries: Entries): Entries => new Map([...entries].map(([key, entry]) => [key, { ...entry }]))

function ownedByAll(entries: Entries): FieldSet {
  let all = leaf
  for (const entry of entries.values()) all = union(all, entry.set)
  return all
}

/** An object that nobody managed is given to `before-first-apply`, so that nothing of it is lost. */
function startingEntries({ live, timestamp }: Apply, shape: Shape): Entries {
  const entries = readEntries(live?.metadata.managedFields)
  if (live === undefined || entries.size > 0) return entries
  const { changed } = compare(zeroObject(shape), live as unknown as JsonObject, shape)
  const entry: Entry = {
    manager: 'before-first-apply',
    operation: 'Update',
    apiVersion: live.apiVersion,
    subresource: '',
    time: timestamp,
    set: withoutBookkeeping(changed),
  }
  if (!isEmpty(entry.set)) entries.set(entryKey(entry), entry)
  return entries
}

interface Conflict {
  readonly manager: string
  readonly path: string
}

function refuseConflicts(others: Entries, { changed }: Comparison, apply: Apply, shape: Shape): void {
  const contested = [...others.values()]
    .map(entry => ({ entry, shared: intersection(entry.set, changed) }))
    .filter(({ shared }) => !isEmpty(shared))
  if (contested.length === 0) return
  const allowed = movableFromClientSide(apply, shape)
  const conflicts: Conflict[] = contested.flatMap(({ entry, shared }) =>
    pathsOf(difference(shared, allowed)).map(path => ({ manager: managerText(entry), path })),
  )
  if (conflicts.length === 0) return
  const causes: StatusCause[] = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field: path,
  }))
  throw new ApiError(409, 'Conflict', conflictMessage(conflicts), { causes })
}

/**
 * kubectl may take over what it applied client-side before: the annotation says what that was. What has another
 * value meanwhile belongs to whoever gave it that.
 */
function movableFromClientSide({ live, manager, apiVersion }: Apply, shape: Shape): FieldSet {
  const text = manager === 'kubectl' ? live?.metadata.annotations?.[lastAppliedAnnotation] : undefined
  if (text === undefined) return leaf
  try {
    const lastApplied: unknown = parseExactJson(text)
    if (!isObject(lastApplied) || lastApplied.apiVersion !== apiVersion) return leaf
    checkTyped(lastApplied, shape)
    const { changed, removed } = compare(lastApplied, live as unknown as JsonObject, shape)
    return difference(appliedFields(lastApplied, shape), union(changed, removed))
  } catch {
    // An annotation that cannot be understood allows nothing.
    return leaf
  }
}

/** `"one"`, `"two" with subresource "status" using apps/v1` */
function managerText({ manager, operation, apiVersion, subresource }: Entry): string {
  const name = `${JSON.stringify(manager)}${subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`}`
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  const [first] = conflicts
  if (conflicts.length === 1) return `Apply failed with 1 conflict: conflict with ${first!.manager}: ${first!.path}`
  const managers = [...new Set(conflicts.map(conflict => conflict.manager))].sort()
  const lines: string[] = []
  for (const manager of managers) {
    lines.push(`conflicts with ${manager}:`)
    for (const conflict of conflicts) if (conflict.manager === manager) lines.push(`- ${conflict.path}`)
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function withManagedFields(object: JsonObject, entries: Entries): KubeObject {
  const metadata: JsonObject = { ...(object.metadata as JsonObject) }
  const managedFields = writeEntries(entries)
  if (managedFields === undefined) delete metadata.managedFields
  else metadata.managedFields = managedFields
  return { ...object, metadata } as unknown as KubeObject
}
