// Who owns what after an ordinary write (create, update, patch): the writer takes the fields it set or
// changed, everybody loses what is gone, and the writer's entry gets a new time when it took something.
import type { ManagedFieldsEntry } from '../generated/models.ts'
import type { KubeObject } from '../object.ts'
import type { JsonObject } from '../patch/json-value.ts'
import { compare, type Comparison } from './compare.ts'
import { entryKey, readEntries, writeEntries, type Entries } from './entries.ts'
import { difference, isEmpty, leaf, recursiveDifference, setOfPaths, union, type FieldSet } from './field-set.ts'
import { shapeOfModel, type Shape } from './shape.ts'

export interface UpdateRecord {
  /** The model's name, or the shape of a custom resource. */
  readonly model: string | Shape
  /** The stored object; undefined on creation. */
  readonly before: KubeObject | undefined
  /** The object about to be stored, defaults included; its managedFields are what the client sent. */
  readonly after: KubeObject
  readonly manager: string
  readonly apiVersion: string
  /** Empty for the object itself. */
  readonly subresource: string
  /** RFC 3339, whole seconds. */
  readonly timestamp: string
  /** Fields that this request cannot write (`[['status']]`), never owned by it. */
  readonly resetFields?: readonly (readonly string[])[]
}

const bookkeeping = new Set(['f:apiVersion', 'f:kind'])
const bookkeepingInMetadata = new Set([
  '.',
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map(name => `f:${name}`),
])

/** Leaves out what nobody owns: identity and what the server keeps itself. */
export function withoutBookkeeping(set: FieldSet): FieldSet {
  if (isEmpty(set)) return set
  const rest = without(set, bookkeeping)
  const metadata = set['f:metadata']
  if (metadata === undefined) return rest
  const kept = without(metadata, bookkeepingInMetadata)
  if (isEmpty(kept)) delete rest['f:metadata']
  else rest['f:metadata'] = kept
  return rest
}

function without(set: FieldSet, names: ReadonlySet<string>): Record<string, FieldSet> {
  const rest: Record<string, FieldSet> = {}
  for (const name in set) if (!names.has(name)) rest[name] = set[name]!
  return rest
}

export const shapeFor = (model: string | Shape): Shape => (typeof model === 'string' ? shapeOfModel(model) : model)

const zeroObjects = new WeakMap<Shape, JsonObject>()

/** Where comparisons start on creation; shared, not to be changed. */
export function zeroObject(shape: Shape): JsonObject {
  let zero = zeroObjects.get(shape)
  if (zero === undefined) zeroObjects.set(shape, (zero = shape.kind === 'struct' ? shape.zero() : { metadata: {} }))
  return zero
}

/** The client's list counts when it sent one (not through a subresource); a single empty entry clears all. */
function startingEntries({ before, after, subresource }: UpdateRecord): Entries {
  const live = before?.metadata.managedFields
  const sent = after.metadata.managedFields
  if (subresource !== '' || sent === undefined || sent === live) return readEntries(live)
  if (sent.length === 1 && isEmpty(sent[0] as unknown as FieldSet)) return new Map()
  const entries = readEntries(sent)
  return entries.size === 0 ? readEntries(live) : entries
}

/** Takes from every entry what changed hands or is gone. */
export function takeAway(entries: Entries, { changed, removed }: Comparison): void {
  for (const [key, entry] of entries) {
    let set = isEmpty(changed) ? entry.set : difference(entry.set, changed)
    if (!isEmpty(removed)) set = difference(set, removed)
    if (isEmpty(set)) entries.delete(key)
    else entry.set = set
  }
}

/** The value for `after.metadata.managedFields`. */
export function recordUpdate(record: UpdateRecord): ManagedFieldsEntry[] | undefined {
  const { before, after, manager, apiVersion, subresource, timestamp, resetFields } = record
  const entries = startingEntries(record)
  if (before !== undefined && entries.size === 0) return undefined
  const shape = shapeFor(record.model)
  const old = (before ?? zeroObject(shape)) as unknown as JsonObject
  const compared = compare(old, after as unknown as JsonObject, shape)
  const comparison = { changed: withoutBookkeeping(compared.changed), removed: withoutBookkeeping(compared.removed) }
  const own = { manager, operation: 'Update' as const, apiVersion, subresource }
  const previous = entries.get(entryKey(own))
  let taken = comparison.changed
  if (resetFields !== undefined) taken = recursiveDifference(taken, setOfPaths(resetFields))
  takeAway(entries, comparison)
  if (!isEmpty(taken)) {
    const kept = entries.get(entryKey(own))?.set ?? leaf
    entries.set(entryKey(own), { ...own, time: timestamp, set: union(kept, taken) })
  } else if (
    previous === undefined &&
    isEmpty(comparison.removed) &&
    before !== undefined &&
    after.metadata.managedFields === undefined
  ) {
    return before.metadata.managedFields
  }
  return writeEntries(entries)
}
