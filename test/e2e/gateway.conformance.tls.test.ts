// The conformance features of the Gateway API for TLS that the gateway ends and begins, each as a test that bears its
// name: certificates of listeners, of clients, and of services.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import type { Asked, Case } from '../../src/testing/gateway-asker.ts'
import { testAuthority, type CertificateData, type TestAuthority } from '../../src/testing/gateway-certificates.ts'
import type { Place } from '../../src/testing/gateway-client.ts'
import { GatewayFixture, type ExpectedListener } from '../../src/testing/gateway-fixture.ts'
import {
  backend,
  exact,
  gateway,
  gatewayApi,
  home,
  httpRoute,
  httpsListener,
  listener,
  redirect,
  rule,
  secret,
  service,
  webBackends,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()
const identity = 'spiffe://abc.example.com/test-identity'
const names = [
  'example.org',
  'second-example.org',
  'unknown-example.org',
  'third-example.wildcard.org',
  'fourth-example.wildcard.org',
]

/** An authority, as those who trust it are told of it. */
const configMap = (name: string, certificate: string): TestObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: home },
  data: { 'ca.crt': certificate },
})

/** How the gateway speaks TLS to a service, or to a port of it. */
const policy = (name: string, service: string, validation: object, sectionName?: string): TestObject => ({
  apiVersion: `${gatewayApi}/v1`,
  kind: 'BackendTLSPolicy',
  metadata: { name, namespace: home },
  spec: {
    targetRefs: [{ group: '', kind: 'Service', name: service, ...(sectionName !== undefined && { sectionName }) }],
    validation,
  },
})

const byName = (hostname: string): object => ({
  hostname,
  caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'authority' }],
})

describe.skipIf(reason !== undefined)(`TLS${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  let authority: TestAuthority
  let otherAuthority: TestAuthority
  beforeAll(async () => {
    authority = await testAuthority('one')
    otherAuthority = await testAuthority('other')
    const own = await authority.server('abc.example.com', 'other.example.com', identity)
    fixture = await GatewayFixture.up('tls', [
      { service: 'secure', protocol: 'https', certificate: own['tls.crt'], key: own['tls.key'], servicePort: 443 },
    ])
    await fixture.apply(
      secret('certificate', await authority.server(...names)),
      configMap('authority', authority.certificate),
      configMap('other-authority', otherAuthority.certificate),
      gateway('secured', [
        httpsListener('https', 'certificate'),
        httpsListener('https-with-hostname', 'certificate', { hostname: 'second-example.org' }),
        httpsListener('https-with-wildcard', 'certificate', { hostname: '*.wildcard.org' }),
        httpsListener('https-within-wildcard', 'certificate', { hostname: 'fourth-example.wildcard.org' }),
      ]),
    )
  })
  afterEach(() => fixture?.unmake())
  afterAll(() => fixture?.close())

  /** A request by a name that the client says in its hello, and perhaps with a certificate. */
  const secure = (serverName: string, to: string, client?: CertificateData): Asked => ({
    to,
    tls: { serverName, trusted: authority.certificate, certificate: client?.['tls.crt'], key: client?.['tls.key'] },
  })

  describe('listeners', () => {
    test('HTTPRouteHTTPSListener', async () => {
      await fixture.make(
        httpRoute('https', 'secured', [rule('v1')], { hostnames: ['example.org'] }),
        httpRoute('https-no-hostname', 'secured/https-with-hostname', [rule('v2')]),
      )
      await fixture.accepted('httproute', 'https', 'https-no-hostname')
      await fixture.answers(await fixture.place('secured', 443), [
        [secure('example.org', 'example.org/'), 'v1'],
        [secure('second-example.org', 'second-example.org/'), 'v2'],
        [secure('unknown-example.org', 'unknown-example.org/'), 404],
      ])
    })

    test('HTTPRouteRedirectPortAndScheme', async () => {
      const hostname = 'example.org'
      const redirects = (to: readonly object[]): object[] =>
        to.map((more, at) => ({ matches: [exact(`/${at}`)], filters: [redirect({ hostname, ...more })] }))
      const plain = [{}, { port: 80 }, { port: 8080 }, { scheme: 'https' }, { scheme: 'https', port: 443 }]
      const fromHttp = redirects([...plain, { scheme: 'https', port: 8443 }])
      const fromHttps = redirects([
        {},
        { port: 443 },
        { port: 8443 },
        { scheme: 'http' },
        { scheme: 'http', port: 80 },
        { scheme: 'http', port: 8080 },
      ])
      const http = { hostname, protocol: 'http:', port: '' }
      const https = { hostname, protocol: 'https:', port: '' }
      await fixture.make(
        gateway('at-8080', [listener('http', { port: 8080 })]),
        httpRoute('from-80', 'same', fromHttp),
        httpRoute('from-8080', 'at-8080', redirects(plain.slice(0, 4))),
        httpRoute('from-443', 'secured/https', fromHttps),
      )
      await fixture.accepted('httproute', 'from-80', 'from-8080', 'from-443')
      const leading = (locations: readonly object[], asked: (path: string) => string | Asked): Case[] =>
        locations.map((location, at): Case => [asked(`/${at}`), { status: 302, location }])
      await fixture.answers(
        'same',
        leading([http, http, { ...http, port: '8080' }, https, https, { ...https, port: '8443' }], path => path),
      )
      await fixture.answers(
        await fixture.place('at-8080', 8080),
        leading([{ ...http, port: '8080' }, http, { ...http, port: '8080' }, https], path => path),
      )
      await fixture.answers(
        await fixture.place('secured', 443),
        leading([https, https, { ...https, port: '8443' }, http, http, { ...http, port: '8080' }], path =>
          secure('example.org', `example.org${path}`),
        ),
      )
    })
  })

  describe('misdirected requests', () => {
    test('HTTPRouteHTTPSListenerDetectMisdirectedRequests', async () => {
      const [path, matches] = ['/misdirected', [exact('/misdirected')]]
      await fixture.make(
        httpRoute('misdirected-1', 'secured', [rule('v1', matches)], { hostnames: ['example.org'] }),
        httpRoute('misdirected-2', 'secured/https-with-hostname', [rule('v2', matches)]),
        httpRoute('misdirected-3', 'secured/https-with-wildcard', [rule('v3', matches)]),
        httpRoute('misdirected-4', 'secured/https-within-wildcard', [rule('v1', matches)]),
      )
      await fixture.accepted('httproute', 'misdirected-1', 'misdirected-2', 'misdirected-3', 'misdirected-4')
      const asked: readonly (readonly [string, string, string | number])[] = [
        ['example.org', 'example.org', 'v1'],
        ['example.org', 'second-example.org', 421],
        ['example.org', 'unknown-example.org', 404],
        ['second-example.org', 'second-example.org', 'v2'],
        ['second-example.org', 'example.org', 421],
        ['second-example.org', 'unknown-example.org', 421],
        ['third-example.wildcard.org', 'third-example.wildcard.org', 'v3'],
        ['third-example.wildcard.org', 'fifth-example.wildcard.org', 'v3'],
        ['third-example.wildcard.org', 'fourth-example.wildcard.org', 421],
        ['third-example.wildcard.org', 'second-example.org', 421],
        ['third-example.wildcard.org', 'unknown-example.org', 421],
        ['fourth-example.wildcard.org', 'fourth-example.wildcard.org', 'v1'],
        ['fourth-example.wildcard.org', 'fifth-example.wildcard.org', 421],
        ['unknown-example.org', 'example.org', 'v1'],
        ['unknown-example.org', 'unknown-example.org', 404],
      ]
      await fixture.answers(
        await fixture.place('secured', 443),
        asked.map(([serverName, host, expected]): Case => [secure(serverName, `${host}${path}`), expected]),
      )
    })
  })

  describe('certificates of clients', () => {
    let own: CertificateData
    let other: CertificateData
    beforeAll(async () => {
      own = await authority.client('ann')
      other = await otherAuthority.client('bob')
    })

    const trusting = (name: string, more: object = {}): object => ({
      validation: { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name, ...more }] },
    })
    const fallback = (name: string): object => ({
      validation: {
        mode: 'AllowInsecureFallback',
        caCertificateRefs: [{ group: '', kind: 'ConfigMap', name }],
      },
    })
    const listeners = [
      httpsListener('https', 'certificate'),
      httpsListener('https-with-hostname', 'certificate', { port: 8443, hostname: 'second-example.org' }),
    ]
    /** Clients show a certificate of one authority at one port, and of another at the other. */
    async function asking(name: string, ofUsual: object, ofPort: object): Promise<[Place, Place]> {
      await fixture.make(
        gateway(name, listeners, { tls: { frontend: { default: ofUsual, perPort: [{ port: 8443, tls: ofPort }] } } }),
        httpRoute(`${name}-1`, name, [rule('v1')], { hostnames: ['example.org'] }),
        httpRoute(`${name}-2`, `${name}/https-with-hostname`, [rule('v2')]),
      )
      await fixture.accepted('httproute', `${name}-1`, `${name}-2`)
      return [await fixture.place(name, 443), await fixture.place(name, 8443)]
    }
    const first = (client?: CertificateData): Asked => secure('example.org', 'example.org/', client)
    const second = (client?: CertificateData): Asked => secure('second-example.org', 'second-example.org/', client)
    /** The handshake is refused. */
    async function isRefused(place: Place, asked: Asked): Promise<void> {
      await fixture.holds(async () => {
        const { error, status } = await fixture.asker.request(place, asked)
        return error === undefined ? [`the status ${status} came, expected a handshake that is refused`] : []
      })
    }

    test('GatewayFrontendClientCertificateValidation', async () => {
      const [usual, port] = await asking('validated', trusting('authority'), trusting('other-authority'))
      await fixture.answers(usual, [[first(own), 'v1']])
      await isRefused(usual, first(other))
      await isRefused(usual, first())
      await fixture.answers(port, [[second(other), 'v2']])
      await isRefused(port, second(own))
      await isRefused(port, second())
    })

    test('GatewayFrontendClientCertificateValidationInsecureFallback', async () => {
      const [usual, port] = await asking('fallback', fallback('authority'), fallback('other-authority'))
      await fixture.gateway('fallback', { InsecureFrontendValidationMode: 'True ConfigurationChanged' })
      await fixture.answers(usual, [
        [first(own), 'v1'],
        [first(other), 'v1'],
        [first(), 'v1'],
      ])
      await fixture.answers(port, [
        [second(other), 'v2'],
        [second(own), 'v2'],
        [second(), 'v2'],
      ])
    })

    const ofListener = (resolved: string, accepted: string, programmed: string): ExpectedListener => ({
      conditions: { ResolvedRefs: resolved, Accepted: accepted, Programmed: programmed },
    })

    test('GatewayFrontendInvalidDefaultClientCertificateValidation', async () => {
      const tls = { frontend: { default: trusting('nothing') } }
      await fixture.make(
        gateway('invalid-default', [listener('http'), httpsListener('https', 'certificate')], { tls }),
        httpRoute('invalid-default', 'invalid-default', [rule('v1')], { hostnames: ['example.org'] }),
      )
      await fixture.listeners('invalid-default', {
        http: ofListener('True', 'True', 'True'),
        https: ofListener('False InvalidCACertificateRef', 'False NoValidCACertificate', 'False'),
      })
      await fixture.answers('invalid-default', [['example.org/', 'v1']])
      await isRefused(await fixture.place('invalid-default', 443), first())
    })

    test('GatewayInvalidFrontendClientCertificateValidation', async () => {
      const port = (port: number, tls: object): object => ({ port, tls })
      const tls = {
        frontend: {
          default: trusting('authority'),
          perPort: [
            port(7443, trusting('nothing')),
            port(8443, trusting('v1', { kind: 'Service' })),
            port(6443, trusting('authority', { namespace: webBackends })),
          ],
        },
      }
      const at = (port: number): object => httpsListener(`at-${port}`, 'certificate', { port })
      await fixture.make(gateway('invalid-validation', [443, 7443, 8443, 6443].map(at), { tls }))
      const refused = (why: string): ExpectedListener =>
        ofListener(`False ${why}`, 'False NoValidCACertificate', 'False')
      await fixture.listeners('invalid-validation', {
        'at-443': ofListener('True', 'True', 'True'),
        'at-7443': refused('InvalidCACertificateRef'),
        'at-8443': refused('InvalidCACertificateKind'),
        'at-6443': refused('RefNotPermitted'),
      })
    })
  })

  describe('services', () => {
    const abc = { status: 200, service: 'secure', echo: { serverName: 'abc.example.com' } }
    const other = { ...abc, echo: { serverName: 'other.example.com' } }
    const unavailable = { status: [500, 502, 503] }
    /** Services that all lead to the one that speaks TLS. */
    const securely = async (...services: string[]): Promise<void> => {
      const { spec } = await fixture.get<{ spec: { ports: { targetPort: number }[] } }>('service', 'secure')
      const targetPort = spec.ports[0]!.targetPort
      const ports = [443, 8443].map((port, at) => ({ name: `https-${at + 1}`, port, targetPort }))
      await fixture.make(...services.map(name => service(name, { selector: { app: 'backends' }, ports })))
    }

    test('BackendTLSPolicy', async () => {
      await securely('wrongly-named')
      await fixture.make(
        policy('usual', 'secure', byName('abc.example.com')),
        policy('wrong', 'wrongly-named', byName('not.example.com')),
      )
      await fixture.routed(
        'same',
        [
          ['abc.example.com/secure', abc],
          ['abc.example.com/wrong', unavailable],
        ],
        httpRoute('usual', 'same', [
          rule(backend('secure', { port: 443 }), [exact('/secure')]),
          rule(backend('wrongly-named', { port: 443 }), [exact('/wrong')]),
        ]),
      )
      await fixture.policy('usual', { Accepted: 'True Accepted', ResolvedRefs: 'True ResolvedRefs' })
    })

    test('BackendTLSPolicyConflictResolution', async () => {
      await securely('whole', 'by-section', 'by-both')
      const accepted = { Accepted: 'True Accepted' }
      const conflicted = { Accepted: 'False Conflicted' }
      const [usual, special] = [byName('abc.example.com'), byName('other.example.com')]
      await fixture.make(
        policy('whole-1', 'whole', special),
        policy('whole-2', 'whole', usual),
        policy('section-1', 'by-section', special, 'https-1'),
        policy('section-2', 'by-section', usual, 'https-1'),
        policy('both-section', 'by-both', special, 'https-1'),
        policy('both-whole', 'by-both', usual),
      )
      await fixture.routed(
        'same',
        [
          ['abc.example.com/whole', other],
          ['abc.example.com/section', other],
          ['abc.example.com/both-section', other],
          ['abc.example.com/both-whole', abc],
        ],
        httpRoute('conflicts', 'same', [
          rule(backend('whole', { port: 443 }), [exact('/whole')]),
          rule(backend('by-section', { port: 443 }), [exact('/section')]),
          rule(backend('by-both', { port: 443 }), [exact('/both-section')]),
          rule(backend('by-both', { port: 8443 }), [exact('/both-whole')]),
        ]),
      )
      for (const name of ['whole-1', 'section-1', 'both-section', 'both-whole']) await fixture.policy(name, accepted)
      for (const name of ['whole-2', 'section-2']) await fixture.policy(name, conflicted)
    })

    /** A policy whose authority is not there as it should be. */
    async function withoutAuthority(name: string, reference: object, why: string): Promise<void> {
      await securely(name)
      await fixture.make(
        policy(name, name, {
          hostname: 'abc.example.com',
          caCertificateRefs: [{ group: '', kind: 'ConfigMap', ...reference }],
        }),
      )
      const path = `abc.example.com/${name}`
      const route = httpRoute(name, 'same', [rule(backend(name, { port: 443 }), [exact(`/${name}`)])])
      await fixture.make(route)
      await fixture.policy(name, { Accepted: 'False NoValidCACertificate', ResolvedRefs: `False ${why}` })
      await fixture.answers('same', [[path, unavailable]])
    }

    test('BackendTLSPolicyInvalidCACertificateRef', async () => {
      await fixture.make(configMap('malformed-authority', 'Hello world'))
      await withoutAuthority('nonexistent', { name: 'nothing' }, 'InvalidCACertificateRef')
      await withoutAuthority('malformed', { name: 'malformed-authority' }, 'InvalidCACertificateRef')
    })

    test('BackendTLSPolicyInvalidKind', () =>
      withoutAuthority('invalid-kind', { kind: 'InvalidKind', name: 'authority' }, 'InvalidKind'))

    /** A Gateway that shows its services the certificate of a secret. */
    const showing = (name: string, clientCertificateRef: object): TestObject =>
      gateway(name, [listener('http')], { tls: { backend: { clientCertificateRef } } })

    test('GatewayTLSBackendClientCertificate', async () => {
      await fixture.make(
        secret('gateway-client', await authority.client('gateway')),
        showing('showing', { name: 'gateway-client' }),
        policy('showing', 'secure', byName('abc.example.com')),
      )
      await fixture.gateway('showing', { ResolvedRefs: 'True ResolvedRefs' })
      const shown = { status: 200, service: 'secure', echo: { client: 'gateway' } }
      await fixture.routed(
        'showing',
        [['abc.example.com/', shown]],
        httpRoute('showing', 'showing', [rule(backend('secure', { port: 443 }))]),
      )
      // Another Gateway shows nothing of it.
      await fixture.routed(
        'same',
        [['abc.example.com/', { status: 200, service: 'secure', echo: { client: undefined } }]],
        httpRoute('not-showing', 'same', [rule(backend('secure', { port: 443 }))]),
      )
      await fixture.apply(secret('gateway-client', await authority.client('gateway-renewed')))
      await fixture.answers('showing', [['abc.example.com/', { ...shown, echo: { client: 'gateway-renewed' } }]])
    })

    test('GatewayInvalidTLSBackendConfiguration', async () => {
      const wrong: readonly (readonly [string, object, string])[] = [
        ['nonexistent', { name: 'nothing' }, 'InvalidClientCertificateRef'],
        ['other-group', { group: 'wrong.example.com', name: 'certificate' }, 'InvalidClientCertificateRef'],
        ['other-kind', { kind: 'ConfigMap', name: 'authority' }, 'InvalidClientCertificateRef'],
        ['malformed', { name: 'malformed' }, 'InvalidClientCertificateRef'],
        ['not-granted', { name: 'certificate', namespace: webBackends }, 'RefNotPermitted'],
      ]
      await fixture.make(secret('malformed', { 'tls.crt': 'Hello world', 'tls.key': 'Hello world' }))
      for (const [name, reference] of wrong) await fixture.make(showing(name, reference))
      for (const [name, , why] of wrong)
        await fixture.gateway(name, { ResolvedRefs: `False ${why}`, Accepted: 'True Accepted' })
    })

    test('BackendTLSPolicyObservedGenerationBump', async () => {
      await fixture.make(
        policy('observed', 'secure', byName('abc.example.com')),
        httpRoute('observed', 'same', [rule(backend('secure', { port: 443 }))]),
      )
      await fixture.policy('observed', { Accepted: 'True' })
      await fixture.patch('backendtlspolicy', 'observed', { spec: { validation: { hostname: 'foo.example.com' } } })
      const { metadata } = await fixture.get<{ metadata: { generation: number } }>('backendtlspolicy', 'observed')
      expect(metadata.generation).toBe(2)
      await fixture.policy('observed', { Accepted: 'True', ResolvedRefs: 'True' })
    })
  })
})
