// ComponentStatus: an old way to ask for the health of the control plane. Nothing is stored; the server
// makes the answers up.
import { defineKind } from '../kind.ts'
import { componentStatuses } from '../resources.ts'
import { columns, unknown } from './cells.ts'

export const componentStatusKind = defineKind({
  resource: componentStatuses,
  model: 'V1ComponentStatus',
  singular: 'componentstatus',
  shortNames: ['cs'],
  verbs: ['get', 'list'],
  stored: false,
  warnings: () => ['v1 ComponentStatus is deprecated in v1.19+'],
  columns: columns('Name', 'Status', 'Message', 'Error'),
  row({ metadata, conditions = [] }) {
    const healthy = conditions.find(condition => condition.type === 'Healthy')
    return [
      metadata.name,
      healthy === undefined ? unknown : healthy.status === 'True' ? 'Healthy' : 'Unhealthy',
      healthy?.message ?? '',
      healthy?.error ?? '',
    ]
  },
})
