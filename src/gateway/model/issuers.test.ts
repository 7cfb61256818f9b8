// Who gets certificates for which hosts: one for each domain, however many hosts there are.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CertificateIssuer } from '../../api/gateway-api/certificate-issuers.ts'
import type { Ingress, IngressClass } from '../../api/generated/models.ts'
import { gatewayController } from '../../api/gateway-names.ts'
import { gateway, listener, observedWith } from '../../testing/gateway-objects.ts'
import type { FoundCertificate } from './certificate-of.ts'
import { gatewayModel, type MadeModel } from './gateway-model.ts'
import type { Observed } from './observed.ts'

const front = { address: '127.0.0.1', port: 80, securePort: 443, ownAddresses: ['127.7.0.1'] }

const issuer = (
  name: string,
  domains: readonly string[],
  {
    created = '2026-01-01T00:00:00Z',
    solver = { dns01: { propagationSeconds: 0 } } as object,
    challenges = [] as object[],
  } = {},
): CertificateIssuer =>
  ({
    kind: 'CertificateIssuer',
    metadata: { name, creationTimestamp: created },
    spec: { domains, acme: { server: 'https://authority.example', solver } },
    status: { challenges },
  }) as unknown as CertificateIssuer

const ingress = (name: string, hosts: readonly string[], tls: readonly object[] = []): Ingress =>
  ({
    kind: 'Ingress',
    metadata: { name, namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      ingressClassName: 'sampan',
      tls,
      rules: hosts.map(host => ({
        host,
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
        },
      })),
    },
  }) as unknown as Ingress

const holds = (id: string, ...names: string[]): FoundCertificate => ({
  certificate: { id, pem: id },
  names,
  validFromMs: 0,
  expiresAtMs: Infinity,
})

function made(
  certificateIssuers: readonly CertificateIssuer[],
  ingresses: readonly Ingress[],
  secrets: Readonly<Record<string, FoundCertificate>> = {},
  more: Partial<Observed> = {},
): MadeModel {
  const ingressClasses = [{ metadata: { name: 'sampan' }, spec: { controller: gatewayController } }] as IngressClass[]
  const certificate: Observed['certificate'] = (namespace, name) =>
    secrets[`${namespace}/${name}`] ?? { problem: `there is no Secret "${name}" in the namespace ${namespace}` }
  return gatewayModel(observedWith({ ingressClasses, certificateIssuers, ingresses, certificate, ...more }), front)
}

const wanted = ({ wantedCertificates }: MadeModel): string[] =>
  wantedCertificates.map(({ domain, issuer: { metadata }, secret }) => `${domain} of ${metadata.name}: ${secret.name}`)
const shown = ({ model }: MadeModel): string[] =>
  model.entrances.flatMap(({ tls }) => (tls?.certificates ?? []).map(({ to, id }) => `${JSON.stringify(to)} ${id}`))

describe('hosts', () => {
  test('share what is got for all names below', () => {
    const found = made(
      [issuer('public', ['*.test.example.com', 'unused.example.com'])],
      [
        ingress('a', ['a.test.example.com', '*.test.example.com']),
        ingress('b', ['b.test.example.com', 'b.example.org']),
      ],
      { 'kube-system/tls-wildcard.test.example.com': holds('kube-system.wild', '*.test.example.com') },
    )
    expect(wanted(found)).toEqual(['*.test.example.com of public: tls-wildcard.test.example.com'])
    expect(shown(found).map(line => line.split(' ')[1])).toEqual([
      'kube-system.wild',
      'kube-system.wild',
      'kube-system.wild',
    ])
    expect(found.ownNames).toEqual(['localhost', 'b.example.org'])
  })

  test('have the own authority of the machine until there is one', () => {
    const found = made([issuer('public', ['*.test'])], [ingress('a', ['a.test'])])
    expect(shown(found)).toEqual([])
    expect(found.ownNames).toEqual(['localhost', 'a.test'])
  })

  test('of two labels are nobody’s below a star', () => {
    expect(wanted(made([issuer('public', ['*.test'])], [ingress('a', ['a.b.test'])]))).toEqual([])
  })

  test('have their exact domain before the wildcard, and the older issuer before the younger', () => {
    const found = made(
      [
        issuer('young', ['*.test', 'a.test'], { created: '2026-02-01T00:00:00Z' }),
        issuer('old', ['*.test'], { created: '2026-01-01T00:00:00Z' }),
      ],
      [ingress('a', ['a.test', 'b.test'])],
    )
    expect(wanted(found)).toEqual(['a.test of young: tls.a.test', '*.test of old: tls-wildcard.test'])
  })

  test('go on with the certificate of a Secret that is there; one that is missing is made up for', () => {
    const tls = (secretName: string): object[] => [{ hosts: ['a.test'], secretName }]
    const secrets = { 'shop/own': holds('shop.own', 'a.test') }
    const issuers = [issuer('public', ['a.test'])]
    expect(wanted(made(issuers, [ingress('a', ['a.test'], tls('own'))], secrets))).toEqual([])
    const without = made(issuers, [ingress('a', ['a.test'], tls('none'))], secrets)
    expect(wanted(without)).toEqual(['a.test of public: tls.a.test'])
    expect(without.problems.map(({ reason }) => reason)).not.toContain('CertificateNotUsable')
  })
})

test('whatever hosts there are, each domain is asked about once, and no other', () => {
  const label = fc.constantFrom('a', 'b', 'c')
  const host = fc.array(label, { minLength: 1, maxLength: 3 }).map(labels => `${labels.join('.')}.test`)
  const domain = fc.oneof(
    host,
    host.map(name => `*.${name}`),
  )
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(domain, { minLength: 1, maxLength: 4 }), { maxLength: 3 }),
      fc.array(fc.uniqueArray(host, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
      (domains, hosts) => {
        const { wantedCertificates } = made(
          domains.map((each, index) => issuer(`issuer-${index}`, each)),
          hosts.map((each, index) => ingress(`ingress-${index}`, each)),
        )
        const asked = wantedCertificates.map(each => each.domain)
        expect(new Set(asked).size).toBe(asked.length)
        expect(new Set(wantedCertificates.map(({ secret }) => secret.name)).size).toBe(asked.length)
        const known = new Set(domains.flat())
        const needed = hosts
          .flat()
          .map(name => [name, name.replace(/^[^.]+/, '*')].find(each => known.has(each)))
          .filter(each => each !== undefined)
        expect(new Set(asked)).toEqual(new Set(needed))
      },
    ),
  )
})

describe('a listener whose Secret is missing', () => {
  const secure = gateway({ name: 'entry' }, [
    listener({
      name: 'https',
      port: 443,
      protocol: 'HTTPS',
      hostname: 'a.test',
      tls: { mode: 'Terminate', certificateRefs: [{ group: '', kind: 'Secret', name: 'a-tls' }] },
    }),
  ])
  const byHttp = issuer('public', ['a.test'], { solver: { http01: {} } })
  const told = ({ gateways }: MadeModel): string[] =>
    gateways.flatMap(({ listeners }) => listeners.flatMap(({ findings }) => findings.map(({ message }) => message)))

  test('gets the certificate of an issuer, and says meanwhile whom it waits for', () => {
    const waiting = made([byHttp], [], {}, { gateways: [secure] })
    expect(wanted(waiting)).toEqual(['a.test of public: tls.a.test'])
    expect(told(waiting)).toEqual(['the CertificateIssuer "public" has no certificate for a.test yet'])
    const secrets = { 'kube-system/tls.a.test': holds('kube-system.tls.a.test', 'a.test') }
    const served = made([byHttp], [], secrets, { gateways: [secure] })
    expect(told(served)).toEqual([])
    expect(shown(served)[0]).toBe('{"kind":"exact","name":"a.test"} kube-system.tls.a.test')
  })

  test('has port 80 beside it, where the authority asks', () => {
    const secrets = { 'kube-system/tls.a.test': holds('kube-system.tls.a.test', 'a.test') }
    const places = (issuers: readonly CertificateIssuer[]): string[] =>
      made(issuers, [], secrets, { gateways: [secure] }).model.entrances.map(
        ({ address, port }) => `${address}:${port}`,
      )
    expect(places([byHttp])).toEqual(['127.0.0.1:80', '127.7.0.1:443', '127.0.0.1:443', '127.7.0.1:80'])
    expect(places([issuer('public', ['a.test'])])).toEqual(['127.0.0.1:80', '127.7.0.1:443', '127.0.0.1:443'])
  })

  test('an open challenge is answered by host and path; without such an issuer nothing is looked up', () => {
    const challenges = [{ host: 'a.test', token: 'T-1_x', keyAuthorization: 'T-1_x.thumb' }]
    const open = issuer('public', ['a.test'], { solver: { http01: {} }, challenges })
    expect(made([open], [ingress('a', ['a.test'])]).model.answers).toEqual(
      new Map([['a.test/.well-known/acme-challenge/T-1_x', 'T-1_x.thumb']]),
    )
    expect(made([issuer('public', ['a.test'])], [ingress('a', ['a.test'])]).model.answers).toBeUndefined()
  })
})
