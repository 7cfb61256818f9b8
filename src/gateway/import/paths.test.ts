// Requests go where they went: what Kong and marathon-lb do by their own rules, written down once more here, against the
// model that the gateway makes of the objects.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GRPCRoute, HTTPRoute } from '../../api/gateway-api/types.ts'
import type { KubeObject } from '../../api/object.ts'
import { gateway, listener, observedWith } from '../../testing/gateway-objects.ts'
import { findRule, type AskedRequest } from '../model/find-rule.ts'
import { gatewayModel } from '../model/gateway-model.ts'
import { fitsPattern } from '../model/patterns.ts'
import { importConfiguration, type ImportedConfiguration } from './import-configuration.ts'
import { patternOf } from './paths.ts'
import { reportText } from './report.ts'

const parent = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop', name: 'all' }
const front = { address: '127.0.0.1', port: 8080, ownAddresses: ['127.7.0.1'] }

const imported = (source: unknown): ImportedConfiguration =>
  importConfiguration([{ name: 'it', text: JSON.stringify(source) }], { namespace: 'shop', parent })

/** @returns the service that a request is led to; its name is that of the route, without what was put behind it */
function taker({ objects }: ImportedConfiguration): (request: AskedRequest) => string | undefined {
  const all = (objects as KubeObject[]).map(object => ({
    ...object,
    metadata: { ...object.metadata, creationTimestamp: '2026-01-01T00:00:00Z' },
  }))
  const services = all.filter(({ kind }) => kind === 'Service').map(({ metadata }) => `shop/${metadata.name}`)
  const httpRoutes = all.filter(({ kind }) => kind === 'HTTPRoute') as unknown as HTTPRoute[]
  const named = httpRoutes.flatMap(({ spec }) =>
    spec.rules.flatMap(({ backendRefs = [] }) => backendRefs.map(({ name }) => `shop/${name}`)),
  )
  const { model } = gatewayModel(
    observedWith(
      {
        gateways: [gateway({ name: 'all' }, [listener()])],
        httpRoutes,
        grpcRoutes: all.filter(({ kind }) => kind === 'GRPCRoute') as unknown as GRPCRoute[],
      },
      [...services, ...named],
    ),
    front,
  )
  const entrance = model.entrances.find(({ address }) => address === '127.7.0.1')!
  return request => findRule(entrance, request)?.source.split(' ')[1]?.split('/')[1]?.replace(/-\d+$/, '')
}

const segments = ['/', '/foo', '/foobar', '/foo/', '/foo/bar', '/foo/barn', '/fo', '/foo.x', '/foo/bar/baz', '/a-b']
const hosts = ['a.test', 'b.test']
const asked = fc.record({
  host: fc.constantFrom(...hosts, 'c.test'),
  path: fc
    .tuple(fc.constantFrom(...segments), fc.constantFrom('', '/', '/x', 'x', '/bar', 'bar', '/bar/x', '/1', '/12x'))
    .map(parts => parts.join('').replaceAll(/\/+/g, '/')),
  method: fc.constantFrom('GET', 'POST'),
})
const requestOf = (some: { host: string; path: string; method: string }): AskedRequest => ({
  ...some,
  headers: {},
  query: {},
})

interface KongPath {
  readonly hosts: readonly string[]
  readonly path: string
  readonly methods: readonly string[]
  readonly strip: boolean
  readonly priority: number
}

/** Source: Kong, router: conditions, plain hosts, expressions, regex_priority, length, age. */
function kongTakes(routes: readonly KongPath[], { host, path, method }: AskedRequest): string | undefined {
  const ranked = routes
    .map((route, index) => ({ route, index }))
    .toSorted(
      (left, right) =>
        conditions(right.route) - conditions(left.route) ||
        Number(right.route.hosts.length > 0) - Number(left.route.hosts.length > 0) ||
        Number(isRegex(right.route)) - Number(isRegex(left.route)) ||
        (isRegex(left.route)
          ? right.route.priority - left.route.priority
          : right.route.path.length - left.route.path.length) ||
        left.index - right.index,
    )
  const found = ranked.find(
    ({ route }) =>
      (route.hosts.length === 0 || route.hosts.includes(host)) &&
      (route.methods.length === 0 || route.methods.includes(method)) &&
      (isRegex(route) ? new RegExp(`^(?:${route.path.slice(1)})`).test(path) : path.startsWith(route.path)),
  )
  return found && `r${found.index}`
}
const isRegex = ({ path }: KongPath): boolean => path.startsWith('~')
const conditions = ({ hosts: some, methods }: KongPath): number =>
  1 + Number(some.length > 0) + Number(methods.length > 0)

const kongOf = (routes: readonly KongPath[]): object => ({
  _format_version: '3.0',
  services: routes.map(({ hosts: some, path, methods, strip, priority }, index) => ({
    name: `r${index}`,
    host: '10.0.0.1',
    routes: [
      {
        name: `r${index}`,
        paths: [path],
        ...(some.length > 0 && { hosts: some }),
        ...(methods.length > 0 && { methods }),
        strip_path: strip,
        preserve_host: true,
        regex_priority: priority,
      },
    ],
  })),
})

const kongRoutes = (more: { readonly strips: boolean; readonly methods: boolean; readonly regexes: boolean }) =>
  fc.array(
    fc.record({
      hosts: fc.subarray(hosts),
      path: more.regexes
        ? fc.constantFrom(...segments, String.raw`~/foo/\d+$`, String.raw`~/foo/\d+`, '~/fo+bar', '~/.*x')
        : fc.constantFrom(...segments),
      methods: more.methods ? fc.subarray(['GET', 'POST']) : fc.constant([]),
      strip: more.strips ? fc.boolean() : fc.constant(false),
      priority: fc.integer({ min: 0, max: 3 }),
    }),
    { minLength: 1, maxLength: 6 },
  )

describe("Kong's routes", () => {
  test('with prefixes and expressions take the same requests, in the same order', () => {
    fc.assert(
      fc.property(
        kongRoutes({ strips: false, methods: false, regexes: true }),
        fc.array(asked, { minLength: 20 }),
        (routes, requests) => {
          const takes = taker(imported(kongOf(routes)))
          for (const request of requests.map(requestOf))
            expect([request, takes(request)]).toEqual([request, kongTakes(routes, request)])
        },
      ),
      { numRuns: 300 },
    )
  })

  test('whose paths are cut off or that want methods take the same requests, or the report says which not', () => {
    fc.assert(
      fc.property(
        kongRoutes({ strips: true, methods: true, regexes: false }),
        fc.array(asked, { minLength: 20 }),
        (routes, requests) => {
          const made = imported(kongOf(routes))
          const takes = taker(made)
          const report = reportText(made.report)
          for (const request of requests.map(requestOf)) {
            const [before, after] = [kongTakes(routes, request), takes(request)]
            if (before === after) continue
            const told =
              before === undefined ? `routes ${after}: requests such as` : `routes ${before}: requests such as`
            expect([request, report]).toEqual([request, expect.stringContaining(told)])
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

test('applications of Marathon take the same requests, in the order of the file of HAProxy', () => {
  const apps = fc.array(
    fc.record({
      host: fc.constantFrom(...hosts),
      path: fc.constantFrom(undefined, ...segments, '-i /FOO', '/fo /a-b'),
      weight: fc.constantFrom(undefined, 0, 1, 5),
    }),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(apps, fc.array(asked, { minLength: 20 }), (some, requests) => {
      const takes = taker(
        imported(
          some.map(({ host, path, weight }, index) => ({
            id: `/r${index}`,
            portDefinitions: [{ port: 10_000 + index }],
            labels: {
              HAPROXY_GROUP: 'external',
              HAPROXY_0_VHOST: host,
              ...(path !== undefined && { HAPROXY_0_PATH: path }),
              ...(weight !== undefined && { HAPROXY_0_BACKEND_WEIGHT: String(weight) }),
            },
          })),
        ),
      )
      const ranked = some
        .map((app, index) => ({ ...app, index, place: app.weight || (app.path === undefined ? 0 : 1) }))
        .toSorted((left, right) => right.place - left.place)
      for (const request of requests.map(requestOf)) {
        const found = ranked.find(
          ({ host, path = '/' }) =>
            host === request.host &&
            path
              .split(' ')
              .filter(word => word !== '-i')
              .some(prefix =>
                path.startsWith('-i')
                  ? request.path.toLowerCase().startsWith(prefix.toLowerCase())
                  : request.path.startsWith(prefix),
              ),
        )
        expect([request, takes(request)]).toEqual([request, found && `r${found.index}`])
      }
    }),
    { numRuns: 300 },
  )
})

test('an expression leaves out what begins with the rests that others take, by segments', () => {
  const rest = fc.constantFrom('bar', '/bar', '/bar/baz', 'b', '/', '', '/b-]x', '^')
  fc.assert(
    fc.property(fc.uniqueArray(rest, { minLength: 1, maxLength: 4 }), asked, (rests, { path }) => {
      const isOthers = rests.some(each => path === `/foo${each}` || path.startsWith(`/foo${each}/`))
      expect(fitsPattern(patternOf({ kind: 'prefix', value: '/foo' }, rests), path)).toBe(
        path.startsWith('/foo') && !isOthers,
      )
    }),
  )
})
