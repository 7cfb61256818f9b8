// The conformance features of the Gateway API for gRPC, and for routes that look at no more than connections or datagrams,
// each as a test that bears its name.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { echoOf } from '../../src/testing/gateway-asker.ts'
import type { Question } from '../../src/testing/gateway-client.ts'
import { GatewayFixture, type MoreService } from '../../src/testing/gateway-fixture.ts'
import {
  backend,
  gateway,
  grant,
  grpcRoute,
  header,
  listener,
  rule,
  tcpRoute,
  udpRoute,
  webBackends,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()
/** Status of a call that nothing takes. */
const unimplemented = 12

const services: readonly MoreService[] = [
  ...['grpc-1', 'grpc-2', 'grpc-3'].map((service): MoreService => ({ service, protocol: 'http2' })),
  ...['tcp-1', 'tcp-2'].map((service): MoreService => ({ service, protocol: 'tcp' })),
  ...['udp-1', 'udp-2'].map((service): MoreService => ({ service, protocol: 'udp' })),
  { service: 'tcp-web', protocol: 'tcp', namespace: webBackends },
  { service: 'udp-web', protocol: 'udp', namespace: webBackends },
]

describe.skipIf(reason !== undefined)(`Connections${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  beforeAll(async () => {
    fixture = await GatewayFixture.up('connections', services)
  })
  afterEach(() => fixture?.unmake())
  afterAll(() => fixture?.close())

  describe('gRPC', () => {
    /** A method of the service, perhaps at a name and with headers, and who answers it, or the status. */
    type Call = readonly [
      asked: { readonly method?: string; readonly host?: string; readonly headers?: Readonly<Record<string, string>> },
      expected: string | number,
    ]

    const called = (name: string, calls: readonly Call[]): Promise<void> =>
      fixture.holds(async () => {
        const place = await fixture.place(name)
        const found = await Promise.all(
          calls.map(async ([{ method = 'Echo', host = 'example.com', headers = {} }, expected]) => {
            const question = { type: 'call', ...place, method: `/test.Echo/${method}`, host, headers } as const
            const answer = await fixture.asker.ask(question)
            const what = answer.status === 0 ? echoOf(answer).service : answer.status
            return what === expected ? [] : [`${method} ${host} ${JSON.stringify(headers)} is ${what}, not ${expected}`]
          }),
        )
        return found.flat()
      })

    const method = (name: string): object => ({ method: { service: 'test.Echo', method: name } })

    async function routed(calls: readonly Call[], ...routes: readonly TestObject[]): Promise<void> {
      await fixture.make(...routes)
      await fixture.accepted('grpcroute', ...routes.map(({ metadata }) => metadata.name))
      await called('same', calls)
    }

    test('GRPCExactMethodMatching', () =>
      routed(
        [
          [{ method: 'Echo' }, 'grpc-1'],
          [{ method: 'EchoTwo' }, 'grpc-2'],
          [{ method: 'EchoThree' }, unimplemented],
        ],
        grpcRoute('methods', 'same', [rule('grpc-1', [method('Echo')]), rule('grpc-2', [method('EchoTwo')])]),
      ))

    test('GRPCRouteHeaderMatching', () =>
      routed(
        [
          [{ headers: { Version: 'one' } }, 'grpc-1'],
          [{ headers: { Version: 'two' } }, 'grpc-2'],
          [{ headers: { Version: 'two', Color: 'orange' } }, 'grpc-1'],
          [{ headers: { Version: 'two', Color: 'blue' } }, 'grpc-2'],
          [{ headers: { Color: 'blue' } }, 'grpc-1'],
          [{ headers: { Color: 'green' } }, 'grpc-1'],
          [{ headers: { Color: 'red' } }, 'grpc-2'],
          [{ headers: { Color: 'yellow' } }, 'grpc-2'],
          [{ headers: { Color: 'orange' } }, unimplemented],
          [{ headers: { Color: 'purple' } }, unimplemented],
          [{ headers: { 'Some-Other-Header': 'one' } }, unimplemented],
        ],
        grpcRoute('headers', 'same', [
          rule('grpc-1', [header({ version: 'one' })]),
          rule('grpc-2', [header({ version: 'two' })]),
          rule('grpc-1', [header({ version: 'two', color: 'orange' })]),
          rule('grpc-1', [header({ color: 'blue' }), header({ color: 'green' })]),
          rule('grpc-2', [header({ color: 'red' }), header({ color: 'yellow' })]),
        ]),
      ))

    test('GRPCRouteListenerHostnameMatching', async () => {
      await fixture.make(
        gateway(
          'calls-by-hostname',
          ['bar.com', 'foo.bar.com', '*.bar.com', '*.foo.com'].map((hostname, at) =>
            listener(`listener-${at + 1}`, { hostname }),
          ),
        ),
        grpcRoute('host-1', 'calls-by-hostname/listener-1', [rule('grpc-1')]),
        grpcRoute('host-2', 'calls-by-hostname/listener-2', [rule('grpc-2')]),
        grpcRoute('host-3', ['calls-by-hostname/listener-3', 'calls-by-hostname/listener-4'], [rule('grpc-3')]),
      )
      await fixture.accepted('grpcroute', 'host-1', 'host-2', 'host-3')
      await called('calls-by-hostname', [
        [{ host: 'bar.com' }, 'grpc-1'],
        [{ host: 'foo.bar.com' }, 'grpc-2'],
        [{ host: 'baz.bar.com' }, 'grpc-3'],
        [{ host: 'boo.bar.com' }, 'grpc-3'],
        [{ host: 'multiple.prefixes.bar.com' }, 'grpc-3'],
        [{ host: 'multiple.prefixes.foo.com' }, 'grpc-3'],
        [{ host: 'foo.com' }, unimplemented],
        [{ host: 'no.matching.host' }, unimplemented],
      ])
    })

    test('GRPCRouteNamedRule', () =>
      routed(
        [
          [{ method: 'Echo' }, 'grpc-1'],
          [{ method: 'EchoTwo' }, 'grpc-2'],
        ],
        grpcRoute('named', 'same', [
          rule('grpc-1', [method('Echo')], { name: 'named-rule' }),
          rule('grpc-2', [method('EchoTwo')]),
        ]),
      ))

    test('GRPCRouteWeight', async () => {
      const weights = { 'grpc-1': 70, 'grpc-2': 30, 'grpc-3': 0 }
      const backends = Object.entries(weights).map(([name, weight]) => backend(name, { weight }))
      await fixture.make(grpcRoute('weighted', 'same', [rule(backends)]))
      await fixture.accepted('grpcroute', 'weighted')
      const question: Question = {
        type: 'call',
        ...(await fixture.place('same')),
        method: '/test.Echo/Echo',
        host: 'example.com',
        headers: {},
      }
      await fixture.holds(async () => ((await fixture.asker.ask(question)).status === 0 ? [] : ['nobody answers']))
      await fixture.sharesOf(async () => echoOf(await fixture.asker.ask(question)).service ?? '', {
        'grpc-1': 0.7,
        'grpc-2': 0.3,
      })
    })
  })

  describe.each([
    { type: 'connection', protocol: 'TCP', other: 'UDP', kind: 'tcproute', route: tcpRoute, name: 'tcp' },
    { type: 'datagram', protocol: 'UDP', other: 'TCP', kind: 'udproute', route: udpRoute, name: 'udp' },
  ] as const)('$protocol', ({ type, protocol, other, kind, route, name }) => {
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

    // There is no such test of TCPRoutes.
    test.runIf(protocol === 'UDP')('UDPRoute', async () => {
      await fixture.make(gateway('simple', [at('simple', 5300)]), route('simple', 'simple', [rule(one)]))
      await fixture.accepted(kind, 'simple')
      await fixture.gateway('simple', { Accepted: 'True' }, { simple: { ...taken, attached: 1 } })
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
      await fixture.gateway('other-protocol', {}, { other: { attached: 0 }, own: { attached: 0 } })
    })

    test(`${protocol}RouteMultipleRoutesAttachment`, async () => {
      await fixture.make(gateway('several', [at('one', 5306)]), route('several-1', 'several/one', [rule(one)]))
      await fixture.accepted(kind, 'several-1')
      await answers('several', 5306, one)
      // Of the same second, the first by name is the older one.
      await fixture.make(route('several-2', 'several/one', [rule(two)]))
      for (const name of ['several-1', 'several-2']) await fixture.route(kind, name, { Accepted: 'True Accepted' })
      await fixture.gateway('several', {}, { one: { ...taken, attached: 2 } })
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
        await fixture.gateway('all-listeners', {}, { [`at-${port}`]: { ...taken, attached: 1 } })
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
        return [one, two].includes(found as typeof one) ? [] : [`${found} answers`]
      })
      const place = await fixture.place('weighted', 5313)
      await fixture.sharesOf(
        async () => (await fixture.asker.ask({ type, ...place, message: 'hello' })).body.split(/\s/)[0]!,
        { [one]: 0.7, [two]: 0.3 },
      )
    })
  })
})
