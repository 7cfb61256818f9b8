// The columns of `kubectl get` for a custom resource: its name and what the definition asks for, or its age.
import { isNumber } from '../../lib/int64.ts'
import type { CustomResourceColumnDefinition as ColumnDefinition } from '../generated/models.ts'
import type { Cell, Column, KindDefinition } from '../kind.ts'
import { since } from '../kinds/cells.ts'
import { compileJsonPath } from './json-path.ts'

const ageColumn: ColumnDefinition = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

export function printerColumns(definitions: readonly ColumnDefinition[] = []): Pick<KindDefinition, 'columns' | 'row'> {
  const shown = (definitions.length === 0 ? [ageColumn] : definitions).map(definition => ({
    definition,
    read: compileJsonPath(definition.jsonPath),
  }))
  return {
    columns: [{ name: 'Name', type: 'string', format: 'name' }, ...shown.map(({ definition }) => columnOf(definition))],
    row: (object, nowMs) => [
      object.metadata.name,
      ...shown.map(({ definition, read }) => cellOf(read?.(object)[0], definition.type, nowMs)),
    ],
  }
}

function columnOf({ name, type, format = '', description, priority, jsonPath }: ColumnDefinition): Column {
  return {
    name,
    type: type as Column['type'],
    format: format as '',
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    ...(priority !== undefined && { priority: priority as 0 }),
  }
}

function cellOf(value: unknown, type: string, nowMs: number): Cell {
  if (value === undefined || value === null) return null
  switch (type) {
    case 'integer':
      return typeof value === 'bigint' ? value : typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return isNumber(value) ? Number(value) : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? dateCell(value, nowMs) : null
    default:
      return typeof value === 'string' ? value : JSON.stringify(value)
  }
}

function dateCell(value: string, nowMs: number): string {
  const isTime = value === '' || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(value)
  return isTime && !Number.isNaN(Date.parse(value || '1970-01-01')) ? since(value, nowMs) : '<invalid>'
}
