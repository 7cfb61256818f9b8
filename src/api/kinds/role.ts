// Role: what may be done in a namespace.
import { defineKind } from '../kind.ts'
import { roles } from '../resources.ts'
import { validateRules } from '../validation/policy-rules.ts'
import { columns } from './cells.ts'

export const roleKind = defineKind({
  resource: roles,
  model: 'V1Role',
  singular: 'role',
  nameRule: 'path-segment',
  defaults(draft) {
    // Always printed, null where there are none.
    draft.rules ??= null as unknown as undefined
  },
  validate: role => validateRules(role.rules ?? [], true),
  columns: columns('Name', 'Created At:date'),
  row: role => [role.metadata.name, role.metadata.creationTimestamp],
})
