import { describe, expect, test } from 'vitest'
import type { PolicyRule } from '../../api/generated/models.ts'
import { ruleAllows, ruleText, uncovered } from './rbac-rules.ts'

const pods: PolicyRule = { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] }
const one: PolicyRule = { apiGroups: [''], resources: ['configmaps'], resourceNames: ['mine'], verbs: ['update'] }
const health: PolicyRule = { nonResourceURLs: ['/healthz', '/metrics/*'], verbs: ['get'] }
const everything: PolicyRule = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }

describe('a rule', () => {
  test.each([
    [pods, { verb: 'get', group: '', resource: 'pods', name: 'a' }, true],
    [pods, { verb: 'delete', group: '', resource: 'pods', name: 'a' }, false],
    [pods, { verb: 'get', group: 'apps', resource: 'pods' }, false],
    [pods, { verb: 'get', group: '', resource: 'pods', subresource: 'log', name: 'a' }, true],
    [pods, { verb: 'get', group: '', resource: 'pods', subresource: 'exec', name: 'a' }, false],
    [
      { ...pods, resources: ['*/scale'] },
      { verb: 'get', group: '', resource: 'deployments', subresource: 'scale' },
      true,
    ],
    [one, { verb: 'update', group: '', resource: 'configmaps', name: 'mine' }, true],
    [one, { verb: 'update', group: '', resource: 'configmaps', name: 'yours' }, false],
    [one, { verb: 'update', group: '', resource: 'configmaps' }, false],
    [everything, { verb: 'anything', group: 'any', resource: 'thing', subresource: 'part' }, true],
    [everything, { verb: 'get', path: '/healthz' }, false],
    [health, { verb: 'get', path: '/metrics/slis' }, true],
    [health, { verb: 'get', path: '/metrics' }, false],
    [health, { verb: 'post', path: '/healthz' }, false],
  ])('%j on %j: %s', (rule, attributes, allowed) => {
    expect(ruleAllows(rule, attributes)).toBe(allowed)
  })
})

test('what a set of rules does not cover is named part by part', () => {
  const wanted: PolicyRule = { apiGroups: [''], resources: ['pods', 'secrets'], verbs: ['get', 'watch'] }
  expect(uncovered([pods], [wanted]).map(ruleText)).toEqual([
    '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
    '{APIGroups:[""], Resources:["pods"], Verbs:["watch"]}',
    '{APIGroups:[""], Resources:["secrets"], Verbs:["watch"]}',
  ])
  expect(uncovered([everything, health], [wanted, one, { nonResourceURLs: ['/healthz'], verbs: ['get'] }])).toEqual([])
  expect(uncovered([one], [{ ...one, resourceNames: [] }])).toHaveLength(1)
})
