// The conformance features of the Gateway API for routes that look at no more than connections or datagrams, each as a
// test that bears its name.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { GatewayFixture, type MoreService } from '../../src/testing/gateway-fixture.ts'
import {
  backend,
  gateway,
  grant,
  listener,
  rule,
  tcpRoute,
  udpRoute,
  webBackends,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()

const services: readonly MoreService[] = [
  ...['tcp-1', 'tcp-2'].map((service): MoreService => ({ service, protocol: 'tcp' })),
  { service: 'tcp-web', protocol: 'tcp', namespace: webBackends },
  ...['udp-1', 'udp-2'].map((service): MoreService => ({ service, protocol: 'udp' })),
  { service: 'udp-web', protocol: 'udp', namespace: webBackends },
]

interface Protocol {
  readonly type: 'connection' | 'datagram'
  readonly protocol: 'TCP' | 'UDP'
  readonly other: 'TCP' | 'UDP'
  readonly kind: string
  readonly route: typeof tcpRoute
  readonly name: string
}
const protocols: readonly Protocol[] = [
  { type: 'connection', protocol: 'TCP', other: 'UDP', kind: 'tcproute', route: tcpRoute, name: 'tcp' },
  { type: 'datagram', protocol: 'UDP', other: 'TCP', kind: 'udproute', route: udpRoute, name: 'udp' },
]

describe.skipIf(reason !== undefined)(`Connections${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  beforeAll(async () => {
    fixture = await GatewayFixture.up('connections', services)
  })
  afterEach(() => fixture?.unmake())
  afterAll(() => fixture?.close())

  describe.each(protocols)('$protocol', ({ type, protocol, other, kind, route, name }) => {
    const [one, two, web] = [`${name}-1`, `${name}-2`, `${name}-web`] as const
    const at = (section: string, port: number): object => listener(section, { protocol, port })
    const taken = { kinds: [`${protocol}Route`], conditions: { Accepted: 'True', ResolvedRefs: 'True' } }

    /** The name of the service that answers. */
    async function answering(gateway: string, port: number): Promise<string> {
      const place = await fixture.place(gateway, port)
      const { body } = await fixture.asker.ask({ type, ...place, message: 'hello' })
      return /^(\S+)\s+hello\s*$/.exec(body)?.[1] ?? `nobody, but ${body}`
    }
    const answers = (gateway: string, port: number, service: string): Promise<void> =>
      fixture.holds(async () => {
        const found = await answering(gateway, port)
        return found === service ? [] : [`at ${port} of ${gateway}, ${found} answers, expected ${service}`]
      })

    test(`${protocol}Route`, async () => {
      await fixture.make(gateway('simple', [at('one', 5300)]), route('simple', 'simple', [rule(one)]))
      await fixture.accepted(kind, 'simple')
      await fixture.listeners('simple', { one: { ...taken, attached: 1 } })
      await answers('simple', 5300, one)
    })

    test(`${protocol}RouteInvalidBackendRefNonexistent`, async () => {
      await fixture.make(
        gateway('nonexistent', [at('one', 5301)]),
        route('nonexistent', 'nonexistent', [rule('nothing')]),
      )
      await fixture.route(kind, 'nonexistent', { Accepted: 'True', ResolvedRefs: 'False BackendNotFound' })
    })

    const toWeb = backend(web, { namespace: webBackends })
    test(`${protocol}RouteInvalidCrossNamespaceBackendRef`, async () => {
      await fixture.make(gateway('not-granted', [at('one', 5302)]), route('not-granted', 'not-granted', [rule(toWeb)]))
      await fixture.route(kind, 'not-granted', { Accepted: 'True', ResolvedRefs: 'False RefNotPermitted' })
    })

    test(`${protocol}RouteReferenceGrant`, async () => {
      await fixture.make(
        gateway('granted', [at('one', 5303)]),
        route('granted', 'granted', [rule(toWeb)]),
        grant('connections', webBackends, { kind: `${protocol}Route` }, { kind: 'Service', name: web }),
      )
      await fixture.accepted(kind, 'granted')
      await answers('granted', 5303, web)
      await fixture.cluster.show('delete', 'referencegrant', 'connections', '-n', webBackends)
      await fixture.route(kind, 'granted', { ResolvedRefs: 'False RefNotPermitted' })
    })

    test(protocol === 'UDP' ? 'UDPRouteNotAllowedByListeners' : 'TCPRouteInvalidNonTCPListener', async () => {
      await fixture.make(
        gateway('other-protocol', [listener('other', { protocol: other, port: 5304 }), at('own', 5305)]),
        route('other-protocol', 'other-protocol/other', [rule(one)]),
      )
      await fixture.route(kind, 'other-protocol', { Accepted: 'False NotAllowedByListeners' })
      await fixture.listeners('other-protocol', { other: { attached: 0 }, own: { attached: 0 } })
    })

    test(`${protocol}RouteMultipleRoutesAttachment`, async () => {
      await fixture.make(gateway('several', [at('one', 5306)]), route('several-1', 'several/one', [rule(one)]))
      await fixture.accepted(kind, 'several-1')
      await answers('several', 5306, one)
      // Of the same second, the first by name is the older one.
      await fixture.make(route('several-2', 'several/one', [rule(two)]))
      for (const name of ['several-1', 'several-2']) await fixture.route(kind, name, { Accepted: 'True Accepted' })
      await fixture.listeners('several', { one: { ...taken, attached: 2 } })
      for (let count = 0; count < 20; count++) expect(await answering('several', 5306)).toBe(one)
    })

    test(protocol === 'UDP' ? 'UDPRouteParentRefAttachAllListeners' : 'TCPRouteParentRefAttachAll', async () => {
      const ports = [5307, 5308, 5309]
      await fixture.make(
        gateway(
          'all-listeners',
          ports.map(port => at(`at-${port}`, port)),
        ),
        route('all-listeners', 'all-listeners', [rule(one)]),
      )
      await fixture.accepted(kind, 'all-listeners')
      for (const port of ports) {
        await fixture.listeners('all-listeners', { [`at-${port}`]: { ...taken, attached: 1 } })
        await answers('all-listeners', port, one)
      }
    })

    test(`${protocol}RouteParentRefPortAndSectionName`, async () => {
      const parent = { name: 'sections' }
      await fixture.make(
        gateway('sections', [at('by-port', 5310), at('by-section', 5311), at('by-both', 5312)]),
        route('by-port', { ...parent, port: 5310 }, [rule(one)]),
        route('by-section', { ...parent, sectionName: 'by-section' }, [rule(two)]),
        route('by-both', { ...parent, port: 5312, sectionName: 'by-both' }, [rule(one)]),
      )
      await fixture.accepted(kind, 'by-port', 'by-section', 'by-both')
      for (const [port, service] of [
        [5310, one],
        [5311, two],
        [5312, one],
      ] as const)
        await answers('sections', port, service)
    })

    test(`${protocol}RouteWeightedRouting`, async () => {
      await fixture.make(
        gateway('weighted', [at('one', 5313)]),
        route('weighted', 'weighted', [rule([backend(one, { weight: 70 }), backend(two, { weight: 30 })])]),
      )
      await fixture.accepted(kind, 'weighted')
      await fixture.holds(async () => {
        const found = await answering('weighted', 5313)
        return found === one || found === two ? [] : [`${found} answers`]
      })
      const place = await fixture.place('weighted', 5313)
      await fixture.sharesOf(
        async () => (await fixture.asker.ask({ type, ...place, message: 'hello' })).body.split(/\s/)[0]!,
        { [one]: 0.7, [two]: 0.3 },
      )
    })
  })
})
