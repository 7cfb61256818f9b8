import { expect, test } from 'vitest'
import type { ClusterRole } from '../../api/generated/models.ts'
import { aggregatedRules } from './clusterrole-aggregation.ts'

const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] })
const role = (name: string, label: string, resources: string[], aggregates?: string) =>
  ({
    metadata: { name, labels: { [label]: 'true' } },
    rules: resources.map(rule),
    ...(aggregates !== undefined && {
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregates]: 'true' } }] },
    }),
  }) as unknown as ClusterRole

test("the rules of the chosen roles, each once, by the roles' names", () => {
  const whole = role('whole', 'x', ['old'], 'part')
  const all = [
    whole,
    role('b', 'part', ['pods', 'nodes']),
    role('a', 'part', ['services', 'pods']),
    role('c', 'other', ['secrets']),
  ]
  expect(aggregatedRules(whole, all)?.map(({ resources }) => resources![0])).toEqual(['services', 'pods', 'nodes'])
  expect(aggregatedRules(all[1]!, all)).toBeUndefined()
})
