// What policies of balancing come to, and what they say of themselves.
import { expect, test } from 'vitest'
import { balancingPolicy, policedModel, type PolicedCluster } from '../../../testing/policed-gateway.ts'
import { connectionRoute, gateway, listener, parent, toService } from '../../../testing/gateway-objects.ts'
import type { Balancing } from '../balancing.ts'
import type { MadeModel } from '../gateway-model.ts'
import { wantedStatuses } from '../statuses.ts'

const made = (more: Partial<PolicedCluster>): MadeModel => policedModel(8080, 3000, { rules: { one: {} }, ...more })

/** Of the service `web`. */
const balancingIn = ({ model }: MadeModel): Balancing | undefined =>
  [...model.backends.values()].find(({ service }) => service?.name === 'web')!.balancing

/** Of each target, what a policy says of itself. */
const says = (model: MadeModel, name: string): unknown =>
  wantedStatuses(model, [])
    .find(({ object }) => object.metadata.name === name)!
    .ancestors!.map(({ ancestorRef, conditions: [accepted] }) => [
      ancestorRef.name,
      accepted!.status,
      accepted!.reason,
      accepted!.message,
    ])

const least = { algorithm: 'LeastConnections' } as const

test('of two for a service the older one counts, and the other one says so', () => {
  const model = made({
    balancingPolicies: [
      balancingPolicy('late', ['web'], {}, '2026-02-01T00:00:00Z'),
      balancingPolicy('early', ['web', 'nobody'], least),
    ],
  })
  expect(balancingIn(model)).toEqual({ source: 'BalancingPolicy shop/early', choice: 'leastConnections' })
  expect(says(model, 'early')).toEqual([
    ['web', 'True', 'Accepted', 'requests are treated as it says'],
    ['nobody', 'False', 'TargetNotFound', 'there is no Service "nobody" in the namespace of the policy'],
  ])
  const conflict = 'how the service "web" is balanced is said by the older BalancingPolicy shop/early'
  expect(says(model, 'late')).toEqual([['web', 'False', 'Conflicted', conflict]])
  expect(model.problems).toEqual([{ owner: 'BalancingPolicy shop/late', reason: 'Conflicted', message: conflict }])
})

test('one that HAProxy does not take says so, and the next one counts', () => {
  const balancingPolicies = [
    balancingPolicy('early', ['web'], { slowStart: '5s' }),
    balancingPolicy('late', ['web'], least, '2026-02-01T00:00:00Z'),
  ]
  const model = made({ balancingPolicies, more: { refused: new Map([['BalancingPolicy shop/early', 'too odd']]) } })
  expect(balancingIn(model)?.source).toBe('BalancingPolicy shop/late')
  expect(says(model, 'early')).toEqual([['web', 'False', 'Invalid', 'too odd']])
})

test('one of another namespace says nothing', () => {
  const far = balancingPolicy('far', ['web'], least)
  far.metadata.namespace = 'other'
  expect(balancingIn(made({ balancingPolicies: [far] }))).toBeUndefined()
})

test('a cookie without a name has one for each service, and a key that the policy alone has', () => {
  const affinityOf = (uid: string): Balancing['affinity'] => {
    const policy = balancingPolicy('stay', ['web'], { affinity: { cookie: {} } })
    policy.metadata.uid = uid
    return balancingIn(made({ balancingPolicies: [policy] }))!.affinity
  }
  expect(affinityOf('a')!.cookie).toMatch(/^instance-[a-z0-9]+$/)
  expect(affinityOf('a')).toEqual(affinityOf('a'))
  expect(affinityOf('a')!.key).not.toBe(affinityOf('b')!.key)
})

test('what has no meaning for connections is told: not accepted where nothing else is led to the service', () => {
  const stay = balancingPolicy('stay', ['web'], { affinity: { cookie: {} } })
  const entry = gateway({ name: 'entry' }, [listener(), listener({ name: 'tcp', port: 9000, protocol: 'TCP' })], {
    addresses: [{ type: 'IPAddress', value: '127.0.0.1' }],
  })
  const more = {
    gateways: [entry],
    tcpRoutes: [
      connectionRoute('TCPRoute', { name: 'raw', parents: [parent('entry', { sectionName: 'tcp' })] }, [
        toService('web'),
      ]),
    ],
  }
  const message = 'connections that are handed on to the service "web" have no affinity'
  expect(says(made({ balancingPolicies: [stay], more }), 'stay')).toEqual([
    ['web', 'True', 'UnsupportedValue', `requests are balanced as it says; ${message}`],
  ])
  const alone = made({ balancingPolicies: [stay], rules: {}, more: { ...more, httpRoutes: [] } })
  expect(says(alone, 'stay')).toEqual([['web', 'False', 'UnsupportedValue', message]])
})
