// Gateways and their routes as what is done with requests, and as what their statuses say.
import { describe, expect, test } from 'vitest'
import type { Service } from '../../api/generated/models.ts'
import {
  connectionRoute,
  gateway,
  gatewayClass,
  grant,
  grpcRoute,
  httpRoute,
  listener,
  listenerSet,
  observedWith,
  parent,
  toService,
} from '../../testing/gateway-objects.ts'
import { findRule, type AskedRequest } from './find-rule.ts'
import type { Front } from './gateway-addresses.ts'
import { gatewayModel, type MadeModel } from './gateway-model.ts'
import type { Observed } from './observed.ts'
import { statusChange } from './status-change.ts'
import { wantedStatuses } from './statuses.ts'

const front: Front = { address: '127.0.0.1', port: 8080, ownAddresses: ['127.7.0.1', '127.7.0.2'] }
const services = ['shop/web', 'shop/api', 'other/far']
const made = (more: Partial<Observed>): MadeModel => gatewayModel(observedWith(more, services), front)

/** @returns ids of the backends that a request is shared among */
function leads({ model }: MadeModel, at: string, url: string, more: Partial<AskedRequest> = {}): unknown {
  const { hostname, pathname, searchParams } = new URL(url)
  const entrance = model.entrances.find(({ address, port }) => `${address}:${port}` === at)
  if (entrance === undefined) return 'not served'
  return findRule(entrance, {
    host: hostname,
    path: pathname,
    method: 'GET',
    headers: {},
    query: Object.fromEntries(searchParams),
    ...more,
  })?.action.shares.map(({ backend, weight }) => `${backend} ${weight}`)
}

/** @returns the conditions of the status, each as `Type=Status Reason` */
function says(result: MadeModel, kind: string, name: string): Record<string, unknown> {
  const wanted = wantedStatuses(result, [gatewayClass]).find(
    ({ object }) => object.kind === kind && object.metadata.name === name,
  )!
  const texts = (all: readonly { type: string; status: string; reason: string }[] = []): string[] =>
    all.map(({ type, status, reason }) => `${type}=${status} ${reason}`)
  return {
    ...(wanted.conditions !== undefined && { conditions: texts(wanted.conditions) }),
    ...(wanted.listeners !== undefined && {
      listeners: Object.fromEntries(
        wanted.listeners.map(each => [each.name, [each.attachedRoutes, ...texts(each.conditions)]]),
      ),
    }),
    ...(wanted.parents !== undefined && { parents: wanted.parents.map(({ conditions }) => texts(conditions)) }),
  }
}

const fine = [
  'Accepted=True Accepted',
  'Programmed=True Programmed',
  'ResolvedRefs=True ResolvedRefs',
  'Conflicted=False NoConflicts',
]

describe('a Gateway', () => {
  test('has an address of its own, and is at the front, too', () => {
    const result = made({
      gateways: [gateway({ name: 'one' }, [listener()]), gateway({ name: 'two' }, [listener()])],
      httpRoutes: [
        httpRoute({ name: 'web', parents: [parent('one')] }, [{ backendRefs: [toService('web')] }]),
        httpRoute({ name: 'api', parents: [parent('two')], created: '2026-02-01T00:00:00Z' }, [
          { backendRefs: [toService('api')] },
        ]),
      ],
    })
    expect(leads(result, '127.7.0.1:80', 'http://a.com/')).toEqual(['shop.web.80 1'])
    expect(leads(result, '127.7.0.2:80', 'http://a.com/')).toEqual(['shop.api.80 1'])
    expect(leads(result, '127.0.0.1:8080', 'http://a.com/')).toEqual(['shop.web.80 1'])
    expect(result.problems).toEqual([
      { owner: 'HTTPRoute shop/api', reason: 'AlreadyTaken', message: '*/ is taken by the older HTTPRoute shop/web' },
    ])
    expect(says(result, 'Gateway', 'two')).toEqual({
      conditions: ['Accepted=True Accepted', 'Programmed=True Programmed'],
      listeners: { http: [1, ...fine] },
    })
  })

  // Source: Gateway API, listener isolation: it goes by the names of listeners. Names of routes say which rule is tried first.
  test.each<[string, string | undefined, unknown]>([
    ['a name by its listener has what it misses to itself', 'a.com', undefined],
    ['a name by a route alone leaves what it misses to listeners of all names', undefined, ['shop.api.80 1']],
  ])('at the front, where others take everything, %s', (_what, hostname, missed) => {
    const result = made({
      gateways: [
        gateway({ name: 'one' }, [listener(hostname === undefined ? {} : { hostname })]),
        gateway({ name: 'two' }, [listener()]),
      ],
      httpRoutes: [
        httpRoute({ name: 'web', parents: [parent('one')], hostnames: ['a.com'] }, [
          { matches: [{ path: { type: 'PathPrefix', value: '/web' } }], backendRefs: [toService('web')] },
        ]),
        httpRoute({ name: 'all', parents: [parent('two')] }, [{ backendRefs: [toService('api')] }]),
      ],
    })
    expect(leads(result, '127.0.0.1:8080', 'http://a.com/web')).toEqual(['shop.web.80 1'])
    expect(leads(result, '127.0.0.1:8080', 'http://a.com/other')).toEqual(missed)
    expect(leads(result, '127.7.0.1:80', 'http://a.com/other')).toBeUndefined()
    expect(leads(result, '127.0.0.1:8080', 'http://b.com/other')).toEqual(['shop.api.80 1'])
  })

  test('keeps its address when an older one comes', () => {
    const two = { ...gateway({ name: 'two' }, [listener()]), status: { addresses: [{ value: '127.7.0.1' }] } }
    const result = made({ gateways: [gateway({ name: 'one', created: '2025-01-01T00:00:00Z' }, [listener()]), two] })
    expect(result.gateways.map(({ addresses }) => addresses.told)).toEqual([['127.7.0.2'], ['127.7.0.1']])
  })

  test.each<[string, unknown, string[]]>([
    [
      'a name',
      [{ type: 'Hostname', value: 'a.com' }],
      ['Accepted=False UnsupportedAddress', 'Programmed=False Invalid'],
    ],
    [
      'a foreign one',
      [{ type: 'IPAddress', value: '10.1.1.1' }],
      ['Programmed=False AddressNotUsable', 'Accepted=True Accepted'],
    ],
    ['any', [{ type: 'IPAddress' }], ['Accepted=True Accepted', 'Programmed=True Programmed']],
    [
      'one of the machine',
      [{ type: 'IPAddress', value: '192.0.2.7' }],
      ['Accepted=True Accepted', 'Programmed=True Programmed'],
    ],
  ])('that asks for %s as its address is told', (_what, addresses, conditions) => {
    const result = made({
      gateways: [gateway({ name: 'one' }, [listener()], { addresses: addresses as never })],
      machine: { addresses: new Set(['192.0.2.7']), taken: new Set() },
    })
    expect(says(result, 'Gateway', 'one').conditions).toEqual(conditions)
  })

  test('of another class is left alone', () => {
    const result = made({ gateways: [gateway({ name: 'one' }, [listener()], { gatewayClassName: 'other' })] })
    expect(result.gateways).toEqual([])
  })

  test('is told of a port that another program has, and serves the other one', () => {
    const result = made({
      gateways: [gateway({ name: 'one' }, [listener(), listener({ name: 'more', port: 3000 })])],
      machine: { addresses: new Set(), taken: new Set(['127.7.0.1:3000', '127.0.0.1:3000']) },
    })
    expect(says(result, 'Gateway', 'one')).toEqual({
      conditions: ['Accepted=True ListenersNotValid', 'Programmed=True Programmed'],
      listeners: {
        http: [0, ...fine],
        more: [
          0,
          'Accepted=False PortUnavailable',
          'Programmed=False PortUnavailable',
          'ResolvedRefs=True ResolvedRefs',
          'Conflicted=False NoConflicts',
        ],
      },
    })
    expect(leads(result, '127.7.0.1:3000', 'http://a.com/')).toBe('not served')
  })

  test('without a listener that could be served is not accepted', () => {
    const result = made({ gateways: [gateway({ name: 'one' }, [listener({ protocol: 'example.com/odd' })])] })
    expect(says(result, 'Gateway', 'one').conditions).toEqual([
      'Accepted=False ListenersNotValid',
      'Programmed=False Invalid',
    ])
  })
})

describe('a listener', () => {
  const secret = { group: '', kind: 'Secret', name: 'tls' }
  const https = (more: object): Parameters<typeof gateway>[1] => [
    listener({
      name: 'https',
      port: 443,
      protocol: 'HTTPS',
      tls: { mode: 'Terminate', certificateRefs: [{ ...secret, ...more }] },
    }),
  ]
  const certificate: Observed['certificate'] = (namespace, name) =>
    name === 'tls'
      ? {
          certificate: { id: `${namespace}.${name}`, pem: 'PEM' },
          names: ['a.test'],
          validFromMs: 0,
          expiresAtMs: Infinity,
        }
      : { problem: `there is no Secret "${name}"` }
  test.each<[string, object, string]>([
    ['that is there', {}, 'True ResolvedRefs'],
    ['that is missing', { name: 'missing' }, 'False InvalidCertificateRef'],
    ['of an unknown kind', { kind: 'Certificate' }, 'False InvalidCertificateRef'],
    ['of another namespace', { namespace: 'other' }, 'False RefNotPermitted'],
  ])('with a certificate %s says so', (_what, more, resolved) => {
    const result = made({ gateways: [gateway({ name: 'one' }, https(more))], certificate })
    expect(says(result, 'Gateway', 'one').listeners).toMatchObject({
      https: expect.arrayContaining([`ResolvedRefs=${resolved}`]),
    })
    expect([...result.model.certificates.keys()]).toEqual(resolved.startsWith('True') ? ['shop.tls'] : [])
  })
  test('may show a certificate of another namespace when that grants it', () => {
    const result = made({
      gateways: [gateway({ name: 'one' }, https({ namespace: 'other' }))],
      certificate,
      referenceGrants: [
        grant(
          { name: 'grant', namespace: 'other' },
          { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop' },
          { group: '', kind: 'Secret' },
        ),
      ],
    })
    expect([...result.model.certificates.keys()]).toEqual(['other.tls'])
  })

  test('takes no requests that belong to one with a more telling name', () => {
    const result = made({
      gateways: [
        gateway({ name: 'one' }, [
          listener({ name: 'any' }),
          listener({ name: 'wild', hostname: '*.example.com' }),
          listener({ name: 'exact', hostname: 'a.example.com' }),
        ]),
      ],
      httpRoutes: [
        httpRoute({ name: 'any', parents: [parent('one', { sectionName: 'any' })] }, [
          { backendRefs: [toService('web')] },
        ]),
        httpRoute({ name: 'wild', parents: [parent('one', { sectionName: 'wild' })] }, [
          { matches: [{ path: { type: 'PathPrefix', value: '/wild' } }], backendRefs: [toService('api')] },
        ]),
      ],
    })
    expect(leads(result, '127.7.0.1:80', 'http://b.org/')).toEqual(['shop.web.80 1'])
    expect(leads(result, '127.7.0.1:80', 'http://b.example.com/wild')).toEqual(['shop.api.80 1'])
    expect(leads(result, '127.7.0.1:80', 'http://b.example.com/')).toBeUndefined()
    expect(leads(result, '127.7.0.1:80', 'http://a.example.com/wild')).toBeUndefined()
  })

  test('that is refused is no rival of others, and one port does not both end TLS and hand it on', () => {
    const tls = (name: string, mode: 'Terminate' | 'Passthrough'): ReturnType<typeof listener> =>
      listener({
        name,
        port: 443,
        protocol: 'TLS',
        hostname: `${name}.example.com`,
        tls: { mode, certificateRefs: [] },
      })
    const result = made({
      gateways: [
        gateway({ name: 'one' }, [listener(), tls('ends', 'Terminate'), tls('hands', 'Passthrough')], {
          allowedListeners: { namespaces: { from: 'Same' } },
        }),
      ],
      listenerSets: [
        listenerSet({ name: 'set' }, 'one', [
          listener({ name: 'first', hostname: 'a.com' }),
          listener({ name: 'tcp', protocol: 'TCP' }),
          listener({ name: 'last', hostname: 'b.com' }),
        ]),
      ],
    })
    expect(says(result, 'ListenerSet', 'set').listeners).toMatchObject({
      first: [0, ...fine],
      tcp: expect.arrayContaining(['Conflicted=True ProtocolConflict']),
      last: [0, ...fine],
    })
    const conflicted = expect.arrayContaining(['Conflicted=True ProtocolConflict'])
    expect(says(result, 'Gateway', 'one').listeners).toMatchObject({
      http: [0, ...fine],
      ends: conflicted,
      hands: conflicted,
    })
  })

  test('of a set gives way to one of the Gateway, and sets are asked for', () => {
    const more = { allowedListeners: { namespaces: { from: 'Same' as const } } }
    const result = made({
      gateways: [gateway({ name: 'one' }, [listener()], more), gateway({ name: 'the-closed' }, [listener()])],
      listenerSets: [
        listenerSet({ name: 'set' }, 'one', [
          listener({ name: 'same' }),
          listener({ name: 'extra', hostname: 'a.com' }),
        ]),
        listenerSet({ name: 'refused' }, 'the-closed', [listener({ name: 'more', port: 81 })]),
      ],
      httpRoutes: [
        httpRoute({ name: 'web', parents: [parent('set', { kind: 'ListenerSet' })] }, [
          { backendRefs: [toService('web')] },
        ]),
      ],
    })
    expect(says(result, 'ListenerSet', 'set')).toEqual({
      conditions: ['Accepted=True ListenersNotValid', 'Programmed=True Programmed'],
      listeners: {
        same: [
          1,
          'Conflicted=True HostnameConflict',
          'Accepted=False HostnameConflict',
          'Programmed=False HostnameConflict',
          'ResolvedRefs=True ResolvedRefs',
        ],
        extra: [1, ...fine],
      },
    })
    expect(says(result, 'Gateway', 'one').listeners).toEqual({ http: [0, ...fine] })
    expect(says(result, 'ListenerSet', 'refused').conditions).toEqual([
      'Accepted=False NotAllowed',
      'Programmed=False NotAllowed',
    ])
    expect(leads(result, '127.7.0.1:80', 'http://a.com/')).toEqual(['shop.web.80 1'])
    expect(leads(result, '127.7.0.1:80', 'http://b.com/')).toBeUndefined()
  })
})

describe('an HTTPRoute', () => {
  const gateways = [gateway({ name: 'one' }, [listener({ hostname: '*.example.com' })])]
  test.each<[string, object, string[]]>([
    [
      'to a section that is not there',
      { parents: [parent('one', { sectionName: 'odd' })] },
      ['Accepted=False NoMatchingParent'],
    ],
    ['to a port that is not there', { parents: [parent('one', { port: 81 })] }, ['Accepted=False NoMatchingParent']],
    [
      'of another namespace',
      { namespace: 'other', parents: [parent('one', { namespace: 'shop' })] },
      ['Accepted=False NotAllowedByListeners'],
    ],
    ['for other names', { hostnames: ['a.org'] }, ['Accepted=False NoMatchingListenerHostname']],
    ['for the name below', { hostnames: ['example.com'] }, ['Accepted=False NoMatchingListenerHostname']],
    ['for one of the names', { hostnames: ['a.org', 'a.example.com'] }, ['Accepted=True Accepted']],
  ])('%s says so', (_what, facts, [accepted]) => {
    const result = made({
      gateways,
      httpRoutes: [httpRoute({ name: 'web', parents: [parent('one')], ...facts }, [{}])],
    })
    expect(says(result, 'HTTPRoute', 'web')).toMatchObject({ parents: [[accepted, 'ResolvedRefs=True ResolvedRefs']] })
  })

  test.each<[string, object, string, string]>([
    ['a missing service', toService('missing'), 'False BackendNotFound', 'undefined 1'],
    ['a missing port', toService('web', { port: 81 }), 'False BackendNotFound', 'undefined 1'],
    ['an unknown kind', toService('web', { kind: 'Bucket' }), 'False InvalidKind', 'undefined 1'],
    ['another namespace', toService('far', { namespace: 'other' }), 'False RefNotPermitted', 'undefined 1'],
  ])('to %s answers 500 there, and says so', (_what, reference, resolved, share) => {
    const result = made({
      gateways,
      httpRoutes: [
        httpRoute({ name: 'web', parents: [parent('one')] }, [
          { backendRefs: [reference as never, toService('api', { weight: 3 })] },
        ]),
      ],
    })
    expect(says(result, 'HTTPRoute', 'web')).toEqual({
      parents: [['Accepted=True Accepted', `ResolvedRefs=${resolved}`]],
    })
    expect(leads(result, '127.7.0.1:80', 'http://a.example.com/')).toEqual([share, 'shop.api.80 3'])
  })

  test('leads to another namespace that grants it', () => {
    const result = made({
      gateways,
      referenceGrants: [
        grant(
          { name: 'grant', namespace: 'other' },
          { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' },
          { group: '', kind: 'Service', name: 'far' },
        ),
      ],
      httpRoutes: [
        httpRoute({ name: 'web', parents: [parent('one')] }, [
          { backendRefs: [toService('far', { namespace: 'other' })] },
        ]),
      ],
    })
    expect(leads(result, '127.7.0.1:80', 'http://a.example.com/')).toEqual(['other.far.80 1'])
  })

  const broken = { matches: [{ path: { type: 'RegularExpression' as const, value: '/(' } }] }
  test('with a broken expression drops that rule, and is refused when there is no other', () => {
    const result = made({
      gateways,
      httpRoutes: [
        httpRoute({ name: 'half', parents: [parent('one')] }, [broken, { backendRefs: [toService('web')] }]),
        httpRoute({ name: 'whole', parents: [parent('one')] }, [broken]),
      ],
    })
    expect(says(result, 'HTTPRoute', 'half')).toEqual({
      parents: [['Accepted=True Accepted', 'PartiallyInvalid=True UnsupportedValue', 'ResolvedRefs=True ResolvedRefs']],
    })
    expect(says(result, 'HTTPRoute', 'whole').parents).toEqual([
      ['Accepted=False UnsupportedValue', 'ResolvedRefs=True ResolvedRefs'],
    ])
    expect(says(result, 'Gateway', 'one').listeners).toMatchObject({ http: expect.arrayContaining([1]) })
    expect(result.problems.map(({ owner, reason }) => `${owner} ${reason}`)).toEqual([
      'HTTPRoute shop/half UnsupportedValue',
      'HTTPRoute shop/whole UnsupportedValue',
    ])
  })

  test('does with requests what its filters say, for all and for one service', () => {
    const set = (name: string): object => ({ set: [{ name, value: '1' }] })
    const { model } = made({
      gateways,
      httpRoutes: [
        httpRoute({ name: 'web', parents: [parent('one')] }, [
          {
            matches: [{ path: { type: 'PathPrefix', value: '/old' } }],
            timeouts: { request: '10s', backendRequest: '500ms' },
            filters: [
              { type: 'RequestHeaderModifier', requestHeaderModifier: set('X-All') as never },
              {
                type: 'URLRewrite',
                urlRewrite: { hostname: 'in.side', path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' } },
              },
              {
                type: 'RequestMirror',
                requestMirror: { backendRef: toService('api'), fraction: { numerator: 1, denominator: 4 } },
              },
            ],
            backendRefs: [
              toService('web', { filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: set('X-One') }] }),
            ],
          },
        ]),
      ],
    })
    const [first, second] = [...model.backends.values()]
    expect(first).toMatchObject({ id: 'shop.api.80', handling: {} })
    expect(second!.handling).toEqual({
      timeoutMs: 500,
      rewrite: { host: 'in.side', path: { kind: 'prefix', prefix: '/old', value: '/new' } },
      requestHeaders: ['X-All', 'X-One'].map(name => ({ set: [{ name, value: '1' }], add: [], remove: [] })),
      mirrors: [{ backend: 'shop.api.80', share: 0.25 }],
    })
  })

  test('tells in a redirect where the client is to go, at each of the ports where it asks', () => {
    const redirecting = (requestRedirect: object): MadeModel =>
      made({
        gateways: [gateway({ name: 'one' }, [listener()])],
        httpRoutes: [
          httpRoute({ name: 'web', parents: [parent('one')] }, [
            { filters: [{ type: 'RequestRedirect', requestRedirect: { statusCode: 302, ...requestRedirect } }] },
          ]),
        ],
      })
    const ports = (result: MadeModel): unknown =>
      result.model.entrances.map(({ hosts }) => {
        const id = hosts.flatMap(({ rules }) => rules)[0]!.action.shares[0]!.backend!
        const { scheme, port } = result.model.backends.get(id)!.handling.redirect!
        return `${scheme}:${port}`
      })
    expect(ports(redirecting({ hostname: 'a.org' }))).toEqual(['http:8080', 'http:80'])
    expect(ports(redirecting({ scheme: 'https' }))).toEqual(['https:443', 'https:443'])
    expect(ports(redirecting({ scheme: 'https', port: 8443 }))).toEqual(['https:8443', 'https:8443'])
  })

  test('meets Ingresses at the front, by what is more telling', () => {
    const result = made({
      gateways,
      ingressClasses: [{ metadata: { name: 'sampan' }, spec: { controller: 'sampan.dev/gateway' } }] as never,
      ingresses: [
        {
          kind: 'Ingress',
          metadata: { namespace: 'shop', name: 'api', creationTimestamp: '2026-01-01T00:00:00Z' },
          spec: {
            ingressClassName: 'sampan',
            rules: [
              {
                host: 'a.example.com',
                http: {
                  paths: [
                    { path: '/api', pathType: 'Prefix', backend: { service: { name: 'api', port: { number: 80 } } } },
                  ],
                },
              },
            ],
          },
        },
      ] as never,
      httpRoutes: [httpRoute({ name: 'web', parents: [parent('one')] }, [{ backendRefs: [toService('web')] }])],
    })
    expect(leads(result, '127.0.0.1:8080', 'http://a.example.com/api')).toEqual(['shop.api.80 1'])
    expect(leads(result, '127.0.0.1:8080', 'http://a.example.com/')).toEqual(['shop.web.80 1'])
    expect(leads(result, '127.7.0.1:80', 'http://a.example.com/api')).toEqual(['shop.web.80 1'])
  })
})

test('a GRPCRoute leads calls, in HTTP/2', () => {
  const method = (more: object): object => ({ matches: [{ method: { type: 'Exact', ...more } }] })
  const result = made({
    gateways: [gateway({ name: 'one' }, [listener()])],
    grpcRoutes: [
      grpcRoute({ name: 'calls', parents: [parent('one')] }, [
        { ...method({ service: 'a.B', method: 'Get' }), backendRefs: [toService('web')] },
        { ...method({ type: 'RegularExpression', service: 'a\\.[BC]' }), backendRefs: [toService('api')] },
      ]),
    ],
  })
  const to = (path: string): unknown => leads(result, '127.7.0.1:80', `http://x${path}`)
  expect(to('/a.B/Get')).toEqual([expect.stringMatching(/^shop\.web\.80\./)])
  expect(to('/a.C/Put')).toEqual([expect.stringMatching(/^shop\.api\.80\./)])
  expect(to('/b.C/Put')).toBeUndefined()
  expect([...result.model.backends.values()].map(({ protocol }) => protocol)).toEqual(['h2', 'h2'])
})

test('TLSRoutes and TCPRoutes hand on connections, each at listeners of its own', () => {
  const result = made({
    gateways: [
      gateway({ name: 'one' }, [
        listener(),
        listener({ name: 'tls', port: 443, protocol: 'TLS', hostname: '*.example.com', tls: { mode: 'Passthrough' } }),
        listener({ name: 'tcp', port: 5432, protocol: 'TCP' }),
        listener({ name: 'clash', port: 80, protocol: 'TCP' }),
      ]),
    ],
    tlsRoutes: [
      connectionRoute('TLSRoute', { name: 'names', parents: [parent('one')], hostnames: ['a.example.com', 'a.org'] }, [
        toService('web'),
      ]),
    ],
    tcpRoutes: [
      connectionRoute('TCPRoute', { name: 'data', parents: [parent('one', { sectionName: 'tcp' })] }, [
        toService('api'),
      ]),
      connectionRoute('TCPRoute', { name: 'other', parents: [parent('one', { sectionName: 'http' })] }, [
        toService('api'),
      ]),
    ],
  })
  const at = (port: number): unknown => {
    const entrance = result.model.entrances.find(each => each.address === '127.7.0.1' && each.port === port)
    return [entrance?.carries, entrance?.hosts.flatMap(({ name, rules }) => (rules.length > 0 ? name : []))]
  }
  expect(at(443)).toEqual(['names', [{ kind: 'exact', name: 'a.example.com' }]])
  expect(at(5432)).toEqual(['connections', [{ kind: 'any' }]])
  expect([...result.model.backends.values()].map(({ protocol }) => protocol)).toEqual(['tcp', 'tcp'])
  expect(says(result, 'TCPRoute', 'other').parents).toEqual([
    ['Accepted=False NotAllowedByListeners', 'ResolvedRefs=True ResolvedRefs'],
  ])
  expect(says(result, 'Gateway', 'one').listeners).toMatchObject({
    http: expect.arrayContaining(['Conflicted=True ProtocolConflict']),
    clash: expect.arrayContaining(['Conflicted=True ProtocolConflict', 'Programmed=False ProtocolConflict']),
    tls: [1, ...fine],
    tcp: [1, ...fine],
  })
})

describe('a Service of the type LoadBalancer', () => {
  const service = (name: string, more: object = {}): Service =>
    ({
      kind: 'Service',
      metadata: { namespace: 'shop', name, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { type: 'LoadBalancer', ports: [{ port: 5432, protocol: 'TCP' }], ...more },
    }) as unknown as Service
  const placesOf = ({ model }: MadeModel): string[] =>
    model.entrances
      .filter(({ carries }) => carries !== undefined)
      .map(
        ({ address, port, hosts, carries }) =>
          `${carries === 'packets' ? 'udp ' : ''}${address}:${port} ${hosts[0]!.rules[0]!.action.shares[0]!.backend!.split('.')[1]}`,
      )
  test('has an address of its own, and the port at the front where nobody has it', () => {
    const result = made({
      gateways: [gateway({ name: 'one' }, [listener({ port: 5433 })])],
      loadBalancers: [
        service('db'),
        service('other'),
        service('web', { ports: [{ port: 5433 }, { port: 53, protocol: 'UDP' }] }),
        service('theirs', { loadBalancerClass: 'example.com/theirs' }),
      ],
    })
    expect(placesOf(result)).toEqual(['127.7.0.2:5432 db', '127.0.0.1:5432 db'])
    expect([...result.balanced].map(([{ metadata }, [first]]) => [metadata.name, first?.ip])).toEqual([
      ['db', '127.7.0.2'],
    ])
    expect(result.problems.map(({ owner, reason }) => `${owner} ${reason}`)).toEqual([
      'Service shop/other AddressNotAssigned',
      'Service shop/web AddressNotAssigned',
    ])
  })
  test('is for the networks that it names', () => {
    const ranges = { loadBalancerSourceRanges: ['10.0.0.0/8', ' 192.0.2.0/24'], loadBalancerIP: '192.0.2.9' }
    const { model, problems } = made({ loadBalancers: [service('db', ranges)] })
    expect(model.entrances.filter(({ carries }) => carries !== undefined).map(({ sources }) => sources)).toEqual([
      ['10.0.0.0/8', '192.0.2.0/24'],
      ['10.0.0.0/8', '192.0.2.0/24'],
    ])
    expect(problems.map(({ message }) => message)).toEqual([
      '192.0.2.9 is not given on demand; the service has 127.7.0.1',
    ])
  })
  test('keeps its address, is told of a port that is taken, and gives its address back', () => {
    const had = { status: { loadBalancer: { ingress: [{ ip: '127.7.0.2' }] } } }
    const result = made({
      loadBalancers: [
        service('first'),
        {
          ...service('second', {
            ports: [{ port: 99 }, { port: 5432 }, { port: 53, protocol: 'UDP' }, { port: 5060, protocol: 'SCTP' }],
          }),
          ...had,
        } as never,
        { ...service('was', { type: 'ClusterIP' }), ...had } as never,
      ],
      machine: { addresses: new Set(), taken: new Set(['127.7.0.2:99', '127.0.0.1:5432']) },
    })
    expect(placesOf(result)).toEqual([
      '127.7.0.1:5432 first',
      '127.0.0.1:99 second',
      '127.7.0.2:5432 second',
      'udp 127.7.0.2:53 second',
      'udp 127.0.0.1:53 second',
    ])
    expect([...result.balanced].map(([{ metadata }, all]) => [metadata.name, all.map(({ ip }) => ip)])).toEqual([
      ['first', ['127.7.0.1']],
      ['second', ['127.7.0.2']],
      ['was', []],
    ])
    expect(result.problems.map(({ owner, reason }) => `${owner} ${reason}`)).toEqual([
      'Service shop/second UnsupportedProtocol',
      'Service shop/second PortUnavailable',
    ])
  })
})

describe('a status', () => {
  const route = httpRoute({ name: 'web', parents: [parent('one')] }, [{ backendRefs: [toService('web')] }])
  const foreign = { parentRef: parent('theirs'), controllerName: 'example.com/theirs', conditions: [] }
  const stale = { parentRef: parent('gone'), controllerName: 'sampan.dev/gateway', conditions: [] }
  const own = {
    type: 'example.com/Own',
    status: 'True',
    reason: 'X',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  const change = (status: object): Record<string, unknown> | undefined => {
    const result = made({
      gateways: [gateway({ name: 'one' }, [listener()])],
      httpRoutes: [{ ...route, status } as never],
    })
    const wanted = wantedStatuses(result, []).find(({ object }) => object.kind === 'HTTPRoute')!
    return statusChange(wanted, '2026-03-01T00:00:00Z') as Record<string, unknown> | undefined
  }
  test('keeps what others say, drops what is no longer so, and has the generation and the time', () => {
    const { parents } = change({ parents: [foreign, stale, { ...foreign, parentRef: parent('one') }] }) as never as {
      parents: { controllerName: string; parentRef: { name: string }; conditions: object[] }[]
    }
    expect(parents.map(({ controllerName, parentRef }) => `${controllerName} ${parentRef.name}`)).toEqual([
      'example.com/theirs theirs',
      'example.com/theirs one',
      'sampan.dev/gateway one',
    ])
    expect(parents[2]!.conditions[0]).toMatchObject({
      observedGeneration: 3,
      lastTransitionTime: '2026-03-01T00:00:00Z',
    })
  })
  test('is written once, and its times stay while it stays so', () => {
    const first = change({ parents: [] })!
    expect(change(first)).toBeUndefined()
    const [entry] = first['parents'] as { conditions: { observedGeneration: number; lastTransitionTime: string }[] }[]
    const older = {
      ...entry,
      conditions: [
        own,
        ...entry!.conditions.map(each => ({
          ...each,
          observedGeneration: 2,
          lastTransitionTime: '2026-02-01T00:00:00Z',
        })),
      ],
    }
    const [again] = change({ parents: [older] })!['parents'] as { conditions: object[] }[]
    expect(again!.conditions).toHaveLength(3)
    expect(again!.conditions[0]).toEqual(own)
    expect(again!.conditions[1]).toMatchObject({ observedGeneration: 3, lastTransitionTime: '2026-02-01T00:00:00Z' })
  })
  test('of a route that no longer refers to a Gateway of ours is taken back', () => {
    const result = made({
      gateways: [],
      httpRoutes: [{ ...route, status: { parents: [stale, foreign] } } as never],
    })
    const [wanted] = wantedStatuses(result, [])
    expect(statusChange(wanted!, '2026-03-01T00:00:00Z')).toEqual({ parents: [foreign] })
  })
})
