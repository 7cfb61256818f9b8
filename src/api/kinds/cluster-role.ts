// ClusterRole: what may be done in all namespaces, outside of them, or wherever it is bound.
import { defineKind } from '../kind.ts'
import { clusterRoles } from '../resources.ts'
import { validateLabelSelector } from '../validation/label-selector.ts'
import { validateRules } from '../validation/policy-rules.ts'
import { each } from '../validation/scalars.ts'
import { joinErrors, required } from '../field-error.ts'
import { columns } from './cells.ts'

export const clusterRoleKind = defineKind({
  resource: clusterRoles,
  model: 'V1ClusterRole',
  singular: 'clusterrole',
  nameRule: 'path-segment',
  defaults(draft) {
    draft.rules ??= null as unknown as undefined
  },
  validate: ({ rules, aggregationRule }) =>
    joinErrors(
      validateRules(rules ?? [], false),
      aggregationRule !== undefined && (aggregationRule.clusterRoleSelectors ?? []).length === 0
        ? [
            required(
              'aggregationRule.clusterRoleSelectors',
              'at least one clusterRoleSelector required if aggregationRule is non-nil',
            ),
          ]
        : [],
      each(aggregationRule?.clusterRoleSelectors, 'aggregationRule.clusterRoleSelectors', validateLabelSelector),
    ),
  columns: columns('Name', 'Created At:date'),
  row: role => [role.metadata.name, role.metadata.creationTimestamp],
})
