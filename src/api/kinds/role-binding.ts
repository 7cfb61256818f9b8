// RoleBinding: who has a role in a namespace.
import { defineKind } from '../kind.ts'
import { roleBindings } from '../resources.ts'
import { defaultBinding, subjectCells, validateBinding, validateRoleKept } from '../validation/policy-rules.ts'
import { age, columns } from './cells.ts'

export const roleBindingKind = defineKind({
  resource: roleBindings,
  model: 'V1RoleBinding',
  singular: 'rolebinding',
  nameRule: 'path-segment',
  defaults: defaultBinding,
  validate: binding => validateBinding(binding, ['Role', 'ClusterRole'], true),
  validateUpdate: (binding, old) => validateRoleKept(binding.roleRef, old.roleRef),
  columns: columns('Name', 'Role', 'Age', 'Users*', 'Groups*', 'ServiceAccounts*'),
  row: (binding, nowMs) => [
    binding.metadata.name,
    `${binding.roleRef.kind}/${binding.roleRef.name}`,
    age(binding, nowMs),
    ...subjectCells(binding.subjects),
  ],
})
