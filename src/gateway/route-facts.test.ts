// What people are told of a gateway: each rule, and the way of a request.
import { describe, expect, test } from 'vitest'
import type { Ingress, IngressClass } from '../api/generated/models.ts'
import { gatewayController } from '../api/gateway-names.ts'
import {
  connectionRoute,
  gateway,
  httpRoute,
  listener,
  observedWith,
  parent,
  toService,
} from '../testing/gateway-objects.ts'
import { accessPolicy, balancingPolicy, policedModel, trafficPolicy } from '../testing/policed-gateway.ts'
import { explainRequest, type Explanation, type RequestInMind } from './explain-request.ts'
import { gatewayModel, type MadeModel } from './model/gateway-model.ts'
import type { Front } from './model/gateway-addresses.ts'
import type { Observed } from './model/observed.ts'
import { routeFacts, type RouteFacts } from './route-facts.ts'

const front: Front = { address: '127.0.0.1', port: 8080, securePort: 8443, ownAddresses: ['127.7.0.1', '127.7.0.2'] }
const services = ['shop/web', 'shop/api', 'shop/copy']
const made = (more: Partial<Observed>): MadeModel => gatewayModel(observedWith(more, services), front)

const ingressClass = { metadata: { name: 'sampan' }, spec: { controller: gatewayController } } as IngressClass

const ingress = (name: string, host: string, paths: Record<string, string>, annotations = {}): Ingress =>
  ({
    kind: 'Ingress',
    metadata: { name, namespace: 'shop', creationTimestamp: '2026-01-01T00:00:00Z', annotations },
    spec: {
      ingressClassName: 'sampan',
      rules: [
        {
          host,
          http: {
            paths: Object.entries(paths).map(([path, service]) => ({
              path,
              pathType: path === '/gone' ? 'Exact' : 'Prefix',
              backend: { service: { name: service, port: { number: 80 } } },
            })),
          },
        },
      ],
    },
  }) as unknown as Ingress

const withIngresses = (...ingresses: readonly Ingress[]): MadeModel =>
  made({ ingressClasses: [ingressClass], ingresses })

const plainFront = { address: '127.0.0.1', port: 8080, protocol: 'HTTP' }
const secureFront = { address: '127.0.0.1', port: 8443, protocol: 'HTTPS' }

describe('each rule is listed', () => {
  test('with where it is reached, what it leads to and why it does not work', () => {
    const all = withIngresses(
      ingress('one', 'shop.example.com', { '/': 'web', '/gone': 'none' }),
      ingress('two', '*.example.com', { '/': 'api' }),
    )
    const usual = {
      conditions: [],
      instances: 0,
      policies: [],
      does: [],
      entrances: [plainFront, secureFront],
      by: ['Ingress'],
    }
    const problem = 'no instance is ready'
    expect(routeFacts(all)).toEqual([
      {
        ...usual,
        host: 'shop.example.com',
        path: '/gone',
        pathType: 'Exact',
        owner: 'Ingress shop/one',
        leadsTo: ['shop/none:80'],
        problem: 'there is no service "none" in the namespace shop',
      },
      {
        ...usual,
        host: 'shop.example.com',
        path: '/',
        pathType: 'Prefix',
        owner: 'Ingress shop/one',
        leadsTo: ['shop/web:80'],
        problem,
      },
      {
        ...usual,
        host: '*.example.com',
        path: '/',
        pathType: 'Prefix',
        owner: 'Ingress shop/two',
        leadsTo: ['shop/api:80'],
        problem,
      },
    ])
  })

  test('a redirect to TLS is told where it is, and is no problem', () => {
    const all = withIngresses(ingress('one', 'a.com', { '/': 'web' }, { 'ingress.kubernetes.io/ssl-redirect': 'true' }))
    const [plain, secure] = routeFacts(all)
    expect(plain).toMatchObject({ redirect: '308 to https://a.com:8443', leadsTo: [], entrances: [plainFront] })
    expect(plain).not.toHaveProperty('problem')
    expect(secure).toMatchObject({ leadsTo: ['shop/web:80'], entrances: [secureFront] })
  })

  test('the Gateway at whose listeners it is, and what its requests have to be', () => {
    const all = made({
      gateways: [gateway({ name: 'one' }, [listener()]), gateway({ name: 'two' }, [listener()])],
      httpRoutes: [
        httpRoute({ name: 'web', parents: [parent('two')], hostnames: ['a.com'] }, [
          {
            matches: [
              {
                path: { type: 'PathPrefix', value: '/' },
                method: 'POST',
                headers: [{ type: 'Exact', name: 'X-Version', value: '2' }],
              },
            ],
            backendRefs: [toService('web'), toService('missing', { weight: 3 })],
          },
        ]),
      ],
    })
    expect(routeFacts(all)).toMatchObject([
      {
        by: ['Gateway shop/two'],
        entrances: [plainFront, { address: '127.7.0.2', port: 80, protocol: 'HTTP' }],
        conditions: ['method POST', 'header X-Version: 2'],
        leadsTo: ['shop/web:80 25 %', 'nothing 75 %'],
        problem: 'there is no service "missing" in the namespace shop',
      },
    ])
  })

  test('TLS that is handed on, and connections', () => {
    const all = made({
      gateways: [
        gateway({ name: 'one' }, [
          listener({ name: 'tls', port: 8444, protocol: 'TLS', tls: { mode: 'Passthrough' } }),
          listener({ name: 'tcp', port: 5432, protocol: 'TCP' }),
        ]),
      ],
      tlsRoutes: [
        connectionRoute('TLSRoute', { name: 'tls', parents: [parent('one')], hostnames: ['a.com'] }, [
          toService('web'),
        ]),
      ],
      tcpRoutes: [connectionRoute('TCPRoute', { name: 'tcp', parents: [parent('one')] }, [toService('api')])],
    })
    const protocols = ({ owner, entrances }: RouteFacts): unknown => [owner, ...entrances.map(each => each.protocol)]
    expect(routeFacts(all).map(protocols)).toEqual([
      ['TLSRoute shop/tls', 'TLS passthrough', 'TLS passthrough'],
      ['TCPRoute shop/tcp', 'TCP', 'TCP'],
    ])
    expect(explain(all, { scheme: 'https', port: 8444, host: 'a.com' })).toMatchObject({
      found: 'rule',
      rule: { owner: 'TLSRoute shop/tls' },
    })
    expect(explain(all, { scheme: 'http', port: 8444, host: 'a.com' })).toMatchObject({ found: 'other protocol' })
    expect(explain(all, { scheme: 'http', port: 5432 })).toMatchObject({ rule: { owner: 'TCPRoute shop/tcp' } })
  })
})

describe('what is done on the way', () => {
  const rules = {
    all: {
      filters: [
        { type: 'URLRewrite', urlRewrite: { hostname: 'in.com', path: pathPrefix('/new') } },
        {
          type: 'RequestHeaderModifier',
          requestHeaderModifier: { set: [{ name: 'X-A', value: '1' }], remove: ['X-B'] },
        },
        { type: 'ResponseHeaderModifier', responseHeaderModifier: { add: [{ name: 'X-C', value: '2' }] } },
        { type: 'RequestMirror', requestMirror: { backendRef: toService('web'), percent: 50 } },
        { type: 'CORS', cors: { allowOrigins: ['https://a.com'], allowMethods: ['GET'], maxAge: 5 } },
      ],
      timeouts: { request: '2s' },
    },
    away: {
      filters: [
        {
          type: 'RequestRedirect',
          requestRedirect: { scheme: 'https', hostname: 'b.com', path: pathPrefix('/to'), statusCode: 301 },
        },
      ],
      backendRefs: [],
    },
  } as unknown as Parameters<typeof policedModel>[2]['rules']

  test('is told in words', () => {
    expect(explained(policedModel(8080, 3000, { rules }), '/all/x')).toMatchObject({
      leadsTo: ['shop/web:80'],
      instances: 1,
      does: [
        'browsers may ask from https://a.com with GET (CORS)',
        'request header X-A is set to "1"',
        'request header X-B is removed',
        'response header X-C gets "2" added',
        'the host becomes in.com',
        'the beginning /all of the path becomes /new',
        'a copy of 50 % goes to shop/web:80',
        'without an answer within 2 s it is 504',
      ],
    })
  })

  test('a redirect is told with the address of the request', () => {
    const facts = explained(policedModel(8080, 3000, { rules }), '/away/x')
    expect(facts).toMatchObject({ redirect: '301 to https://b.com/to/x?page=2', leadsTo: [] })
  })
})

describe('policies', () => {
  const rules = { one: {}, two: {} }
  const target = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'entry' }
  const keys = { authentication: { keys: { header: 'X-API-Key' } } }

  test('are told in words, in the order in which a request meets them', () => {
    const all = policedModel(8080, 3000, {
      rules,
      accessPolicies: [
        accessPolicy('inner', 'one', { ...keys, groups: ['partners'], consumers: ['ann'] }),
        accessPolicy('outer', target, { addresses: { allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] } }),
      ],
      trafficPolicies: [
        trafficPolicy('few', 'one', {
          rateLimits: [
            { requests: 100, per: '1m', by: 'Consumer' },
            { requests: 1, per: '1s', by: 'Header', header: 'X-Tenant' },
          ],
          maxBodySize: '10Mi',
        }),
      ],
    })
    expect(explained(all, '/one')?.policies).toEqual([
      { name: 'AccessPolicy shop/outer', asks: ['from 10.0.0.0/8', 'not from 10.1.0.0/16'] },
      {
        name: 'AccessPolicy shop/inner',
        asks: ['key in X-API-Key, of ann and group partners'],
        problem: expect.stringContaining('there is no Consumer "ann"'),
      },
      {
        name: 'TrafficPolicy shop/few',
        asks: [
          'at most 100 requests in 60 s by consumer',
          'at most 1 request in 1 s by X-Tenant',
          'a body of at most 10Mi',
        ],
      },
    ])
    expect(explained(all, '/two')?.policies.map(({ name }) => name)).toEqual(['AccessPolicy shop/outer'])
  })

  test('say how the service is balanced, last', () => {
    const all = policedModel(8080, 3000, {
      rules,
      accessPolicies: [accessPolicy('inner', 'one', keys)],
      balancingPolicies: [
        balancingPolicy('spread', ['web'], {
          algorithm: 'ConsistentHash',
          hash: { by: 'Header', name: 'X-Tenant' },
          affinity: { cookie: { name: 'at', maxAge: '1h' } },
          ejection: { consecutiveErrors: 5, duration: '30s' },
          slowStart: '1m',
          concurrency: { perInstance: 8, queue: { length: 20, timeout: '2s' } },
        }),
      ],
    })
    expect(explained(all, '/one')?.policies.at(-1)).toEqual({
      name: 'BalancingPolicy shop/spread',
      asks: [
        'one instance for each value of the header X-Tenant',
        'clients stay with their instance by a cookie at for 3600 s',
        'an instance gets nothing for 30 s after 5 errors in a row',
        'an instance that comes gets all of its share after 60 s',
        'at most 8 at a time for an instance; 20 more wait for up to 2 s',
      ],
    })
  })

  test('one that cannot be enforced is why nobody is let in', () => {
    const all = policedModel(8080, 3000, {
      rules,
      accessPolicies: [accessPolicy('keys', 'one', keys)],
      more: { refused: new Map([['AccessPolicy shop/keys', 'too odd']]) },
    })
    const facts = explained(all, '/one')
    expect(facts?.problem).toBe('a policy cannot be enforced, so that nobody is let in (500)')
    expect(facts?.policies).toMatchObject([{ name: 'AccessPolicy shop/keys', problem: 'too odd' }])
  })
})

describe('a request is explained', () => {
  const all = made({
    ingressClasses: [ingressClass],
    ingresses: [ingress('one', 'a.com', { '/orders': 'web' })],
    gateways: [gateway({ name: 'one' }, [listener({ port: 81 })])],
    httpRoutes: [
      httpRoute({ name: 'web', parents: [parent('one')], hostnames: ['b.com', 'c.com'] }, [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' }, method: 'POST' }],
          backendRefs: [toService('api')],
        },
      ]),
    ],
  })

  test.each<[string, Partial<RequestInMind>, object]>([
    ['at the plain front', { path: '/orders/1' }, { entrance: plainFront, by: ['Ingress'] }],
    ['at the secure front', { scheme: 'https', port: 8443, path: '/orders' }, { entrance: secureFront }],
    [
      'at an address of a Gateway, for its second host',
      { address: '127.7.0.1', port: 81, host: 'c.com', method: 'POST' },
      { found: 'rule', by: ['Gateway shop/one'], rule: { host: 'c.com', owner: 'HTTPRoute shop/web' } },
    ],
    ['at a port of a Gateway at the front', { port: 81, host: 'b.com', method: 'POST' }, { found: 'rule' }],
    [
      'where nobody listens',
      { port: 80, path: '/orders' },
      { found: 'no entrance', entrances: [plainFront, secureFront] },
    ],
    ['in plain text where TLS is', { port: 8443, path: '/orders' }, { found: 'other protocol', entrance: secureFront }],
    [
      'with another method',
      { port: 81, host: 'b.com' },
      { found: 'no rule', missed: { unmet: [{ owner: 'HTTPRoute shop/web', conditions: ['method POST'] }] } },
    ],
    ['with another path', { path: '/order' }, { found: 'no rule', missed: { hosts: ['a.com'], paths: ['/orders'] } }],
    [
      'for a host of another entrance',
      { host: 'b.com', method: 'POST' },
      { found: 'no rule', missed: { paths: [], elsewhere: [{ address: '127.7.0.1', port: 81 }, { port: 81 }] } },
    ],
  ])('%s', (_what, request, expected) => {
    expect(explain(all, request)).toMatchObject(expected)
  })
})

function pathPrefix(value: string): object {
  return { type: 'ReplacePrefixMatch', replacePrefixMatch: value }
}

function explain(known: MadeModel, request: Partial<RequestInMind>): Explanation {
  const usual = { scheme: 'http', address: '127.0.0.1', port: 8080, host: 'a.com', path: '/', search: '' } as const
  return explainRequest(known, { ...usual, method: 'GET', headers: {}, query: {}, ...request })
}

function explained(known: MadeModel, path: string): Extract<Explanation, { found: 'rule' }>['rule'] | undefined {
  const found = explain(known, { path, search: '?page=2' })
  return found.found === 'rule' ? found.rule : undefined
}
