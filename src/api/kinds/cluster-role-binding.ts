// ClusterRoleBinding: who has a role everywhere.
import { defineKind } from '../kind.ts'
import { clusterRoleBindings } from '../resources.ts'
import { defaultBinding, subjectCells, validateBinding, validateRoleKept } from '../validation/policy-rules.ts'
import { age, columns } from './cells.ts'

export const clusterRoleBindingKind = defineKind({
  resource: clusterRoleBindings,
  model: 'V1ClusterRoleBinding',
  singular: 'clusterrolebinding',
  nameRule: 'path-segment',
  defaults: defaultBinding,
  validate: binding => validateBinding(binding, ['ClusterRole'], false),
  validateUpdate: (binding, old) => validateRoleKept(binding.roleRef, old.roleRef),
  columns: columns('Name', 'Role', 'Age', 'Users*', 'Groups*', 'ServiceAccounts*'),
  row: (binding, nowMs) => [
    binding.metadata.name,
    `${binding.roleRef.kind}/${binding.roleRef.name}`,
    age(binding, nowMs),
    ...subjectCells(binding.subjects),
  ],
})
