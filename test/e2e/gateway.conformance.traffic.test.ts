// The conformance features of the Gateway API for what else HTTPRoutes do with requests, each as a test that bears its
// name: mirrors, origins, times, and the protocols of services.
import { afterAll, afterEach, beforeAll, describe, test } from 'vitest'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import type { Asked, Case } from '../../src/testing/gateway-asker.ts'
import { GatewayFixture } from '../../src/testing/gateway-fixture.ts'
import {
  cors,
  httpRoute,
  mirror,
  modified,
  modifier,
  prefix,
  rule,
  service,
  unmodified,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(
  `Mirrors, origins, times, protocols${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let fixture: GatewayFixture
    beforeAll(async () => {
      fixture = await GatewayFixture.up('traffic', [{ service: 'h2c', protocol: 'http2' }])
    })
    afterEach(() => fixture?.unmake())
    afterAll(() => fixture?.close())

    const routed = (cases: readonly Case[], ...routes: readonly TestObject[]): Promise<void> =>
      fixture.routed('same', cases, ...routes)

    describe('mirrors', () => {
      /** Each path, asked once, is heard by these too, with the headers that the service itself is asked with. */
      async function mirrored(paths: Readonly<Record<string, readonly string[]>>): Promise<void> {
        for (const [path, services] of Object.entries(paths))
          for (const service of services)
            await eventually(`${service} hears ${path}`, async () => {
              const heard = await fixture.heard(service, path)
              return heard.some(
                headers =>
                  !path.includes('modify') ||
                  Object.entries(modified).every(([name, value]) => headers[name.toLowerCase()] === value),
              )
            })
      }

      test('HTTPRouteRequestMirror', async () => {
        await routed(
          [
            ['/mirror', 'v1'],
            [
              { to: '/mirror-and-modify-headers', headers: unmodified },
              { status: 200, service: 'v1', asked: modified },
            ],
          ],
          httpRoute('mirror', 'same', [
            rule('v1', [prefix('/mirror')], { filters: [mirror('v2')] }),
            rule('v1', [prefix('/mirror-and-modify-headers')], { filters: [modifier, mirror('v2')] }),
          ]),
        )
        await mirrored({ '/mirror': ['v2'], '/mirror-and-modify-headers': ['v2'] })
      })

      test('HTTPRouteRequestMultipleMirrors', async () => {
        const mirrors = [mirror('v2'), mirror('v3')]
        await routed(
          [
            ['/multi-mirror', 'v1'],
            [
              { to: '/multi-mirror-and-modify', headers: unmodified },
              { status: 200, service: 'v1', asked: modified },
            ],
          ],
          httpRoute('mirrors', 'same', [
            rule('v1', [prefix('/multi-mirror')], { filters: mirrors }),
            rule('v1', [prefix('/multi-mirror-and-modify')], { filters: [modifier, ...mirrors] }),
          ]),
        )
        await mirrored({ '/multi-mirror': ['v2', 'v3'], '/multi-mirror-and-modify': ['v2', 'v3'] })
      })

      test('HTTPRouteRequestPercentageMirror', async () => {
        const parts = { percent: { percent: 20 }, fraction: { fraction: { numerator: 1, denominator: 2 } } }
        await routed(
          [
            ['/percent', 'v1'],
            ['/fraction', 'v1'],
            [
              { to: '/modify', headers: unmodified },
              { status: 200, service: 'v1', asked: modified },
            ],
          ],
          httpRoute('parts', 'same', [
            rule('v1', [prefix('/percent')], { filters: [mirror('v2', parts.percent)] }),
            rule('v1', [prefix('/fraction')], { filters: [mirror('v2', parts.fraction)] }),
            rule('v1', [prefix('/modify')], { filters: [modifier, mirror('v2', { percent: 35 })] }),
          ]),
        )
        for (const [path, part] of [
          ['/percent', 0.2],
          ['/fraction', 0.5],
          ['/modify', 0.35],
        ] as const)
          await eventually(
            `${part} of requests for ${path} are mirrored`,
            async () => {
              const before = await fixture.heard('v2', path)
              await fixture.shares('same', path, { v1: 1 })
              const after = await fixture.heard('v2', path)
              return Math.abs((after.length - before.length) / 500 - part) < 0.05
            },
            40_000,
          )
      })
    })

    test('HTTPRouteCORS', () => {
      const foo = 'https://www.foo.com'
      const any = { Origin: 'https://foobar.com', 'Access-Control-Request-Method': 'PUT' }
      const preflight = (path: string, headers: Readonly<Record<string, string>>): Asked => ({
        to: `OPTIONS ${path}`,
        headers: { 'Access-Control-Request-Method': 'GET', ...headers },
      })
      const wanted = { 'Access-Control-Request-Headers': 'x-header-1, x-header-2' }
      const both = ['x-header-1,x-header-2', 'x-header-2,x-header-1']
      const noCredentials = { 'access-control-allow-credentials': undefined }
      const well = [200, 204]
      const allowed = (origin: string): Case => [
        preflight('/cors-1', { Origin: origin, ...wanted }),
        {
          status: well,
          headers: {
            'access-control-allow-origin': origin,
            'access-control-allow-methods': ['GET,OPTIONS', 'OPTIONS,GET'],
            'access-control-allow-headers': both,
            'access-control-max-age': '3600',
            'access-control-allow-credentials': 'true',
          },
        },
      ]
      const asking = (path: string, Origin: string, method = 'GET'): Asked => ({
        to: `${method} ${path}`,
        headers: { Origin },
      })
      const fromAny = (origin: string): Case[] => {
        const headers = { 'access-control-allow-origin': [origin, '*'], ...noCredentials }
        const ofPreflight = { ...headers, 'access-control-allow-methods': 'PUT' }
        return [
          [preflight('/cors-any-origin', { ...any, Origin: origin }), { status: well, headers: ofPreflight }],
          [asking('/cors-any-origin', origin, 'PUT'), { status: 200, headers }],
        ]
      }
      const other = 'https://other.foo.com'
      const withAny = preflight('/cors-all', { ...any, Origin: other, ...wanted })
      const withCredentials = { 'access-control-allow-origin': other, 'access-control-allow-credentials': 'true' }
      return routed(
        [
          ...[foo, 'https://www.bar.com', 'https://xpto.www.bar.com'].map(allowed),
          [
            preflight('/cors-1', { Origin: 'https://foobar.com' }),
            { status: [200, 204, 403], headers: { 'access-control-allow-origin': undefined } },
          ],
          ...[foo, 'https://www.bar.com'].map((origin): Case => [
            asking('/cors-1', origin),
            {
              status: 200,
              headers: {
                'access-control-allow-origin': origin,
                'access-control-expose-headers': ['x-header-3,x-header-4', 'x-header-4,x-header-3'],
              },
            },
          ]),
          [asking('/cors-1', 'https://foobar.com'), { headers: { 'access-control-allow-origin': undefined } }],
          [
            preflight('/cors-2', { Origin: foo, 'Access-Control-Request-Method': 'POST' }),
            {
              status: well,
              headers: {
                'access-control-allow-origin': foo,
                'access-control-allow-methods': ['POST', '*'],
                ...noCredentials,
              },
            },
          ],
          ...['https://foobar.com', 'https://foobar.com:12345'].flatMap(fromAny),
          [
            withAny,
            {
              status: well,
              headers: {
                ...withCredentials,
                'access-control-allow-methods': 'PUT',
                'access-control-allow-headers': both,
              },
            },
          ],
          [
            { ...withAny, to: 'OPTIONS /cors-open' },
            {
              status: well,
              headers: {
                'access-control-allow-origin': [other, '*'],
                'access-control-allow-methods': ['PUT', '*'],
                'access-control-allow-headers': [...both, '*'],
                ...noCredentials,
              },
            },
          ],
          [asking('/cors-all', other), { status: 200, headers: withCredentials }],
          [
            asking('/cors-open', other),
            { status: 200, headers: { 'access-control-allow-origin': other, ...noCredentials } },
          ],
        ],
        httpRoute(
          'cors',
          'same',
          Object.entries({
            '/cors-1': {
              allowOrigins: [foo, 'https://*.bar.com'],
              allowMethods: ['GET', 'OPTIONS'],
              allowHeaders: ['x-header-1', 'x-header-2'],
              exposeHeaders: ['x-header-3', 'x-header-4'],
              allowCredentials: true,
              maxAge: 3600,
            },
            '/cors-2': { allowOrigins: [foo], allowMethods: ['*'] },
            '/cors-any-origin': { allowOrigins: ['*'], allowMethods: ['PUT'] },
            '/cors-all': { allowOrigins: [other], allowMethods: ['*'], allowHeaders: ['*'], allowCredentials: true },
            '/cors-open': { allowOrigins: [other], allowMethods: ['*'], allowHeaders: ['*'] },
          }).map(([path, allowed]) => rule('v1', [prefix(path)], { filters: [cors(allowed)] })),
        ),
      )
    })

    describe('times and protocols', () => {
      test('HTTPRouteTimeoutRequest', () =>
        routed(
          [
            ['/limited', 200],
            ['/limited?delay=1s', 504],
            ['/unlimited?delay=1s', 200],
          ],
          httpRoute('request-time', 'same', [
            rule('v1', [prefix('/limited')], { timeouts: { request: '500ms' } }),
            rule('v1', [prefix('/unlimited')], { timeouts: { request: '0s' } }),
          ]),
        ))

      test('HTTPRouteTimeoutBackendRequest', () =>
        routed(
          [
            ['/limited', 200],
            ['/limited?delay=1s', 504],
          ],
          httpRoute('backend-time', 'same', [
            rule('v1', [prefix('/limited')], { timeouts: { backendRequest: '500ms' } }),
          ]),
        ))

      test('HTTPRouteBackendProtocolH2C', async () => {
        const place = await fixture.place('same')
        await routed(
          [['/', { status: 200, service: 'h2c', echo: { protocol: '2.0' } }]],
          httpRoute('h2c', 'same', [rule('h2c')]),
        )
        // Clients that know that the gateway speaks HTTP/2 say so from the start.
        await eventually('an answer in HTTP/2', async () => {
          const url = `http://${place.address}:${place.port}/`
          return (await fixture.cluster.curl(url, '--http2-prior-knowledge')).includes('"service":"h2c"')
        })
      })

      test('HTTPRouteBackendProtocolWebSocket', async () => {
        const ports = [{ port: 8080, targetPort: 3001, appProtocol: 'kubernetes.io/ws' }]
        await fixture.make(service('web-socket', { selector: { app: 'backends' }, ports }))
        await routed([], httpRoute('web-socket', 'same', [rule('web-socket', [prefix('/ws')])]))
        const place = await fixture.place('same')
        await fixture.holds(async () => {
          const answer = await fixture.asker.ask({ type: 'webSocket', ...place, path: '/ws', message: 'hello' })
          return answer.body === 'text hello, binary hello' ? [] : [JSON.stringify(answer)]
        })
      })
    })
  },
)
