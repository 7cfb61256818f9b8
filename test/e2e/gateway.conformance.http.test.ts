// The conformance features of the Gateway API for HTTPRoutes, each as a test that bears its name: which requests they take
// at which hostnames and ports.
import { afterAll, afterEach, beforeAll, describe, test } from 'vitest'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import type { Case } from '../../src/testing/gateway-asker.ts'
import { GatewayFixture } from '../../src/testing/gateway-fixture.ts'
import {
  exact,
  gateway,
  header,
  httpRoute,
  listener,
  prefix,
  query,
  rule,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(`HTTPRoutes${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  beforeAll(async () => {
    fixture = await GatewayFixture.up('http-routes')
  })
  afterEach(() => fixture?.unmake())
  afterAll(() => fixture?.close())

  /** Routes of the gateway that takes those beside it, and what comes of requests to it. */
  const routed = (cases: readonly Case[], ...routes: readonly TestObject[]): Promise<void> =>
    fixture.routed('same', cases, ...routes)

  describe('matches', () => {
    test('HTTPRouteSimpleSameNamespace', () => routed([['/', 'v1']], httpRoute('simple', 'same', [rule('v1')])))

    test('HTTPRouteExactPathMatching', () =>
      routed(
        [
          ['/one', 'v1'],
          ['/two', 'v2'],
          ['/', 404],
          ['/one/example', 404],
          ['/two/', 404],
          ['/Two', 404],
        ],
        httpRoute('exact', 'same', [rule('v1', [exact('/one')]), rule('v2', [exact('/two')])]),
      ))

    test('HTTPRouteMatching', () =>
      routed(
        [
          ['/', 'v1'],
          ['/example', 'v1'],
          [{ to: '/', headers: { Version: 'one' } }, 'v1'],
          ['/v2', 'v2'],
          ['/v2/example', 'v2'],
          [{ to: '/', headers: { Version: 'two' } }, 'v2'],
          ['/v2/', 'v2'],
          ['/v2example', 'v1'],
          ['/foo/v2/example', 'v1'],
        ],
        httpRoute('matching', 'same', [
          rule('v1', [prefix('/'), header({ version: 'one' })]),
          rule('v2', [prefix('/v2'), header({ version: 'two' })]),
        ]),
      ))

    test('HTTPRouteMatchingAcrossRoutes', () =>
      routed(
        [
          ['example.com/', 'v1'],
          ['example.com/example', 'v1'],
          ['example.net/example', 'v1'],
          [{ to: 'example.com/example', headers: { Version: 'one' } }, 'v1'],
          ['example.com/v2', 'v2'],
          ['example.net/v2', 'v1'],
          ['example.com/v2/example', 'v2'],
          [{ to: 'example.com/', headers: { Version: 'two' } }, 'v2'],
        ],
        httpRoute('part-1', 'same', [rule('v1', [prefix('/'), header({ version: 'one' })])], {
          hostnames: ['example.com', 'example.net'],
        }),
        httpRoute('part-2', 'same', [rule('v2', [prefix('/v2'), header({ version: 'two' })])], {
          hostnames: ['example.com'],
        }),
      ))

    test('HTTPRouteHeaderMatching', () =>
      routed(
        [
          [{ to: '/', headers: { Version: 'one' } }, 'v1'],
          [{ to: '/', headers: { Version: 'two' } }, 'v2'],
          [{ to: '/', headers: { Version: 'two', Color: 'orange' } }, 'v1'],
          [{ to: '/', headers: { Version: 'two', Color: 'blue' } }, 'v2'],
          [{ to: '/', headers: { Color: 'blue' } }, 'v1'],
          [{ to: '/', headers: { Color: 'green' } }, 'v1'],
          [{ to: '/', headers: { Color: 'red' } }, 'v2'],
          [{ to: '/', headers: { Color: 'yellow' } }, 'v2'],
          [{ to: '/', headers: { Color: 'orange' } }, 404],
          [{ to: '/', headers: { Color: 'purple' } }, 404],
          [{ to: '/', headers: { 'Some-Other-Header': 'one' } }, 404],
        ],
        httpRoute('headers', 'same', [
          rule('v1', [header({ version: 'one' })]),
          rule('v2', [header({ version: 'two' })]),
          rule('v1', [header({ version: 'two', color: 'orange' })]),
          rule('v1', [header({ color: 'blue' }), header({ color: 'green' })]),
          rule('v2', [header({ color: 'red' }), header({ color: 'yellow' })]),
        ]),
      ))

    test('HTTPRouteMethodMatching', () =>
      routed(
        [
          ['POST /', 'v1'],
          ['GET /', 'v2'],
          ['HEAD /', 404],
          ['GET /path1', 'v1'],
          [{ to: 'PUT /', headers: { version: 'one' } }, 'v2'],
          [{ to: 'POST /path2', headers: { version: 'two' } }, 'v3'],
          // One of several will do.
          ['PATCH /path3', 'v1'],
          [{ to: 'DELETE /path4', headers: { version: 'three' } }, 'v1'],
          // A part of one will not.
          ['PUT /', 404],
          ['DELETE /path4', 404],
          // The more telling one is first.
          ['PATCH /path5', 'v1'],
          [{ to: 'PATCH /', headers: { version: 'four' } }, 'v2'],
        ],
        httpRoute('methods', 'same', [
          rule('v1', [{ method: 'POST' }]),
          rule('v2', [{ method: 'GET' }]),
          rule('v1', [{ ...prefix('/path1'), method: 'GET' }]),
          rule('v2', [{ ...header({ version: 'one' }), method: 'PUT' }]),
          rule('v3', [{ ...prefix('/path2'), ...header({ version: 'two' }), method: 'POST' }]),
          rule('v1', [
            { ...prefix('/path3'), method: 'PATCH' },
            { ...prefix('/path4'), ...header({ version: 'three' }), method: 'DELETE' },
          ]),
          rule('v1', [prefix('/path5')]),
          rule('v2', [{ method: 'PATCH' }]),
          rule('v3', [header({ version: 'four' })]),
        ]),
      ))

    test('HTTPRouteQueryParamMatching', () =>
      routed(
        [
          ['/?animal=whale', 'v1'],
          ['/?animal=dolphin', 'v2'],
          ['/?animal=dolphin&color=blue', 'v3'],
          ['/?ANIMAL=Whale', 'v3'],
          ['/?animal=whale&otherparam=irrelevant', 'v1'],
          ['/?animal=dolphin&color=yellow', 'v2'],
          ['/?color=blue', 404],
          ['/?animal=dog', 404],
          ['/?animal=whaledolphin', 404],
          ['/', 404],
          ['/path1?animal=whale', 'v1'],
          [{ to: '/?animal=whale', headers: { version: 'one' } }, 'v2'],
          [{ to: '/path2?animal=whale', headers: { version: 'two' } }, 'v3'],
          // One of several will do.
          ['/path3?animal=shark', 'v1'],
          [{ to: '/path4?animal=kraken', headers: { version: 'three' } }, 'v1'],
          // A part of one will not.
          ['/?animal=shark', 404],
          ['/path4?animal=kraken', 404],
          // The more telling one is first.
          ['/path5?animal=hydra', 'v1'],
          [{ to: '/?animal=hydra', headers: { version: 'four' } }, 'v3'],
        ],
        httpRoute('queries', 'same', [
          rule('v1', [query({ animal: 'whale' })]),
          rule('v2', [query({ animal: 'dolphin' })]),
          rule('v3', [query({ animal: 'dolphin', color: 'blue' }), query({ ANIMAL: 'Whale' })]),
          rule('v1', [{ ...prefix('/path1'), ...query({ animal: 'whale' }) }]),
          rule('v2', [{ ...header({ version: 'one' }), ...query({ animal: 'whale' }) }]),
          rule('v3', [{ ...prefix('/path2'), ...header({ version: 'two' }), ...query({ animal: 'whale' }) }]),
          rule('v1', [
            { ...prefix('/path3'), ...query({ animal: 'shark' }) },
            { ...prefix('/path4'), ...header({ version: 'three' }), ...query({ animal: 'kraken' }) },
          ]),
          rule('v1', [prefix('/path5')]),
          rule('v2', [query({ animal: 'hydra' })]),
          rule('v3', [header({ version: 'four' })]),
        ]),
      ))

    test('HTTPRoutePathMatchOrder', () =>
      routed(
        [
          ['/match/exact/one', 'v3'],
          ['/match/exact', 'v2'],
          ['/match', 'v1'],
          ['/match/prefix/one/any', 'v2'],
          ['/match/prefix/any', 'v1'],
          ['/match/any', 'v3'],
        ],
        httpRoute('order', 'same', [
          rule('v3', [prefix('/match/'), exact('/match/exact/one')]),
          rule('v1', [prefix('/match/prefix/'), exact('/match')]),
          rule('v2', [prefix('/match/prefix/one'), exact('/match/exact')]),
        ]),
      ))

    test('HTTPRouteNamedRule', () =>
      routed(
        [
          ['/named', 'v1'],
          ['/unnamed', 'v2'],
        ],
        httpRoute('named', 'same', [
          rule('v1', [prefix('/named')], { name: 'named-rule' }),
          rule('v2', [prefix('/unnamed')]),
        ]),
      ))
  })

  describe('hostnames and ports', () => {
    test('HTTPRouteListenerHostnameMatching', async () => {
      await fixture.make(
        gateway(
          'by-hostname',
          ['bar.com', 'foo.bar.com', '*.bar.com', '*.foo.com'].map((hostname, at) =>
            listener(`listener-${at + 1}`, { hostname }),
          ),
        ),
        httpRoute('host-1', 'by-hostname/listener-1', [rule('v1')]),
        httpRoute('host-2', 'by-hostname/listener-2', [rule('v2')]),
        httpRoute('host-3', ['by-hostname/listener-3', 'by-hostname/listener-4'], [rule('v3')]),
      )
      await fixture.accepted('httproute', 'host-1', 'host-2', 'host-3')
      await fixture.answers('by-hostname', [
        ['bar.com/', 'v1'],
        ['foo.bar.com/', 'v2'],
        ['baz.bar.com/', 'v3'],
        ['boo.bar.com/', 'v3'],
        ['multiple.prefixes.bar.com/', 'v3'],
        ['multiple.prefixes.foo.com/', 'v3'],
        ['foo.com/', 404],
        ['no.matching.host/', 404],
      ])
    })

    test('HTTPRouteListenerPortMatching', async () => {
      await fixture.make(
        gateway('by-port', [
          listener('listener-1', { port: 80 }),
          listener('listener-2', { port: 8080 }),
          listener('listener-3', { port: 8090 }),
          listener('listener-4', { port: 8090, hostname: 'foo.com' }),
        ]),
        httpRoute('port-1', { name: 'by-port', port: 80 }, [rule('v1')]),
        httpRoute('port-2', { name: 'by-port', port: 8080 }, [rule('v2')]),
        httpRoute('port-3', { name: 'by-port', port: 8090, sectionName: 'listener-4' }, [rule('v3')]),
      )
      await fixture.accepted('httproute', 'port-1', 'port-2', 'port-3')
      await fixture.answers('by-port', [['foo.com/', 'v1']])
      await fixture.answers(await fixture.place('by-port', 8080), [
        ['foo.com:8080/', 'v2'],
        ['bar.com:8080/', 'v2'],
      ])
      await fixture.answers(await fixture.place('by-port', 8090), [
        ['foo.com:8090/', 'v3'],
        ['bar.com:8090/', 404],
      ])
    })

    test('HTTPRouteHostnameIntersection', async () => {
      const hostnames = ['very.specific.com', '*.wildcard.io', '*.anotherwildcard.io']
      const taken = { conditions: { Accepted: 'True', ResolvedRefs: 'True' }, kinds: ['HTTPRoute'] }
      await fixture.make(
        gateway(
          'meeting',
          hostnames.map((hostname, at) => listener(`listener-${at + 1}`, { hostname })),
        ),
        httpRoute('meeting-1', 'meeting', [rule('v1', [prefix('/s1')])], {
          hostnames: ['non.matching.com', '*.nonmatchingwildcard.io', 'very.specific.com'],
        }),
        httpRoute('meeting-2', 'meeting', [rule('v2', [prefix('/s2')])], {
          hostnames: ['non.matching.com', 'wildcard.io', 'foo.wildcard.io', 'bar.wildcard.io', 'foo.bar.wildcard.io'],
        }),
        httpRoute('meeting-3', 'meeting', [rule('v3', [prefix('/s3')])], {
          hostnames: ['non.matching.com', '*.specific.com'],
        }),
        httpRoute('meeting-4', 'meeting', [rule('v1', [prefix('/s4')])], { hostnames: ['*.anotherwildcard.io'] }),
        httpRoute('meeting-none', 'meeting', [rule('v2', [prefix('/s5')])], {
          hostnames: ['specific.but.wrong.com', 'wildcard.io'],
        }),
        gateway('meeting-all', [listener('http')]),
        httpRoute('meeting-all', 'meeting-all', [rule('v2')], {
          hostnames: ['first.com', '*.first.com', 'second.com', '*.second.com'],
        }),
      )
      await fixture.accepted('httproute', 'meeting-1', 'meeting-2', 'meeting-3', 'meeting-4', 'meeting-all')
      await fixture.route('httproute', 'meeting-none', { Accepted: 'False NoMatchingListenerHostname' })
      await fixture.listeners('meeting', {
        'listener-1': { ...taken, attached: 2 },
        'listener-2': { ...taken, attached: 1 },
        'listener-3': { ...taken, attached: 1 },
      })
      await fixture.answers('meeting', [
        ['very.specific.com/s1', 'v1'],
        ['very.specific.com:1234/s1', 'v1'],
        ...notFound('/s1', 'non.matching.com', 'foo.nonmatchingwildcard.io', 'foo.wildcard.io'),
        ['foo.wildcard.io/s2', 'v2'],
        ['bar.wildcard.io/s2', 'v2'],
        ['foo.bar.wildcard.io/s2', 'v2'],
        ...notFound('/s2', 'non.matching.com', 'wildcard.io', 'very.specific.com'),
        ['very.specific.com/s3', 'v3'],
        ...notFound('/s3', 'non.matching.com', 'foo.specific.com', 'foo.wildcard.io'),
        ['foo.anotherwildcard.io/s4', 'v1'],
        ['bar.anotherwildcard.io/s4', 'v1'],
        ['foo.bar.anotherwildcard.io/s4', 'v1'],
        ...notFound('/s4', 'anotherwildcard.io', 'foo.wildcard.io', 'very.specific.com'),
        ...notFound('/s5', 'specific.but.wrong.com', 'wildcard.io'),
        ...notFound('/other', 'very.specific.com', 'foo.wildcard.io', 'foo.anotherwildcard.io'),
      ])
      await fixture.answers('meeting-all', [
        ...['first.com/', 'sub.first.com/', 'second.com/', 'sub.second.com/'].map((to): Case => [to, 'v2']),
        ...notFound('/', 'third.com', 'sub.third.com'),
      ])
    })
  })
})

const notFound = (path: string, ...hosts: readonly string[]): Case[] => hosts.map(host => [`${host}${path}`, 404])
