// The conformance features of the Gateway API for what HTTPRoutes do to requests and answers on the way, each as a test
// that bears its name.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import type { Case } from '../../src/testing/gateway-asker.ts'
import { GatewayFixture } from '../../src/testing/gateway-fixture.ts'
import {
  backend,
  filtering,
  httpRoute,
  modified,
  modifier,
  prefix,
  redirect,
  requestHeaders,
  responseHeaders,
  rewrite,
  rule,
  samePrefix,
  wholePath,
  unmodified,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(`Filters${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  beforeAll(async () => {
    fixture = await GatewayFixture.up('filters')
  })
  afterEach(() => fixture?.unmake())
  afterAll(() => fixture?.close())

  const routed = (cases: readonly Case[], ...routes: readonly TestObject[]): Promise<void> =>
    fixture.routed('same', cases, ...routes)

  describe('redirects', () => {
    const redirects = (name: string, byPath: Readonly<Record<string, object>>): TestObject =>
      httpRoute(
        name,
        'same',
        Object.entries(byPath).map(([path, to]) => filtering([redirect(to)], [prefix(path)])),
      )

    test('HTTPRoute303Redirect', () =>
      routed(
        [['POST /see-other', { status: 303, location: {} }]],
        redirects('see-other', { '/see-other': { statusCode: 303 } }),
      ))

    test('HTTPRoute307Redirect', () =>
      routed(
        [['/temporary', { status: 307, location: {} }]],
        redirects('temporary', { '/temporary': { statusCode: 307 } }),
      ))

    test('HTTPRoute308Redirect', () =>
      routed(
        [['/permanent', { status: 308, location: {} }]],
        redirects('permanent', { '/permanent': { statusCode: 308 } }),
      ))

    test('HTTPRouteRedirectHostAndStatus', () =>
      routed(
        [
          ['/hostname-redirect', { status: 302, location: { hostname: 'example.org' } }],
          ['/host-and-status', { status: 301, location: { hostname: 'example.org' } }],
        ],
        redirects('host-and-status', {
          '/hostname-redirect': { hostname: 'example.org' },
          '/host-and-status': { hostname: 'example.org', statusCode: 301 },
        }),
      ))

    test('HTTPRouteRedirectPath', () =>
      routed(
        [
          ['/original-prefix/lemon', { status: 302, location: { pathname: '/replacement-prefix/lemon' } }],
          ['/full/path/original', { status: 302, location: { pathname: '/full-path-replacement' } }],
          ['/path-and-host', { status: 302, location: { hostname: 'example.org', pathname: '/replacement-prefix' } }],
          ['/path-and-status', { status: 301, location: { pathname: '/replacement-prefix' } }],
          [
            '/full-path-and-host',
            { status: 302, location: { hostname: 'example.org', pathname: '/replacement-full' } },
          ],
          ['/full-path-and-status', { status: 301, location: { pathname: '/replacement-full' } }],
        ],
        redirects('path', {
          '/original-prefix': { path: samePrefix('/replacement-prefix') },
          '/full': { path: wholePath('/full-path-replacement') },
          '/path-and-host': { hostname: 'example.org', path: samePrefix('/replacement-prefix') },
          '/path-and-status': { path: samePrefix('/replacement-prefix'), statusCode: 301 },
          '/full-path-and-host': { hostname: 'example.org', path: wholePath('/replacement-full') },
          '/full-path-and-status': { path: wholePath('/replacement-full'), statusCode: 301 },
        }),
      ))

    test('HTTPRouteRedirectPort', () =>
      routed(
        [
          ['/port', { status: 302, location: { port: '8083' } }],
          ['/port-and-host', { status: 302, location: { hostname: 'example.org', port: '8083' } }],
          ['/port-and-status', { status: 301, location: { port: '8083' } }],
          ['/port-and-host-and-status', { status: 302, location: { hostname: 'example.org', port: '8083' } }],
        ],
        redirects('port', {
          '/port': { port: 8083 },
          '/port-and-host': { hostname: 'example.org', port: 8083 },
          '/port-and-status': { port: 8083, statusCode: 301 },
          '/port-and-host-and-status': { hostname: 'example.org', port: 8083, statusCode: 302 },
        }),
      ))

    test('HTTPRouteRedirectScheme', () =>
      routed(
        [
          ['/scheme', { status: 302, location: { protocol: 'https:' } }],
          ['/scheme-and-host', { status: 302, location: { protocol: 'https:', hostname: 'example.org' } }],
          ['/scheme-and-status', { status: 301, location: { protocol: 'https:' } }],
          ['/scheme-and-host-and-status', { status: 302, location: { protocol: 'https:', hostname: 'example.org' } }],
        ],
        redirects('scheme', {
          '/scheme': { scheme: 'https' },
          '/scheme-and-host': { scheme: 'https', hostname: 'example.org' },
          '/scheme-and-status': { scheme: 'https', statusCode: 301 },
          '/scheme-and-host-and-status': { scheme: 'https', hostname: 'example.org', statusCode: 302 },
        }),
      ))
  })

  describe('rewrites', () => {
    const headers = unmodified
    const asked = modified

    test('HTTPRouteRewriteHost', () =>
      routed(
        [
          ['rewrite.example/one', { status: 200, service: 'v1', host: 'one.example.org' }],
          ['rewrite.example/two', { status: 200, service: 'v2', host: 'example.org' }],
          [
            { to: 'rewrite.example/rewrite-host-and-modify-headers', headers },
            { status: 200, service: 'v2', host: 'test.example.org', asked },
          ],
        ],
        httpRoute(
          'rewrite-host',
          'same',
          [
            rule('v1', [prefix('/one')], { filters: [rewrite({ hostname: 'one.example.org' })] }),
            rule('v2', [], { filters: [rewrite({ hostname: 'example.org' })] }),
            rule('v2', [prefix('/rewrite-host-and-modify-headers')], {
              filters: [rewrite({ hostname: 'test.example.org' }), modifier],
            }),
          ],
          { hostnames: ['rewrite.example'] },
        ),
      ))

    test('HTTPRouteRewritePath', () => {
      const rewriting = (path: string, to: object, ...more: readonly object[]): object =>
        rule('v1', [prefix(path)], { filters: [rewrite({ path: to }), ...more] })
      return routed(
        [
          ['/prefix/one/two', { status: 200, path: '/one/two' }],
          ['/strip-prefix/three', { status: 200, path: '/three' }],
          ['/strip-prefix', { status: 200, path: '/' }],
          ['/full/one/two', { status: 200, path: '/one' }],
          [
            { to: '/full/rewrite-path-and-modify-headers/test', headers },
            { status: 200, path: '/test', asked },
          ],
          [
            { to: '/prefix/rewrite-path-and-modify-headers/one', headers },
            { status: 200, path: '/prefix/one', asked },
          ],
        ],
        httpRoute('rewrite-path', 'same', [
          rewriting('/prefix/one', samePrefix('/one')),
          rewriting('/strip-prefix', samePrefix('/')),
          rewriting('/full/one', wholePath('/one')),
          rewriting('/full/rewrite-path-and-modify-headers', wholePath('/test'), modifier),
          rewriting('/prefix/rewrite-path-and-modify-headers', samePrefix('/prefix'), modifier),
        ]),
      )
    })
  })

  describe('headers', () => {
    const changesByPath = {
      '/set': { set: { 'X-Header-Set': 'set-overwrites-values' } },
      '/add': { add: { 'X-Header-Add': 'add-appends-values' } },
      '/remove': { remove: ['X-Header-Remove'] },
      '/multiple': {
        set: { 'X-Header-Set-1': 'header-set-1', 'X-Header-Set-2': 'header-set-2' },
        add: { 'X-Header-Add-1': 'header-add-1', 'X-Header-Add-2': 'header-add-2', 'X-Header-Add-3': 'header-add-3' },
        remove: ['X-Header-Remove-1', 'X-Header-Remove-2'],
      },
      '/case-insensitivity': {
        set: { 'X-Header-Set': 'header-set' },
        add: { 'X-Header-Add': 'header-add' },
        remove: ['X-Header-Remove'],
      },
    }
    type Headers = Readonly<Record<string, string>>
    /** Headers before and after. */
    const changed: readonly (readonly [
      path: string,
      before: Headers,
      after: Readonly<Record<string, string | undefined>>,
    ])[] = [
      ['/set', { 'Some-Other-Header': 'val' }, { 'X-Header-Set': 'set-overwrites-values', 'Some-Other-Header': 'val' }],
      ['/set', { 'X-Header-Set': 'some-other-value' }, { 'X-Header-Set': 'set-overwrites-values' }],
      ['/add', { 'Some-Other-Header': 'val' }, { 'X-Header-Add': 'add-appends-values', 'Some-Other-Header': 'val' }],
      ['/add', { 'X-Header-Add': 'some-other-value' }, { 'X-Header-Add': 'some-other-value,add-appends-values' }],
      ['/remove', { 'X-Header-Remove': 'val' }, { 'X-Header-Remove': undefined }],
      [
        '/multiple',
        {
          'X-Header-Set-2': 'set-val-2',
          'X-Header-Add-2': 'add-val-2',
          'X-Header-Remove-2': 'remove-val-2',
          'Another-Header': 'another-header-val',
        },
        {
          'X-Header-Set-1': 'header-set-1',
          'X-Header-Set-2': 'header-set-2',
          'X-Header-Add-1': 'header-add-1',
          'X-Header-Add-2': 'add-val-2,header-add-2',
          'X-Header-Add-3': 'header-add-3',
          'Another-Header': 'another-header-val',
          'X-Header-Remove-1': undefined,
          'X-Header-Remove-2': undefined,
        },
      ],
      [
        '/case-insensitivity',
        { 'x-header-set': 'original-set', 'x-header-add': 'original-add', 'x-header-remove': 'original-remove' },
        { 'X-Header-Set': 'header-set', 'X-Header-Add': 'original-add,header-add', 'X-Header-Remove': undefined },
      ],
    ]

    test('HTTPRouteBackendRequestHeaderModifier', () =>
      routed(
        changed.map(([to, headers, asked]): Case => [
          { to, headers },
          { status: 200, service: 'v1', asked },
        ]),
        httpRoute(
          'backend-headers',
          'same',
          Object.entries(changesByPath).map(([path, changes]) =>
            rule(backend('v1', { filters: [requestHeaders(changes)] }), [prefix(path)]),
          ),
        ),
      ))

    test('HTTPRouteResponseHeaderModifier', () =>
      routed(
        changed.map(([to, before, headers]): Case => [
          { to, headers: { 'x-answer-headers': JSON.stringify(before) } },
          { status: 200, service: 'v1', headers },
        ]),
        httpRoute(
          'answer-headers',
          'same',
          Object.entries(changesByPath).map(([path, changes]) =>
            rule('v1', [prefix(path)], { filters: [responseHeaders(changes)] }),
          ),
        ),
      ))

    test('HTTPRouteRequestHeaderModifierBackendWeights', async () => {
      const names = ['v1', 'v2']
      const sayingWho = names.map(name => backend(name, { filters: [requestHeaders({ set: { Backend: name } })] }))
      await routed([['/', { status: 200, service: undefined }]], httpRoute('who', 'same', [rule(sayingWho)]))
      const place = await fixture.place('same')
      const asked = new Set<string>()
      for (let count = 0; count < 100; count++) {
        const { body } = await fixture.asker.request(place, '/')
        const { service, headers } = JSON.parse(body) as { service: string; headers: Record<string, string> }
        expect(headers['backend']).toBe(service)
        asked.add(service)
      }
      expect([...asked].toSorted()).toEqual(names)
    })
  })
})
