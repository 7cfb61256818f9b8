// Puts the rules of a ClusterRole with an aggregationRule together from the roles its selectors choose.
import type { ClusterRole, PolicyRule } from '../../api/generated/models.ts'
import { deepEqual } from '../../api/patch/json-value.ts'
import { clusterRoles } from '../../api/resources.ts'
import { matchesSelector } from '../../api/label-selector.ts'
import { defineController, watch } from '../../control/controller.ts'

/** The rules that `role` should have; undefined when they are not put together. Each rule once, in the order of the roles' names. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] | undefined {
  const selectors = role.aggregationRule?.clusterRoleSelectors
  if (selectors === undefined) return undefined
  const chosen = all
    .filter(
      candidate =>
        candidate.metadata.name !== role.metadata.name &&
        selectors.some(selector => matchesSelector(selector, candidate.metadata.labels)),
    )
    .sort((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1))
  const rules: PolicyRule[] = []
  for (const rule of chosen.flatMap(candidate => candidate.rules ?? []))
    if (!rules.some(present => deepEqual(present, rule))) rules.push(rule)
  return rules
}

const everyRole = 'all'

export const clusterRoleAggregationController = defineController({
  name: 'clusterrole-aggregation',
  primary: clusterRoles,
  watches: [watch({ resource: clusterRoles, keysOf: () => [everyRole] })],
  // A change of one role may concern any other, so one turn looks at all of them.
  reconciler:
    ({ client }) =>
    async () => {
      const all = client.informer(clusterRoles).list()
      for (const role of all) {
        const rules = aggregatedRules(role, all)
        if (rules === undefined || deepEqual(role.rules ?? [], rules)) continue
        await client.update(clusterRoles, { ...structuredClone(role), rules })
      }
      return 'done'
    },
})
