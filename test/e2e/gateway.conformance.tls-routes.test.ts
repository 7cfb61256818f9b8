// The conformance features of the Gateway API for TLSRoutes, each as a test that bears its name: connections are led by
// the name that the client says in its hello, and TLS is ended by the service or by the gateway.
import { afterAll, afterEach, beforeAll, describe, test } from 'vitest'
import { gatewayClassName } from '../../src/api/gateway-names.ts'
import type { GatewayClass } from '../../src/api/gateway-api/types.ts'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import type { Asked } from '../../src/testing/gateway-asker.ts'
import { testAuthority, type TestAuthority } from '../../src/testing/gateway-certificates.ts'
import { GatewayFixture, type MoreService } from '../../src/testing/gateway-fixture.ts'
import {
  backend,
  gateway,
  grant,
  listener,
  rule,
  secret,
  terminate,
  tlsRoute,
  webBackends,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()
const abc = 'abc.example.com'
const other = 'other.example.com'

describe.skipIf(reason !== undefined)(`TLSRoutes${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  let authority: TestAuthority
  beforeAll(async () => {
    authority = await testAuthority('tls-routes')
    const own = await authority.server(abc, other, 'non.matching.org')
    const secure = (service: string, namespace?: string): MoreService => ({
      service,
      protocol: 'https',
      certificate: own['tls.crt'],
      key: own['tls.key'],
      servicePort: 443,
      namespace,
    })
    fixture = await GatewayFixture.up('tls-routes', [secure('tls-1'), secure('tls-2'), secure('tls-web', webBackends)])
    await fixture.apply(secret('certificate', own))
  })
  afterEach(() => fixture?.unmake())
  afterAll(() => fixture?.close())

  const passing = (hostname?: string, name = 'tls'): object =>
    listener(name, { port: 443, protocol: 'TLS', hostname, tls: { mode: 'Passthrough' }, kinds: ['TLSRoute'] })
  const ending = (hostname?: string, name = 'terminate'): object =>
    listener(name, { port: 443, protocol: 'TLS', hostname, tls: terminate('certificate'), kinds: ['TLSRoute'] })
  const to = (service: string, more = {}): object => rule(backend(service, { port: 443, ...more }))
  const routes = (name: string, parent: string, byHostname: Readonly<Record<string, string>>): TestObject[] =>
    Object.entries(byHostname).map(([hostname, service], at) =>
      tlsRoute(`${name}-${at + 1}`, parent, [to(service)], { hostnames: [hostname] }),
    )

  const asked = (serverName: string): Asked => ({
    to: `${serverName}/`,
    tls: { serverName, trusted: authority.certificate },
  })

  /** Which service a connection to a name comes to; undefined: it is ended at once. */
  async function reached(name: string, byHostname: Readonly<Record<string, string | undefined>>): Promise<void> {
    const place = await fixture.place(name, 443)
    await fixture.holds(async () => {
      const found = await Promise.all(
        Object.entries(byHostname).map(async ([hostname, service]) => {
          if (service !== undefined) return fixture.asker.differences(place, [[asked(hostname), service]])
          const { error, status } = await fixture.asker.request(place, asked(hostname))
          return error === undefined ? [`${hostname} is answered with ${status}`] : []
        }),
      )
      return found.flat()
    })
  }

  async function hasFeature(name: string): Promise<boolean> {
    const { status } = await fixture.get<GatewayClass>('gatewayclass', gatewayClassName)
    return status?.supportedFeatures?.some(feature => feature.name === name) === true
  }

  describe('of services', () => {
    test('TLSRouteSimpleSameNamespace', async () => {
      await fixture.make(gateway('simple', [passing()]), ...routes('simple', 'simple', { [abc]: 'tls-1' }))
      await fixture.accepted('tlsroute', 'simple-1')
      await reached('simple', { [abc]: 'tls-1' })
    })

    test('TLSRouteHostnameIntersection', async () => {
      const both = { [abc]: 'tls-1', [other]: 'tls-2' }
      const cases = [
        ['exact', passing(abc), { '*.example.com': 'tls-1' }, { [abc]: 'tls-1', [other]: undefined }],
        ['specific', passing('*.example.com'), { [abc]: 'tls-1', '*.com': 'tls-2' }, both],
        ['general', passing('*.com'), { [abc]: 'tls-1', '*.example.com': 'tls-2' }, both],
        ['any', passing(), { [abc]: 'tls-1', '*.com': 'tls-2' }, both],
      ] as const
      for (const [name, listener, byHostname, expected] of cases) {
        await fixture.make(gateway(name, [listener]), ...routes(name, name, byHostname))
        await fixture.accepted('tlsroute', ...Object.keys(byHostname).map((_, at) => `${name}-${at + 1}`))
        await reached(name, { ...expected, 'non.matching.org': undefined })
      }
    })

    test('TLSRouteListenerPassthroughSupportedKinds', async () => {
      await fixture.make(gateway('passing-kinds', [passing()]))
      await fixture.listeners('passing-kinds', {
        tls: { kinds: ['TLSRoute'], conditions: { Accepted: 'True Accepted' }, attached: 0 },
      })
    })
  })

  describe('references', () => {
    async function unresolved(name: string, refersTo: object, why: string): Promise<void> {
      await fixture.make(gateway(name, [passing()]), tlsRoute(name, name, [refersTo], { hostnames: [abc] }))
      await fixture.route('tlsroute', name, { Accepted: 'True', ResolvedRefs: `False ${why}` })
      await reached(name, { [abc]: undefined })
    }

    test('TLSRouteInvalidBackendRefNonexistent', () => unresolved('nonexistent', to('nothing'), 'BackendNotFound'))

    test('TLSRouteInvalidBackendRefUnknownKind', () =>
      unresolved('unknown-kind', to('anything', { group: 'unknown.example.com', kind: 'NonExistent' }), 'InvalidKind'))

    test('TLSRouteInvalidReferenceGrant', async () => {
      await fixture.make(
        grant('wrong-kind', webBackends, {}, { kind: 'Service', name: 'tls-web' }),
        grant('wrong-name', webBackends, { kind: 'TLSRoute' }, { kind: 'Service', name: 'web' }),
      )
      await unresolved('not-granted', to('tls-web', { namespace: webBackends }), 'RefNotPermitted')
    })

    /** Routes that no listener takes, for a reason, and that none counts. */
    async function refused(name: string, listeners: readonly object[], reason: string, section = ''): Promise<void> {
      await fixture.make(
        gateway(name, listeners),
        tlsRoute(name, `${name}${section}`, [to('tls-1')], { hostnames: [abc] }),
      )
      await fixture.route('tlsroute', name, { Accepted: `False ${reason}` })
      const attached = Object.fromEntries(listeners.map(one => [(one as { name: string }).name, { attached: 0 }]))
      await fixture.listeners(name, attached)
    }

    test('TLSRouteInvalidNoMatchingListener', async () => {
      const https = listener('https', { port: 443, protocol: 'HTTPS', tls: terminate('certificate') })
      await refused('http-only', [listener('http')], 'NotAllowedByListeners')
      await refused('https-only', [https], 'NotAllowedByListeners')
      await refused('passing-only', [passing()], 'NoMatchingParent', '/nothing')
    })

    test('TLSRouteInvalidNoMatchingListenerHostname', async () => {
      await refused('other-exact', [passing('www.example.com')], 'NoMatchingListenerHostname')
      await refused('other-wildcard', [passing('*.example.org')], 'NoMatchingListenerHostname')
    })
  })

  describe('of the gateway', () => {
    test('TLSRouteTerminateSimpleSameNamespace', async () => {
      await fixture.make(
        gateway('ending', [ending()]),
        tlsRoute('ending', 'ending', [rule('v1')], { hostnames: [abc] }),
      )
      await fixture.accepted('tlsroute', 'ending')
      await reached('ending', { [abc]: 'v1', [other]: undefined })
    })

    test('TLSRouteListenerTerminateSupportedKinds', async () => {
      await fixture.make(gateway('ending-kinds', [ending()]))
      await fixture.listeners('ending-kinds', {
        terminate: { kinds: ['TLSRoute'], conditions: { Accepted: 'True Accepted' }, attached: 0 },
      })
    })

    // Both say what becomes of listeners that a gateway does not have; one that has them tells it as a feature.
    test('TLSRouteListenerTerminateNotSupported', async () => {
      const Accepted = (await hasFeature('TLSRouteModeTerminate')) ? 'True Accepted' : 'False UnsupportedValue'
      await fixture.make(gateway('ending-or-not', [ending()]))
      await fixture.listeners('ending-or-not', { terminate: { conditions: { Accepted }, attached: 0 } })
    })

    test('TLSRouteListenerMixedTerminationNotSupported', async () => {
      const Accepted = (await hasFeature('TLSRouteModeMixed')) ? 'True Accepted' : 'False ProtocolConflict'
      await fixture.make(gateway('mixed-or-not', [ending(abc), passing(other)]))
      await fixture.listeners('mixed-or-not', {
        terminate: { conditions: { Accepted }, attached: 0 },
        tls: { conditions: { Accepted }, attached: 0 },
      })
    })
  })
})
