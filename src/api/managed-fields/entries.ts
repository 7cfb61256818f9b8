// metadata.managedFields as a table: one entry for each manager, operation, API version and subresource;
// reading, writing in Kubernetes' order, and the cap on how many updating managers are remembered.
import type { ManagedFieldsEntry } from '../generated/models.ts'
import { isEmpty, leaf, union, type FieldSet } from './field-set.ts'

export interface Entry {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  time: string | undefined
  set: FieldSet
}

export type Entries = Map<string, Entry>

const maximumUpdateManagers = 10

/** Appliers are the same whatever version they speak. */
export function entryKey(entry: Pick<Entry, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  return `${entry.operation}|${entry.operation === 'Apply' ? '' : entry.apiVersion}|${entry.subresource}|${entry.manager}`
}

export function readEntries(list: readonly ManagedFieldsEntry[] | undefined): Entries {
  const entries: Entries = new Map()
  for (const { manager, operation, apiVersion, subresource, time, fieldsV1 } of list ?? []) {
    if (operation !== 'Apply' && operation !== 'Update') continue
    const entry: Entry = {
      manager: manager ?? '',
      operation,
      apiVersion: apiVersion ?? '',
      subresource: subresource ?? '',
      time,
      set: (fieldsV1 ?? leaf) as FieldSet,
    }
    entries.set(entryKey(entry), entry)
  }
  return entries
}

const seconds = (time: string | undefined): string => time ?? ''

function order(a: Entry, b: Entry): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(seconds(a.time), seconds(b.time)) ||
    compareText(a.manager, b.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  )
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What goes into the object; undefined when nothing is managed. */
export function writeEntries(entries: Entries): ManagedFieldsEntry[] | undefined {
  const kept = capped([...entries.values()].filter(entry => !isEmpty(entry.set))).sort(order)
  if (kept.length === 0) return undefined
  return kept.map(written)
}

function written({ manager, operation, apiVersion, subresource, time, set }: Entry): ManagedFieldsEntry {
  const entry: ManagedFieldsEntry = { manager, operation, apiVersion, fieldsType: 'FieldsV1', fieldsV1: set }
  if (time !== undefined) entry.time = time
  if (subresource !== '') entry.subresource = subresource
  return entry
}

/** Merges the oldest updates into `ancient-changes` when there are too many. */
function capped(entries: Entry[]): Entry[] {
  const updates = entries.filter(entry => entry.operation === 'Update' && entry.subresource === '').sort(order)
  const surplus = updates.length - maximumUpdateManagers
  if (surplus <= 0) return entries
  const ancient = new Map<string, Entry>()
  const oldest = updates.slice(0, surplus + 1)
  for (const entry of oldest) {
    const merged = ancient.get(entry.apiVersion)
    if (merged === undefined) ancient.set(entry.apiVersion, { ...entry, manager: 'ancient-changes' })
    else Object.assign(merged, { set: union(merged.set, entry.set), time: entry.time })
  }
  return [...entries.filter(entry => !oldest.includes(entry)), ...ancient.values()]
}
