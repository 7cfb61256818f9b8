// The conformance features of the Gateway API for ListenerSets, each as a test that bears its name: which of them a
// gateway takes, which of their listeners clash, and which routes they take.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Gateway, HTTPRoute } from '../../src/api/gateway-api/types.ts'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import type { Case } from '../../src/testing/gateway-asker.ts'
import { testAuthority } from '../../src/testing/gateway-certificates.ts'
import { GatewayFixture, type Conditions, type ExpectedListener } from '../../src/testing/gateway-fixture.ts'
import {
  appBackends,
  backend,
  backendsLabel,
  gateway,
  gatewayApi,
  grant,
  home,
  httpRoute,
  httpsListener,
  listener,
  listenerSet,
  prefix,
  rule,
  secret,
  webBackends,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()
const taken = { Accepted: 'True Accepted', Programmed: 'True Programmed' }
const refused = { Accepted: 'False NotAllowed', Programmed: 'False NotAllowed' }
const served: ExpectedListener = {
  kinds: ['HTTPRoute'],
  conditions: { Accepted: 'True', ResolvedRefs: 'True', Programmed: 'True' },
}

/** A listener that takes routes of all namespaces at a name that it gives itself. */
const open = (name: string, hostname = `${name}.com`): object => listener(name, { hostname, from: 'All' })

describe.skipIf(reason !== undefined)(`ListenerSets${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  beforeAll(async () => {
    fixture = await GatewayFixture.up('listeners')
  })
  afterEach(() => fixture?.unmake())
  afterAll(() => fixture?.close())

  /** A gateway that allows sets of listeners of these namespaces, with a listener of its own that bears its name. */
  const allowing = (name: string, namespaces: object | undefined): TestObject =>
    gateway(name, [open(name)], namespaces && { allowedListeners: { namespaces } })

  const set = (name: string, parent: string, listeners: readonly object[], namespace?: string): TestObject =>
    listenerSet(name, listeners, { parent: { name: parent, namespace: home }, namespace })

  const setReference = (name: string, namespace = home, sectionName?: string): object => ({
    group: gatewayApi,
    kind: 'ListenerSet',
    name,
    namespace,
    ...(sectionName !== undefined && { sectionName }),
  })

  const ofSet = (
    name: string,
    conditions: Conditions,
    listeners?: Readonly<Record<string, ExpectedListener>>,
    namespace?: string,
  ): Promise<void> => fixture.status('listenerset', name, conditions, listeners, namespace)

  const attachedSets = (name: string, count: number): Promise<void> =>
    fixture.holds(async () => {
      const { status } = await fixture.get<Gateway>('gateway', name)
      const found = status?.attachedListenerSets ?? 0
      return found === count ? [] : [`${found} sets are attached to ${name}, expected ${count}`]
    })

  describe('namespaces', () => {
    /** Of three sets, one for each namespace, which ones are taken, and what comes of requests to each. */
    async function allowed(name: string, namespaces: object | undefined, takenOf: readonly string[]): Promise<void> {
      const all = [home, appBackends, webBackends]
      await fixture.make(
        allowing(name, namespaces),
        ...all.map(namespace => set(`${name}-set`, name, [open(`${name}-${namespace}`)], namespace)),
        httpRoute(
          `${name}-route`,
          [name, ...all.map(namespace => setReference(`${name}-set`, namespace))],
          [rule('v1', [prefix('/route')])],
        ),
      )
      for (const namespace of all)
        await ofSet(`${name}-set`, takenOf.includes(namespace) ? taken : refused, {}, namespace)
      await attachedSets(name, takenOf.length)
      await fixture.route('httproute', `${name}-route`, { Accepted: 'True', ResolvedRefs: 'True' }, { parent: name })
      await fixture.answers(name, [
        [`${name}.com/route`, 'v1'],
        ...all.map((namespace): Case => [`${name}-${namespace}.com/route`, takenOf.includes(namespace) ? 'v1' : 404]),
      ])
    }

    test('ListenerSetAllowedNamespaceNone', () => allowed('none', { from: 'None' }, []))
    test('ListenerSetDefaultNotAllowed', () => allowed('unsaid', undefined, []))
    test('ListenerSetAllowedNamespaceSame', () => allowed('same-only', { from: 'Same' }, [home]))
    test('ListenerSetAllowedNamespaceSelector', () =>
      allowed('selected', { from: 'Selector', selector: { matchLabels: backendsLabel } }, [appBackends, webBackends]))
  })

  describe('conflicts', () => {
    /** Listeners of sets that clash with one of the gateway, or of an older set. */
    async function clashing(name: string, clash: (hostname: string) => object, why: string): Promise<void> {
      const conditions = { Accepted: 'False', Programmed: 'False', Conflicted: `True ${why}` }
      const none = { Accepted: 'False ListenersNotValid', Programmed: 'False ListenersNotValid' }
      const some = { Accepted: 'True', Programmed: 'True Programmed' }
      const [ofGateway, ofFirst] = [`${name}-gateway`, `${name}-first`]
      const clashes = (name: string, hostname: string): object => ({ ...clash(hostname), name })
      const sets = [
        [open('first'), clashes('with-gateway', ofGateway), open('own', `${ofFirst}.com`)],
        [clashes('with-gateway', ofGateway)],
        [open('second', `${name}-second.com`), clashes('with-first', ofFirst)],
        [clashes('with-first', ofFirst)],
      ]
      await fixture.make(
        gateway(name, [open('plain', `${name}.com`), open('own', `${ofGateway}.com`)], {
          allowedListeners: { namespaces: { from: 'Same' } },
        }),
      )
      // The older one wins; creation times are whole seconds, and then names decide, alphabetically.
      for (const [at, listeners] of sets.entries()) await fixture.make(set(`${name}-${at + 1}`, name, listeners))
      await fixture.gateway(name, { Accepted: 'True' }, { plain: served, own: served })
      await ofSet(`${name}-1`, some, { first: served, own: served, 'with-gateway': { conditions } })
      await ofSet(`${name}-2`, none, { 'with-gateway': { conditions } })
      await ofSet(`${name}-3`, some, { second: served, 'with-first': { conditions } })
      await ofSet(`${name}-4`, none, { 'with-first': { conditions } })
      await attachedSets(name, 2)
    }

    test('ListenerSetHostnameConflict', () =>
      clashing('hostnames', hostname => open('', `${hostname}.com`), 'HostnameConflict'))

    test('ListenerSetProtocolConflict', () =>
      clashing('protocols', () => listener('', { protocol: 'TCP', from: 'All' }), 'ProtocolConflict'))
  })

  describe('routes', () => {
    test('ListenerSetAllowedRoutesNamespaces', async () => {
      const namespaces = [home, webBackends, 'other-routes']
      const other = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other-routes' } }
      const from = { 'kubernetes.io/metadata.name': webBackends }
      const routes = namespaces.map(namespace =>
        httpRoute(
          'of-namespace',
          setReference('by-namespace'),
          [rule(backend('v1', { namespace: home }), [prefix(`/${namespace}`)])],
          { namespace },
        ),
      )
      await fixture.make(other)
      await fixture.make(
        allowing('by-namespace', { from: 'All' }),
        set('by-namespace', 'by-namespace', [
          listener('all', { hostname: 'all.com', from: 'All' }),
          listener('same', { hostname: 'same.com', from: 'Same' }),
          listener('selected', { hostname: 'selected.com', from }),
        ]),
        ...routes,
        ...[webBackends, 'other-routes'].map(namespace =>
          grant(`from-${namespace}`, home, { namespace }, { kind: 'Service' }),
        ),
      )
      for (const namespace of namespaces)
        await fixture.route('httproute', 'of-namespace', { Accepted: 'True', ResolvedRefs: 'True' }, { namespace })
      await attachedSets('by-namespace', 1)
      await ofSet('by-namespace', taken, {
        all: { ...served, attached: 3 },
        same: { ...served, attached: 1 },
        selected: { ...served, attached: 1 },
      })
      const takenBy = { all: namespaces, same: [home], selected: [webBackends] }
      await fixture.answers(
        'by-namespace',
        Object.entries(takenBy).flatMap(([name, own]) =>
          namespaces.map((namespace): Case => [`${name}.com/${namespace}`, own.includes(namespace) ? 'v1' : 404]),
        ),
      )
    })

    test('ListenerSetAllowedRoutesSupportedKinds', async () => {
      await fixture.make(
        allowing('by-kind', { from: 'All' }),
        set('by-kind', 'by-kind', [listener('tls-only', { hostname: 'tls.com', kinds: ['TLSRoute'] })]),
      )
      await fixture.gateway('by-kind', { Accepted: 'True' })
      await ofSet('by-kind', {}, { 'tls-only': { conditions: { ResolvedRefs: 'False InvalidRouteKinds' } } })
    })

    test('ListenerSetHTTPRouting', async () => {
      const names = ['gateway-1', 'gateway-2', 'set-1-1', 'set-1-2', 'set-2-1', 'set-2-2']
      const sets = [1, 2].map(number =>
        set(`set-${number}`, 'routing', [open(`set-${number}-1`), open(`set-${number}-2`)]),
      )
      const to = (name: string, service: string, ...parents: (string | object)[]): TestObject =>
        httpRoute(name, parents, [rule(service, [prefix(`/${name}`)])])
      await fixture.make(
        gateway('routing', [open('gateway-1'), open('gateway-2')], {
          allowedListeners: { namespaces: { from: 'Same' } },
        }),
        ...sets,
      )
      await attachedSets('routing', 2)
      const takenBy: Readonly<Record<string, readonly string[]>> = {
        'to-all': names,
        'to-gateway': ['gateway-1', 'gateway-2'],
        'to-section': ['gateway-1'],
        'to-set-1': ['set-1-1', 'set-1-2'],
        'to-set-1-section': ['set-1-1'],
        'to-set-2': ['set-2-1', 'set-2-2'],
      }
      await fixture.routed(
        'routing',
        Object.entries(takenBy).flatMap(([route, own]) =>
          names.map((name): Case => [`${name}.com/${route}`, own.includes(name) ? 200 : 404]),
        ),
        to('to-all', 'v1', 'routing', setReference('set-1'), setReference('set-2')),
        to('to-gateway', 'v2', 'routing'),
        to('to-section', 'v3', 'routing/gateway-1'),
        to('to-set-1', 'v2', setReference('set-1')),
        to('to-set-1-section', 'v3', setReference('set-1', home, 'set-1-1')),
        to('to-set-2', 'v2', setReference('set-2')),
      )
      await ofSet('set-1', taken, { 'set-1-1': { ...served, attached: 3 }, 'set-1-2': { ...served, attached: 2 } })
      await ofSet('set-2', taken, { 'set-2-1': { ...served, attached: 2 }, 'set-2-2': { ...served, attached: 2 } })
      await fixture.listeners('routing', { 'gateway-1': { attached: 3 }, 'gateway-2': { attached: 2 } })
    })

    test('ListenerSetDualParentRefIndependence', async () => {
      await fixture.make(
        allowing('dual', { from: 'Same' }),
        set('dual-set', 'dual', [open('dual-listener')]),
        httpRoute('both', ['dual', setReference('dual-set')], [rule('v1', [prefix('/dual')])]),
        httpRoute('half', ['dual/dual-listener', setReference('dual-set')], [rule('v2', [prefix('/half')])]),
      )
      await fixture.accepted('httproute', 'both')
      await fixture.route('httproute', 'half', { Accepted: 'False NoMatchingParent' }, { parent: 'dual' })
      await fixture.route('httproute', 'half', { Accepted: 'True', ResolvedRefs: 'True' }, { parent: 'dual-set' })
      await attachedSets('dual', 1)
      await ofSet('dual-set', taken, { 'dual-listener': { ...served, attached: 2 } })
      await fixture.answers('dual', [
        ['dual.com/dual', 'v1'],
        ['dual-listener.com/dual', 'v1'],
        ['dual-listener.com/half', 'v2'],
        ['dual.com/half', 404],
      ])
    })

    test('ListenerSetGatewayParentSectionNameNotFound', async () => {
      await fixture.make(
        allowing('sections', { from: 'Same' }),
        set('sections-set', 'sections', [open('of-set')]),
        httpRoute('by-wrong-parent', 'sections/of-set', [rule('v1')]),
      )
      await attachedSets('sections', 1)
      await fixture.route('httproute', 'by-wrong-parent', { Accepted: 'False NoMatchingParent' })
      await ofSet('sections-set', taken, { 'of-set': { ...served, attached: 0 } })
    })

    test('ListenerSetRouteStatusScopedToParentRef', async () => {
      await fixture.make(
        allowing('scope', { from: 'Same' }),
        set('scope-set', 'scope', [open('of-scope-set')]),
        httpRoute('gateway-only', 'scope', [rule('v1', [prefix('/gateway')])]),
        httpRoute('set-only', setReference('scope-set'), [rule('v2', [prefix('/set')])]),
      )
      await fixture.accepted('httproute', 'gateway-only', 'set-only')
      for (const [name, parent] of [
        ['gateway-only', { kind: 'Gateway', name: 'scope' }],
        ['set-only', { kind: 'ListenerSet', name: 'scope-set' }],
      ] as const) {
        const { status } = await fixture.get<HTTPRoute>('httproute', name)
        expect(status?.parents.map(({ parentRef }) => parentRef)).toEqual([expect.objectContaining(parent)])
      }
      await fixture.listeners('scope', { scope: { attached: 1 } })
      await ofSet('scope-set', taken, { 'of-scope-set': { attached: 1 } })
      await fixture.answers('scope', [
        ['scope.com/gateway', 'v1'],
        ['scope.com/set', 404],
        ['of-scope-set.com/gateway', 404],
        ['of-scope-set.com/set', 'v2'],
      ])
    })
  })

  test('ListenerSetReferenceGrant', async () => {
    const certificate = await (await testAuthority('sets')).server('granted.com')
    const elsewhere = { name: 'certificate', namespace: webBackends }
    const secure = (name: string): object => httpsListener(name, elsewhere, { hostname: `${name}.com`, from: 'All' })
    await fixture.make(
      secret('certificate', certificate, webBackends),
      allowing('with-grant', { from: 'All' }),
      grant('sets', webBackends, { kind: 'ListenerSet' }, { kind: 'Secret', name: 'certificate' }),
      set('granted', 'with-grant', [secure('granted')]),
      set('not-granted', 'with-grant', [secure('not-granted')], appBackends),
    )
    await fixture.gateway('with-grant', { Accepted: 'True' })
    await ofSet(
      'granted',
      { Accepted: 'True', Programmed: 'True' },
      { granted: { conditions: { ResolvedRefs: 'True' } } },
    )
    await ofSet(
      'not-granted',
      { Accepted: 'False ListenersNotValid', Programmed: 'False ListenersNotValid' },
      { 'not-granted': { conditions: { ResolvedRefs: 'False RefNotPermitted' } } },
      appBackends,
    )
  })
})
