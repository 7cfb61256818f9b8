// What the front with TLS is made of: which certificate for whom, what is wrong, and what is sent there.
import { describe, expect, test } from 'vitest'
import type { Ingress, IngressClass, Service } from '../../api/generated/models.ts'
import { gatewayController } from '../../api/gateway-names.ts'
import type { FoundCertificate } from './certificate-of.ts'
import { gatewayModel, type MadeModel } from './gateway-model.ts'
import { textOfHost } from './host-names.ts'
import { nothing } from '../../testing/gateway-observed.ts'
import { withOwnCertificates } from './secure-front.ts'

const front = { address: '127.0.0.1', port: 80, securePort: 8443, ownAddresses: [] }

interface Tls {
  readonly hosts?: readonly string[]
  readonly secretName?: string
}

const ingress = (
  name: string,
  hosts: readonly string[],
  tls: readonly Tls[] = [],
  more: { readonly created?: string; readonly annotations?: Record<string, string> } = {},
): Ingress =>
  ({
    kind: 'Ingress',
    metadata: {
      name,
      namespace: 'shop',
      creationTimestamp: more.created ?? '2026-01-01T00:00:00Z',
      annotations: more.annotations,
    },
    spec: {
      ingressClassName: 'sampan',
      tls,
      rules: hosts.map(host => ({
        ...(host !== '' && { host }),
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
        },
      })),
    },
  }) as unknown as Ingress

const holds = (name: string, ...names: string[]): FoundCertificate => ({
  certificate: { id: `shop.${name}`, pem: name },
  names,
  validFromMs: 0,
  expiresAtMs: 0,
})
const secrets: Record<string, FoundCertificate> = {
  'web-tls': holds('web-tls', 'shop.example.com', '*.shop.example.com'),
  'api-tls': holds('api-tls', 'api.example.com'),
  broken: { problem: 'the Secret "broken" has no tls.key' },
}

const made = (ingresses: readonly Ingress[], given: Parameters<typeof gatewayModel>[1] = front): MadeModel =>
  gatewayModel(
    {
      ...nothing,
      ingressClasses: [{ metadata: { name: 'sampan' }, spec: { controller: gatewayController } }] as IngressClass[],
      ingresses,
      service: () => ({ metadata: {}, spec: { ports: [{ port: 80 }] } }) as unknown as Service,
      slices: () => [],
      certificate: (_namespace, name) => secrets[name] ?? { problem: `there is no Secret "${name}"` },
    },
    given,
  )

/** `NAME CERTIFICATE`, in the order in which they are looked through. */
function shown({ model, ownNames }: MadeModel): string[] {
  const pems = new Map(ownNames.map(name => [name, `own ${name}`]))
  const { entrances, certificates } = withOwnCertificates(model, pems)
  return entrances[1]!.tls!.certificates.map(({ to, id }) => `${textOfHost(to!)} ${certificates.get(id)!.pem}`)
}

describe('a host', () => {
  test('without a certificate has one of the own authority, and so has whoever asks for no name', () => {
    expect(shown(made([ingress('one', ['a.localhost', '*.b.localhost', ''])]))).toEqual([
      '* own localhost',
      'a.localhost own a.localhost',
      '*.b.localhost own *.b.localhost',
    ])
  })

  test('has the one of its Secret', () => {
    const all = made([ingress('one', ['shop.example.com'], [{ hosts: ['shop.example.com'], secretName: 'web-tls' }])])
    expect(shown(all)).toEqual(['* own localhost', 'shop.example.com web-tls'])
    expect(all.problems).toEqual([])
  })

  test('that stands in the certificate need not be named', () => {
    const all = made([ingress('one', ['a.shop.example.com', '*.shop.example.com'], [{ secretName: 'web-tls' }])])
    expect(shown(all)).toEqual(['* own localhost', 'shop.example.com web-tls', '*.shop.example.com web-tls'])
  })

  test('may be without a Secret by name', () => {
    const all = made([ingress('one', ['a.localhost'], [{ hosts: ['a.localhost'] }])])
    expect(shown(all)).toEqual(['* own localhost', 'a.localhost own a.localhost'])
    expect(all.problems).toEqual([])
  })

  test('named localhost keeps the one of its Secret', () => {
    secrets['local'] = holds('local', 'localhost')
    expect(shown(made([ingress('one', ['localhost'], [{ secretName: 'local' }])]))).toEqual([
      '* own localhost',
      'localhost local',
      'localhost own localhost',
    ])
  })

  const instead = 'the own authority of this machine vouches for its hosts instead'
  test.each([
    [[{ hosts: ['a.localhost'], secretName: 'none' }], `there is no Secret "none"; ${instead}`],
    [[{ hosts: ['a.localhost'], secretName: 'broken' }], `the Secret "broken" has no tls.key; ${instead}`],
    [
      [{ hosts: ['a.localhost'], secretName: 'web-tls' }],
      `the certificate in the Secret "web-tls" is not for a.localhost, but for shop.example.com, *.shop.example.com; ${instead}`,
    ],
  ])('whose certificate cannot be shown is served with the own one, and that is told: %j', (tls, message) => {
    const all = made([ingress('one', ['a.localhost'], tls)])
    expect(all.problems.map(problem => problem.message)).toEqual([message])
    expect(shown(all)).toEqual(['* own localhost', 'a.localhost own a.localhost'])
  })

  test('that two Secrets are named for has the one of the older Ingress', () => {
    secrets['more-tls'] = holds('more-tls', 'api.example.com')
    const all = made([
      ingress('late', [], [{ secretName: 'more-tls' }], { created: '2026-02-01T00:00:00Z' }),
      ingress('early', ['api.example.com'], [{ hosts: ['api.example.com'], secretName: 'api-tls' }]),
      ingress('same', [], [{ hosts: ['api.example.com'], secretName: 'api-tls' }]),
    ])
    expect(shown(all)).toEqual(['* own localhost', 'api.example.com api-tls'])
    expect(all.problems).toEqual([
      {
        owner: 'Ingress shop/late',
        reason: 'AlreadyTaken',
        message: 'what api.example.com shows is said by the older Ingress shop/early',
      },
    ])
  })
})

test('the same is served with TLS as without', () => {
  const { model } = made([ingress('one', ['a.localhost', '*.b.localhost'])])
  expect(model.entrances.map(({ port }) => port)).toEqual([80, 8443])
  expect(model.entrances[1]!.hosts).toEqual(model.entrances[0]!.hosts)
})

test('there is no TLS where there are no rules, and none where there is no port for it', () => {
  expect(made([]).model.entrances).toHaveLength(1)
  const plain = made([ingress('one', ['a.localhost'])], { address: '127.0.0.1', port: 80, ownAddresses: [] })
  expect([plain.model.entrances.length, plain.ownNames]).toEqual([1, []])
})

describe('plain requests', () => {
  const redirecting = (annotations: Record<string, string>) =>
    made([
      ingress('one', ['a.localhost'], [{ secretName: 'web-tls' }], { annotations }),
      ingress('two', ['b.localhost']),
    ]).model
  test.each([
    [{ 'ingress.kubernetes.io/ssl-redirect': 'true' }, true],
    [{ 'nginx.ingress.kubernetes.io/ssl-redirect': 'true' }, true],
    [{ 'nginx.ingress.kubernetes.io/force-ssl-redirect': 'true' }, true],
    [{ 'nginx.ingress.kubernetes.io/ssl-redirect': 'false' }, false],
    [{}, false],
  ])('of an Ingress with %j are sent to where TLS is: %s', (annotations, isSent) => {
    const { entrances, backends } = redirecting(annotations)
    const handling = (entrance: number, host: number): unknown => {
      const { backend } = entrances[entrance]!.hosts[host]!.rules[0]!.action.shares[0]!
      return backends.get(backend!)!.handling
    }
    expect(handling(0, 0)).toEqual(isSent ? { redirect: { status: 308, scheme: 'https', port: 8443 } } : {})
    expect([handling(0, 1), handling(1, 0), handling(1, 1)]).toEqual([{}, {}, {}])
  })
})
