// What the gateway says of itself, read by those who know its cluster alone.
import { expect, test } from 'vitest'
import type { Ingress, IngressClass } from '../api/generated/models.ts'
import { gatewayController } from '../api/gateway-names.ts'
import type { Gateway } from '../api/gateway-api/types.ts'
import { gateway, gatewayClass, httpRoute, listener, observedWith, parent } from '../testing/gateway-objects.ts'
import { accessPolicy } from '../testing/policed-gateway.ts'
import { refusedByHaproxy } from './find-refused.ts'
import { ownAuthorityOption } from './model/listener-certificates.ts'
import { gatewayModel } from './model/gateway-model.ts'
import type { Observed } from './model/observed.ts'
import { statusChange } from './model/status-change.ts'
import { wantedStatuses } from './model/statuses.ts'
import { policyProblems, toldByStatuses } from './told-by-statuses.ts'

const front = { address: '127.0.0.1', port: 8080, securePort: 8443, ownAddresses: ['127.7.0.1', '127.7.0.2'] }
const secure = listener({ name: 'https', port: 443, protocol: 'HTTPS' })
const vouched = { mode: 'Terminate' as const, options: { [ownAuthorityOption]: 'true' } }

/** The same cluster, after the gateway said what became of everything. */
function afterwards(more: Partial<Observed>): Observed {
  const known = observedWith(more)
  const wanted = wantedStatuses(gatewayModel(known, front), [gatewayClass])
  const told = <T extends object>(all: readonly T[]): readonly T[] =>
    all.map(object => {
      const found = wanted.find(each => (each.object as object) === object)
      return found === undefined ? object : { ...object, status: statusChange(found, '2026-01-02T00:00:00Z') }
    })
  return {
    ...known,
    gateways: told(known.gateways),
    httpRoutes: told(known.httpRoutes),
    accessPolicies: told(known.accessPolicies),
    machine: { addresses: new Set(), taken: new Set() },
    refused: new Map(),
  }
}

test('the front, the addresses of Gateways and ports that others have', () => {
  const told = toldByStatuses(
    afterwards({
      gateways: [
        gateway({ name: 'one' }, [
          listener(),
          { ...secure, tls: vouched },
          listener({ name: 'more', port: 3000 }),
          listener({ name: 'none', port: 4000 }),
        ]),
        gateway({ name: 'two' }, [listener()], { addresses: [{ type: 'IPAddress', value: '192.0.2.7' }] }),
      ],
      machine: {
        addresses: new Set(['192.0.2.7']),
        taken: new Set(['127.0.0.1:3000', '127.0.0.1:4000', '127.7.0.1:4000']),
      },
    }),
  )
  expect(told.front).toEqual({ ...front, ownAddresses: ['127.7.0.1'] })
  expect(told.machine.addresses).toContain('192.0.2.7')
  expect([...told.machine.taken].toSorted()).toEqual(['127.0.0.1:3000', '127.0.0.1:4000', '127.7.0.1:4000'])
})

test('without Gateways, the front is where Ingresses say', () => {
  const ingress = {
    kind: 'Ingress',
    metadata: { name: 'one', namespace: 'shop' },
    spec: { ingressClassName: 'sampan' },
    status: { loadBalancer: { ingress: [{ ip: '127.0.0.1', ports: [{ port: 8081 }, { port: 8444 }] }] } },
  } as unknown as Ingress
  const ingressClass = { metadata: { name: 'sampan' }, spec: { controller: gatewayController } } as IngressClass
  const known = observedWith({ ingressClasses: [ingressClass], ingresses: [ingress] })
  expect(toldByStatuses(known).front).toMatchObject({ port: 8081, securePort: 8444 })
  expect(toldByStatuses(observedWith({})).front).toMatchObject({ port: 80, securePort: 443 })
})

test('what is told of an object as it was says nothing of what it is', () => {
  const known = afterwards({ gateways: [gateway({ name: 'one' }, [listener()])] })
  const [one] = known.gateways as [Gateway]
  const changed = { ...one, metadata: { ...one.metadata, generation: 9 } } as Gateway
  expect(toldByStatuses({ ...known, gateways: [changed] }).front).toMatchObject({ port: 80 })
})

test('certificates that are not shown, and routes that HAProxy does not take', () => {
  const told = toldByStatuses(
    afterwards({
      gateways: [
        gateway({ name: 'one' }, [
          { ...secure, tls: { mode: 'Terminate', certificateRefs: [{ group: '', kind: 'Secret', name: 'gone' }] } },
        ]),
      ],
      httpRoutes: [httpRoute({ name: 'odd', parents: [parent('one')] }, [{}])],
      certificate: (_namespace, name) => ({ problem: `there is no Secret "${name}"` }),
      refused: new Map([['HTTPRoute shop/odd', `${refusedByHaproxy}too odd`]]),
    }),
  )
  expect([...told.certificates]).toEqual([['shop/gone', 'there is no Secret "gone"']])
  expect([...told.refused]).toEqual([['HTTPRoute shop/odd', `${refusedByHaproxy}too odd`]])
})

test('authorities of clients that are none, and ports that Gateways keep from each other', () => {
  const asking = (name: string) => ({
    default: {
      validation: { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name }], mode: 'AllowValidOnly' as const },
    },
  })
  const listeners = [{ ...secure, port: 9443, tls: vouched }]
  const told = toldByStatuses(
    afterwards({
      gateways: [
        gateway({ name: 'open' }, listeners),
        gateway({ name: 'asking' }, listeners, { tls: { frontend: asking('ca') } }),
        gateway({ name: 'broken' }, listeners, { tls: { frontend: asking('gone') } }),
      ],
      authority: (_namespace, name) => (name === 'ca' ? { pem: 'A' } : { problem: `there is no ConfigMap "${name}"` }),
    }),
  )
  expect([...told.authorities]).toEqual([['shop/gone', 'there is no ConfigMap "gone"']])
  expect([...told.machine.taken]).toEqual([])
})

test('policies are not enforced for what their statuses say, or nothing is known yet', () => {
  const keys = { authentication: { keys: { header: 'x-api-key' } } }
  const nowhere = { group: '', kind: 'Service', name: 'nowhere' }
  const known = afterwards({ accessPolicies: [accessPolicy('keys', nowhere, keys)] })
  expect(policyProblems(known)).toEqual([
    {
      owner: 'AccessPolicy shop/keys',
      reason: 'TargetNotFound',
      message: 'there is no Service "nowhere" in the namespace of the policy',
    },
  ])
  const fresh = observedWith({ accessPolicies: [accessPolicy('keys', nowhere, keys)] })
  expect(policyProblems(fresh)).toMatchObject([{ reason: 'Pending' }])
})
