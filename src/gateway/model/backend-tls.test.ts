// How services are spoken to by TLS, by the policies that there are, and what these say of themselves.
import { beforeAll, describe, expect, test } from 'vitest'
import type { Service } from '../../api/generated/models.ts'
import type { BackendTLSPolicy } from '../../api/gateway-api/types.ts'
import { createAuthority } from '../../server/auth/certificate-authority.ts'
import {
  backendTlsPolicy,
  gateway,
  httpRoute,
  listener,
  observedWith,
  parent,
  toService,
} from '../../testing/gateway-objects.ts'
import { gatewayModel, type MadeModel } from './gateway-model.ts'
import { wantedStatuses } from './statuses.ts'

let pem = ''
beforeAll(async () => {
  pem = (await createAuthority('backends', 1, Date.now())).certificate
})

const reference = (name: string, kind = 'ConfigMap'): { group: string; kind: string; name: string } => ({
  group: '',
  kind,
  name,
})
const valid = { hostname: 'web.internal', caCertificateRefs: [reference('ca')] }
const service = {
  metadata: { namespace: 'shop', name: 'web' },
  spec: {
    ports: [
      { name: 'https', port: 443 },
      { name: 'more', port: 8443 },
    ],
  },
} as unknown as Service

const made = (policies: readonly BackendTLSPolicy[], port = 443): MadeModel =>
  gatewayModel(
    observedWith({
      gateways: [gateway({ name: 'one' }, [listener()])],
      httpRoutes: [
        httpRoute({ name: 'web', parents: [parent('one')] }, [{ backendRefs: [toService('web', { port })] }]),
      ],
      backendTlsPolicies: policies,
      service: () => service,
      slices: () => [
        {
          addressType: 'IPv4',
          ports: [
            { name: 'https', port: 8443 },
            { name: 'more', port: 8444 },
          ],
          endpoints: [{ addresses: ['10.0.0.7'], conditions: { ready: true } }],
        } as never,
      ],
      configuration: (_namespace, name) =>
        name === 'ca' ? { 'ca.crt': pem } : name === 'odd' ? { 'ca.crt': 'X' } : undefined,
    }),
    { address: '127.0.0.1', port: 80, ownAddresses: ['127.7.0.1'] },
  )
const backendOf = ({ model }: MadeModel) => [...model.backends.values()][0]!
const conditions = (result: MadeModel, name: string): unknown =>
  wantedStatuses(result, [])
    .find(({ object }) => object.kind === 'BackendTLSPolicy' && object.metadata.name === name)!
    .ancestors!.map(each => [
      each.ancestorRef.name,
      ...each.conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    ])

test('a service is verified by the authorities and the name that a policy says', () => {
  const result = made([backendTlsPolicy({ name: 'tls' }, [{ name: 'web' }], valid)])
  const { tls, servers } = backendOf(result)
  expect(tls).toMatchObject({ name: 'web.internal' })
  expect(tls!.authorities).toContain('BEGIN CERTIFICATE')
  expect(servers).toHaveLength(1)
  expect(conditions(result, 'tls')).toEqual([['one', 'Accepted=True Accepted', 'ResolvedRefs=True ResolvedRefs']])
})

test('one without a policy is spoken to in plain text, and so is one of another namespace', () => {
  expect(backendOf(made([])).tls).toBeUndefined()
  const policies = [backendTlsPolicy({ name: 'tls', namespace: 'other' }, [{ name: 'web' }], valid)]
  expect(backendOf(made(policies)).tls).toBeUndefined()
})

test('the policy for a port goes before the one for all ports, and the older before the younger', () => {
  const policies = [
    backendTlsPolicy({ name: 'all' }, [{ name: 'web' }], { ...valid, hostname: 'all.internal' }),
    backendTlsPolicy({ name: 'port' }, [{ name: 'web', sectionName: 'more' }], { ...valid, hostname: 'port.internal' }),
    backendTlsPolicy({ name: 'young', created: '2026-05-01T00:00:00Z' }, [{ name: 'web' }], valid),
  ]
  expect(backendOf(made(policies)).tls?.name).toBe('all.internal')
  expect(backendOf(made(policies, 8443)).tls?.name).toBe('port.internal')
  expect(conditions(made(policies), 'young')).toEqual([
    ['one', 'Accepted=False Conflicted', 'ResolvedRefs=True ResolvedRefs'],
  ])
  expect(conditions(made(policies), 'all')).toEqual([
    ['one', 'Accepted=True Accepted', 'ResolvedRefs=True ResolvedRefs'],
  ])
})

describe('a service whose policy cannot be kept is not spoken to, and the policy says why:', () => {
  test.each<[string, BackendTLSPolicy['spec']['validation'], string, string]>([
    [
      'no ConfigMap',
      { hostname: 'a', caCertificateRefs: [reference('none')] },
      'NoValidCACertificate',
      'InvalidCACertificateRef',
    ],
    [
      'no certificate',
      { hostname: 'a', caCertificateRefs: [reference('odd')] },
      'NoValidCACertificate',
      'InvalidCACertificateRef',
    ],
    [
      'another kind',
      { hostname: 'a', caCertificateRefs: [reference('ca', 'Secret')] },
      'NoValidCACertificate',
      'InvalidKind',
    ],
  ])('%s', (_what, validation, accepted, resolved) => {
    const result = made([backendTlsPolicy({ name: 'tls' }, [{ name: 'web' }], validation)])
    expect(backendOf(result)).toMatchObject({ servers: [] })
    expect(conditions(result, 'tls')).toEqual([['one', `Accepted=False ${accepted}`, `ResolvedRefs=False ${resolved}`]])
  })
  test('other names than the one that is asked for', () => {
    const subjectAltNames = ['web.internal', 'b'].map(hostname => ({ type: 'Hostname' as const, hostname }))
    const result = made([backendTlsPolicy({ name: 'tls' }, [{ name: 'web' }], { ...valid, subjectAltNames })])
    expect(backendOf(result)).toMatchObject({ servers: [] })
    expect(conditions(result, 'tls')).toEqual([['one', 'Accepted=False Invalid', 'ResolvedRefs=True ResolvedRefs']])
  })
})

test('one authority of two is enough, and the other one is told', () => {
  const validation = { hostname: 'a', caCertificateRefs: [reference('none'), reference('ca')] }
  const result = made([backendTlsPolicy({ name: 'tls' }, [{ name: 'web' }], validation)])
  expect(backendOf(result).servers).toHaveLength(1)
  expect(conditions(result, 'tls')).toEqual([
    ['one', 'ResolvedRefs=False InvalidCACertificateRef', 'Accepted=True Accepted'],
  ])
})
