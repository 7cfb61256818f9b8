// What policies come to, and what they say of themselves.
import { expect, test } from 'vitest'
import {
  accessPolicy,
  consumer,
  policedModel,
  trafficPolicy,
  type PolicedCluster,
} from '../../../testing/policed-gateway.ts'
import type { MadeModel } from '../gateway-model.ts'
import type { Policing } from '../policing.ts'
import { wantedStatuses, type WantedStatus } from '../statuses.ts'

const made = (more: Partial<PolicedCluster>): MadeModel =>
  policedModel(8080, 3000, { rules: { one: {}, two: {} }, ...more })

/** Of the backends that requests of a path are led to. */
function policingAt(model: MadeModel, path: string): readonly Policing[] {
  const rule = model.model.entrances[0]!.hosts[0]!.rules.find(({ match }) => match.path.value === path)!
  return model.model.backends.get(rule.action.shares[0]!.backend!)!.handling.policies ?? []
}

/** Of each target, what a policy says. */
const says = (model: MadeModel, name: string): unknown =>
  wantedStatuses(model, [])
    .find(({ object }) => object.metadata.name === name)!
    .ancestors!.map(({ ancestorRef, conditions }) => [
      ancestorRef.name,
      ...conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    ])

const gatewayTarget = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'entry' }
const serviceTarget = { group: '', kind: 'Service', name: 'web' }
const keys = { authentication: { keys: { header: 'x-api-key' } } }

test('a request meets the policies of the Gateway, the listener, the route, its rule and the service, in this order', () => {
  const model = made({
    accessPolicies: [
      accessPolicy('service', serviceTarget, keys),
      accessPolicy('rule', 'one', keys),
      accessPolicy('route', { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'cases' }, keys),
      accessPolicy('listener', { ...gatewayTarget, sectionName: 'http' }, keys),
      accessPolicy('gateway', gatewayTarget, keys),
    ],
  })
  const names = (path: string): string[] => policingAt(model, path).map(({ source }) => source.split('/')[1]!)
  expect(names('/one')).toEqual(['gateway', 'listener', 'route', 'rule', 'service'])
  expect(names('/two')).toEqual(['gateway', 'listener', 'route', 'service'])
})

test('a policy for several of them is met once', () => {
  const policy = accessPolicy('both', gatewayTarget, keys)
  policy.spec.targetRefs.push(serviceTarget)
  expect(policingAt(made({ accessPolicies: [policy] }), '/one')).toHaveLength(1)
})

test('a policy of another namespace says nothing', () => {
  const policy = accessPolicy('far', gatewayTarget, keys)
  policy.metadata.namespace = 'other'
  const model = made({ accessPolicies: [policy] })
  expect(policingAt(model, '/one')).toEqual([])
  expect(says(model, 'far')).toEqual([['entry', 'Accepted=False TargetNotFound', 'ResolvedRefs=True ResolvedRefs']])
})

test('a policy that HAProxy does not take lets nobody in, and says why', () => {
  const model = made({
    accessPolicies: [accessPolicy('keys', 'one', keys)],
    more: { refused: new Map([['AccessPolicy shop/keys', 'too odd']]) },
  })
  expect(policingAt(model, '/one')).toEqual([{ source: 'AccessPolicy shop/keys', isClosed: true }])
  expect(says(model, 'keys')).toEqual([['cases', 'Accepted=False Invalid', 'ResolvedRefs=True ResolvedRefs']])
})

test('other keys and other consumers are no other way of handling requests', () => {
  const accessPolicies = [accessPolicy('keys', 'one', keys)]
  const before = made({ accessPolicies })
  const after = made({
    accessPolicies,
    consumers: [consumer('ann', [{ type: 'Key', secretRef: { name: 'ann' } }])],
    secrets: { ann: { key: 'secret' } },
  })
  expect(policingAt(after, '/one')).toEqual(policingAt(before, '/one'))
  expect(JSON.stringify([...after.model.credentials.values()].map(table => [...table]))).not.toContain('secret')
})

test('a limit that is raised has the same counts', () => {
  const limitOf = (requests: number): unknown =>
    policingAt(
      made({
        trafficPolicies: [trafficPolicy('few', 'one', { rateLimits: [{ requests, per: '1m', by: 'Address' }] })],
      }),
      '/one',
    )[0]!.limits![0]!.id
  expect(limitOf(5)).toBe(limitOf(50))
})

test('more limits than can be counted for a request are told of each policy that has some', () => {
  const limit = { requests: 1, per: '1m', by: 'Address' } as const
  const model = made({
    trafficPolicies: [
      trafficPolicy('few', 'one', { rateLimits: [limit, { ...limit, per: '1h' }] }),
      trafficPolicy('more', gatewayTarget, {
        rateLimits: [
          { ...limit, per: '2m' },
          { ...limit, per: '3m' },
        ],
      }),
    ],
  })
  const told = model.problems.filter(({ reason }) => reason === 'Conflicted')
  expect(told.map(({ owner, message }) => `${owner}: ${message}`)).toEqual(
    ['few', 'more'].map(
      name =>
        `TrafficPolicy shop/${name}: expected at most 3 limits for one request, found 4 of TrafficPolicy shop/more, TrafficPolicy shop/few: nobody is let in there`,
    ),
  )
  expect(says(model, 'few')).toEqual([['cases', 'Accepted=False Conflicted', 'ResolvedRefs=True ResolvedRefs']])
})

test.each([
  ['rule of a route', 'cases', 'three', 'the HTTPRoute "cases" has no rule "three"'],
  [
    'listener of a Gateway',
    'entry',
    { ...gatewayTarget, sectionName: 'https' },
    'the Gateway "entry" has no listener "https"',
  ],
  ['service', 'api', { ...serviceTarget, name: 'api' }, 'there is no Service "api" in the namespace of the policy'],
])('a policy for a %s that is not there says so', (_, ancestor, target, message) => {
  const model = made({ accessPolicies: [accessPolicy('lost', target, keys)] })
  expect(says(model, 'lost')).toEqual([[ancestor, 'Accepted=False TargetNotFound', 'ResolvedRefs=True ResolvedRefs']])
  const [{ ancestors: [told] = [] }] = wantedStatuses(model, []).filter(
    ({ object }) => object.metadata.name === 'lost',
  ) as [WantedStatus]
  expect(told!.conditions[0]!.message).toBe(message)
})

test.each([
  ['there is none', {}, 'there is no Secret "ann" in the namespace shop'],
  ['it has no key', { ann: { token: 'x' } }, 'expected key in the Secret "ann", found token'],
  ['its key is empty', { ann: { key: ' ' } }, 'expected key in the Secret "ann", found key with nothing in it'],
])('a consumer says what is wrong with its Secret: %s', (_, secrets, message) => {
  const { policing } = made({ consumers: [consumer('ann', [{ type: 'Key', secretRef: { name: 'ann' } }])], secrets })
  expect(policing.consumers[0]!.findings.map(finding => finding.message)).toEqual([message])
})

test.each([
  ['is no JSON', { 'jwks.json': '{' }, /^the keys of the Secret "keys" cannot be read: /],
  ['has no keys', { 'jwks.json': '{}' }, 'there is no key for signatures in the jwks.json of the Secret "keys"'],
  [
    'has a key of another kind',
    { 'jwks.json': JSON.stringify({ keys: [{ kty: 'oct', k: 'AA', kid: 'a' }] }) },
    /^the key "a" of the Secret "keys" cannot be used: /,
  ],
  ['has no certificate either', { 'key.pem': 'x' }, /^the keys of the Secret "keys" cannot be read: /],
])('a policy says what is wrong with the keys of those who sign: the set %s', (_, held, message) => {
  const jwt = { issuer: 'i', keysRef: { kind: 'Secret' as const, name: 'keys' }, consumerClaim: 'sub' }
  const { policing } = made({
    accessPolicies: [accessPolicy('token', 'one', { authentication: { jwt } })],
    secrets: { keys: held as unknown as Record<string, string> },
  })
  expect(policing.own[0]!.findings.map(finding => finding.message)).toEqual([
    typeof message === 'string' ? message : expect.stringMatching(message),
  ])
})

test('a policy that lets in nobody by what nobody has says so, and is enforced', () => {
  const model = made({
    accessPolicies: [accessPolicy('keys', 'one', { ...keys, groups: ['staff'] })],
    consumers: [consumer('ann', [])],
  })
  expect(says(model, 'keys')).toEqual([['cases', 'Accepted=True ConsumerNotFound', 'ResolvedRefs=True ResolvedRefs']])
  expect(model.problems.find(({ reason }) => reason === 'ConsumerNotFound')?.message).toBe(
    'requests are treated as it says; no Consumer of the namespace shop has a key; no Consumer of the namespace shop is in the group "staff"',
  )
  const known = made({
    accessPolicies: [accessPolicy('keys', 'one', { ...keys, groups: ['staff'] })],
    consumers: [consumer('ann', [{ type: 'Key', secretRef: { name: 'ann' } }], ['staff'])],
    secrets: { ann: { key: 'secret' } },
  })
  expect(known.problems).toEqual([])
})
