// The conformance features of the Gateway API for what HTTPRoutes refer to, each as a test that bears its name: which
// gateways and listeners take them, and which backends they reach.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import type { Case } from '../../src/testing/gateway-asker.ts'
import { GatewayFixture } from '../../src/testing/gateway-fixture.ts'
import {
  appBackends,
  backend,
  exact,
  gateway,
  gatewayApi,
  grant,
  home,
  httpRoute,
  listener,
  prefix,
  rule,
  service,
  webBackends,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(
  `References of HTTPRoutes${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let fixture: GatewayFixture
    beforeAll(async () => {
      fixture = await GatewayFixture.up('references')
    })
    afterEach(() => fixture?.unmake())
    afterAll(() => fixture?.close())

    /** Routes of the gateway that takes those beside it, and what comes of requests to it. */
    const routed = (cases: readonly Case[], ...routes: readonly TestObject[]): Promise<void> =>
      fixture.routed('same', cases, ...routes)

    describe('parents', () => {
      test('HTTPRouteCrossNamespace', async () => {
        await fixture.make(httpRoute('from-web', 'labelled', [rule('web')], { namespace: webBackends }))
        await fixture.route(
          'httproute',
          'from-web',
          { Accepted: 'True', ResolvedRefs: 'True' },
          { namespace: webBackends },
        )
        await fixture.answers('labelled', [['/', { status: 200, service: 'web', echo: { namespace: webBackends } }]])
      })

      test('HTTPRouteMultipleGateways', async () => {
        await fixture.make(
          httpRoute('shared', ['same', 'all'], [rule('v1', [prefix('/shared')])]),
          httpRoute('of-same', 'same', [rule('v2')]),
          httpRoute('of-all', 'all', [rule('v3')]),
        )
        await fixture.accepted('httproute', 'shared', 'of-same', 'of-all')
        await fixture.answers('same', [
          ['/shared', 'v1'],
          ['/', 'v2'],
        ])
        await fixture.answers('all', [
          ['/shared', 'v1'],
          ['/', 'v3'],
        ])
        const { status } = await fixture.get<{ status: { parents: object[] } }>('httproute', 'shared')
        expect(status.parents).toHaveLength(2)
      })

      /** A route that its one parent does not take, for a reason, and does not count. */
      async function refused(route: TestObject, reason: string, parent: string, namespace = home): Promise<void> {
        await fixture.make(route)
        await fixture.route('httproute', route.metadata.name, { Accepted: `False ${reason}` }, { namespace })
        await fixture.listeners(parent, { http: { attached: 0 } })
      }

      test('HTTPRouteInvalidCrossNamespaceParentRef', () =>
        refused(
          httpRoute('foreign', 'same', [rule('web')], { namespace: webBackends }),
          'NotAllowedByListeners',
          'same',
          webBackends,
        ))

      test('HTTPRouteInvalidParentRefNotMatchingSectionName', () =>
        refused(httpRoute('no-section', 'same/nowhere', [rule('v1')]), 'NoMatchingParent', 'same'))

      test('HTTPRouteInvalidParentRefNotMatchingListenerPort', () =>
        refused(httpRoute('no-port', { name: 'same', port: 81 }, [rule('v1')]), 'NoMatchingParent', 'same'))

      test('HTTPRouteInvalidParentRefSectionNameNotMatchingPort', () =>
        refused(
          httpRoute('other-port', { name: 'same', sectionName: 'http', port: 81 }, [rule('v1')]),
          'NoMatchingParent',
          'same',
        ))

      test('HTTPRouteDisallowedKind', async () => {
        const tls = { port: 443, protocol: 'TLS', tls: { mode: 'Passthrough' }, kinds: ['TLSRoute'] }
        await fixture.make(gateway('tls-only', [listener('http', tls)]))
        await refused(httpRoute('disallowed', 'tls-only', [rule('v1')]), 'NotAllowedByListeners', 'tls-only')
        await fixture.route('httproute', 'disallowed', { ResolvedRefs: 'True' })
      })

      test('HTTPRouteObservedGenerationBump', async () => {
        await fixture.make(httpRoute('observed', 'same', [rule('v1')]))
        await fixture.accepted('httproute', 'observed')
        await fixture.patch('httproute', 'observed', [
          { op: 'replace', path: '/spec/rules/0/backendRefs/0/name', value: 'v2' },
        ])
        const { metadata } = await fixture.get<{ metadata: { generation: number } }>('httproute', 'observed')
        expect(metadata.generation).toBe(2)
        await fixture.accepted('httproute', 'observed')
        await fixture.answers('same', [['/', 'v2']])
      })
    })

    describe('backends', () => {
      /** Routes that are taken though they refer to what is not there, or not theirs. */
      async function unresolved(route: TestObject, reason: string, cases: readonly Case[]): Promise<void> {
        await fixture.make(route)
        await fixture.route('httproute', route.metadata.name, { Accepted: 'True', ResolvedRefs: `False ${reason}` })
        await fixture.answers('same', cases)
      }

      test('HTTPRouteInvalidBackendRefUnknownKind', () =>
        unresolved(
          httpRoute('unknown-kind', 'same', [
            rule({ group: 'unknownkind.example.com', kind: 'NonExistent', name: 'anything', port: 8080 }, [
              prefix('/v2'),
            ]),
          ]),
          'InvalidKind',
          [['/v2', 500]],
        ))

      test('HTTPRouteInvalidNonExistentBackendRef', () =>
        unresolved(httpRoute('nonexistent', 'same', [rule('nothing')]), 'BackendNotFound', [['/', 500]]))

      test('HTTPRouteInvalidCrossNamespaceBackendRef', () =>
        unresolved(
          httpRoute('not-granted', 'same', [rule(backend('web', { namespace: webBackends }))]),
          'RefNotPermitted',
          [['/', 500]],
        ))

      test('HTTPRouteReferenceGrant', async () => {
        const route = httpRoute('granted', 'same', [rule(backend('web', { namespace: webBackends }))])
        await fixture.make(grant('web', webBackends, {}, { kind: 'Service', name: 'web' }))
        await routed([['/', 'web']], route)
        await fixture.cluster.show('delete', 'referencegrant', 'web', '-n', webBackends)
        await fixture.route('httproute', 'granted', { ResolvedRefs: 'False RefNotPermitted' })
        await fixture.answers('same', [['/', 500]])
      })

      test('HTTPRouteInvalidReferenceGrant', async () => {
        const from = { from: { namespace: home }, to: { kind: 'Service', name: 'app-v2' } }
        await fixture.make(
          grant('wrong-namespace', webBackends, from.from, from.to),
          grant('wrong-group', appBackends, { ...from.from, group: 'other.example.com' }, from.to),
          grant('wrong-kind', appBackends, { ...from.from, kind: 'Gateway' }, from.to),
          grant('wrong-source', appBackends, { namespace: 'elsewhere' }, from.to),
          grant('wrong-to-group', appBackends, from.from, { ...from.to, group: gatewayApi }),
          grant('wrong-to-kind', appBackends, from.from, { kind: 'Secret', name: 'app-v2' }),
          grant('wrong-name', appBackends, from.from, { kind: 'Service', name: 'app-v1' }),
        )
        const route = httpRoute('wrongly-granted', 'same', [rule(backend('app-v2', { namespace: appBackends }))])
        await unresolved(route, 'RefNotPermitted', [['/', 500]])
      })

      test('HTTPRoutePartiallyInvalidViaInvalidReferenceGrant', async () => {
        await fixture.make(grant('app', appBackends, {}, { kind: 'Service', name: 'app-v1' }))
        const route = httpRoute('half-granted', 'same', [
          rule(backend('app-v2', { namespace: appBackends }), [prefix('/v2')]),
          rule(backend('app-v1', { namespace: appBackends })),
        ])
        await unresolved(route, 'RefNotPermitted', [
          ['/v2', 500],
          ['/', 'app-v1'],
        ])
      })

      test('HTTPRouteNoBackendRefs', () =>
        routed(
          [
            ['/forward', 'v1'],
            ['/omitted', 500],
            ['/empty', 500],
          ],
          httpRoute('no-backends', 'same', [
            rule('v1', [prefix('/forward')]),
            { matches: [prefix('/omitted')] },
            { matches: [prefix('/empty')], backendRefs: [] },
          ]),
        ))

      test('HTTPRouteServiceTypes', async () => {
        const { status } = await fixture.get<{ status: { podIP: string } }>('pod', 'backends')
        const ports = [{ name: 'first', port: 8080, targetPort: 3001 }]
        const slicePorts = [{ name: 'first', port: 3001, protocol: 'TCP' }]
        const headless = { clusterIP: 'None' }
        const slice = (name: string): TestObject => ({
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: { name, namespace: home, labels: { 'kubernetes.io/service-name': name } } as TestObject['metadata'],
          addressType: 'IPv4',
          ports: slicePorts,
          endpoints: [{ addresses: [status.podIP], conditions: { ready: true, serving: true, terminating: false } }],
        })
        const endpoints = (name: string): TestObject => ({
          apiVersion: 'v1',
          kind: 'Endpoints',
          metadata: { name, namespace: home },
          subsets: [{ addresses: [{ ip: status.podIP }], ports: slicePorts }],
        })
        const names = ['by-endpoints', 'headless-by-endpoints', 'by-slice', 'headless-by-slice', 'headless']
        await fixture.make(
          service('by-endpoints', { ports }),
          service('headless-by-endpoints', { ...headless, ports }),
          service('by-slice', { ports }),
          service('headless-by-slice', { ...headless, ports }),
          service('headless', { ...headless, selector: { app: 'backends' }, ports }),
          ...['by-endpoints', 'headless-by-endpoints'].map(endpoints),
          ...['by-slice', 'headless-by-slice'].map(slice),
        )
        await routed(
          names.map((name): Case => [`/${name}`, 'v1']),
          httpRoute(
            'service-types',
            'same',
            names.map(name => rule(name, [exact(`/${name}`)])),
          ),
        )
      })

      test('HTTPRouteWeight', async () => {
        await fixture.make(
          httpRoute('weighted', 'same', [
            rule([backend('v1', { weight: 70 }), backend('v2', { weight: 30 }), backend('v3', { weight: 0 })]),
          ]),
        )
        await fixture.accepted('httproute', 'weighted')
        await fixture.answers('same', [['/', 200]])
        await fixture.shares('same', '/', { v1: 0.7, v2: 0.3 })
      })
    })
  },
)
