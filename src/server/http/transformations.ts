// The other shapes of an object: a Table for `kubectl get`, and PartialObjectMetadata for those who only
// want names and labels.
import type { Column, KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import type { CachedObject } from '../storage/cached-object.ts'

const metaVersion = 'meta.k8s.io/v1'

/** What a table needs to know of a kind. */
export type TableShape = Pick<KindDefinition, 'columns' | 'row'>

export interface TableColumn {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
}

const columnOf = ({ name, type, format = '', description = '', priority = 0 }: Column): TableColumn => ({
  name,
  type,
  format,
  description,
  priority,
})

/** What the rows of a table carry of their objects. */
export type Included = 'None' | 'Metadata' | 'Object'

export function table(
  kind: TableShape,
  objects: readonly Pick<CachedObject, 'object'>[],
  metadata: object,
  nowMs: number,
  include: Included,
  withColumns = true,
): object {
  return {
    ...tableHead(kind, metadata, withColumns),
    rows: objects.map(({ object }) => tableRow(kind, object, nowMs, include)),
  }
}

/** A table without its rows. */
export function tableHead(kind: TableShape, metadata: object, withColumns = true): object {
  return {
    kind: 'Table',
    apiVersion: metaVersion,
    metadata,
    columnDefinitions: withColumns ? kind.columns.map(columnOf) : [],
  }
}

export const tableRow = (kind: TableShape, object: KubeObject, nowMs: number, include: Included): object => ({
  cells: kind.row(object, nowMs),
  object: rowObject(object, include),
})

function rowObject(object: KubeObject, include: Included): object | null {
  if (include === 'None') return null
  return include === 'Object' ? object : partialObject(object)
}

export function partialObject({ metadata }: KubeObject): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: metaVersion, metadata }
}
