// Ingresses as what is done with requests; a row is a request and the service that gets it.
import { describe, expect, test } from 'vitest'
import type { EndpointSlice, Ingress, IngressClass, Service } from '../../api/generated/models.ts'
import { gatewayController } from '../../api/gateway-names.ts'
import { findRule } from './find-rule.ts'
import { gatewayModel, type MadeModel } from './gateway-model.ts'
import { nothing } from '../../testing/gateway-observed.ts'

interface Path {
  readonly path?: string
  readonly type?: 'Exact' | 'Prefix' | 'ImplementationSpecific'
  readonly service: string
  readonly port?: number | string
}

function ingress(
  name: string,
  rules: readonly { readonly host?: string; readonly paths: readonly Path[] }[],
  more: {
    readonly class?: string
    readonly created?: string
    readonly default?: string
    readonly annotation?: string
  } = {},
): Ingress {
  return {
    kind: 'Ingress',
    metadata: {
      name,
      namespace: 'shop',
      creationTimestamp: more.created ?? '2026-01-01T00:00:00Z',
      ...(more.annotation !== undefined && { annotations: { 'kubernetes.io/ingress.class': more.annotation } }),
    },
    spec: {
      ...(more.annotation === undefined && { ingressClassName: more.class ?? 'sampan' }),
      ...(more.default !== undefined && { defaultBackend: { service: { name: more.default, port: { number: 80 } } } }),
      rules: rules.map(({ host, paths }) => ({
        ...(host !== undefined && { host }),
        http: {
          paths: paths.map(({ path, type = 'Prefix', service, port = 80 }) => ({
            ...(path !== undefined && { path }),
            pathType: type,
            backend: { service: { name: service, port: typeof port === 'number' ? { number: port } : { name: port } } },
          })),
        },
      })),
    },
  } as unknown as Ingress
}

const classes = [
  { metadata: { name: 'sampan' }, spec: { controller: gatewayController } },
  { metadata: { name: 'other' }, spec: { controller: 'example.com/other' } },
] as unknown as IngressClass[]

const known: Record<string, Partial<Service['spec']>> = {
  web: {},
  api: {},
  admin: {},
  fallback: {},
  named: { ports: [{ name: 'http', port: 8080 }] },
  elsewhere: { type: 'ExternalName' },
}

function made(ingresses: readonly Ingress[], slices: readonly EndpointSlice[] = []): MadeModel {
  return gatewayModel(
    {
      ...nothing,
      ingressClasses: classes,
      ingresses,
      service: (namespace, name) =>
        namespace === 'shop' && Object.hasOwn(known, name)
          ? ({ metadata: { name, namespace }, spec: { ports: [{ port: 80 }], ...known[name] } } as unknown as Service)
          : undefined,
      slices: () => slices,
      certificate: () => ({ problem: 'there is none' }),
    },
    { address: '127.0.0.1', port: 80, ownAddresses: [] },
  )
}

/** @returns the service, or `nothing` */
function leads({ model }: MadeModel, url: string): string {
  const { hostname, pathname } = new URL(url)
  const action = findRule(model.entrances[0]!, {
    host: hostname,
    path: pathname,
    method: 'GET',
    headers: {},
    query: {},
  })?.action
  return action?.shares[0]?.backend?.split('.')[1] ?? 'nothing'
}

describe('requests are led', () => {
  const all = made([
    ingress('one', [
      {
        host: 'shop.example.com',
        paths: [
          { path: '/', service: 'web' },
          { path: '/api', service: 'api' },
          { path: '/api/admin/', service: 'admin' },
          { path: '/exact', type: 'Exact', service: 'api' },
          { path: '/any', type: 'ImplementationSpecific', service: 'api' },
        ],
      },
      { host: '*.example.com', paths: [{ path: '/', service: 'admin' }] },
      { paths: [{ path: '/open', service: 'named', port: 'http' }] },
    ]),
    ingress('two', [], { default: 'fallback' }),
  ])
  test.each([
    ['http://shop.example.com/', 'web'],
    ['http://shop.example.com/apis', 'web'],
    ['http://shop.example.com/api', 'api'],
    ['http://shop.example.com/api/', 'api'],
    ['http://shop.example.com/api/orders', 'api'],
    ['http://shop.example.com/api/admin', 'admin'],
    ['http://shop.example.com/api/admin/x', 'admin'],
    ['http://shop.example.com/exact', 'api'],
    ['http://shop.example.com/exact/', 'web'],
    ['http://shop.example.com/any/x', 'api'],
    ['http://SHOP.example.com/api', 'api'],
    ['http://other.example.com/api', 'admin'],
    ['http://a.b.example.com/open', 'named'],
    ['http://a.b.example.com/else', 'fallback'],
    ['http://example.com/', 'fallback'],
  ])('%s to %s', (url, service) => {
    expect(leads(all, url)).toBe(service)
  })

  test('to nothing where there is no rule', () => {
    expect(
      leads(made([ingress('one', [{ host: 'a.com', paths: [{ path: '/x', service: 'web' }] }])]), 'http://a.com/'),
    ).toBe('nothing')
  })
})

describe('an Ingress', () => {
  test.each([
    ['of another class', { class: 'other' }, 0],
    ['of a class that is not there', { class: 'none' }, 0],
    ['of our class', {}, 1],
    ['of our class as it was named before classes', { annotation: 'sampan' }, 1],
    ['of another class as it was named before classes', { annotation: 'nginx' }, 0],
  ])('%s', (_what, more, count) => {
    expect(made([ingress('one', [{ paths: [{ path: '/', service: 'web' }] }], more)]).own).toHaveLength(count)
  })

  test.each([
    [{ path: '/', service: 'none' }, 'there is no service "none" in the namespace shop'],
    [{ path: '/', service: 'web', port: 81 }, 'the service "web" has no port 81; it has 80'],
    [{ path: '/', service: 'named', port: 'https' }, 'the service "named" has no port https; it has http'],
    [
      { path: '/', service: 'elsewhere' },
      'the service "elsewhere" is a name of another host (ExternalName), which nothing is led to',
    ],
  ])('with %j is told: %s', (path, message) => {
    const { problems } = made([ingress('one', [{ paths: [path, { path: '/works', service: 'web' }] }])])
    expect(problems).toEqual([{ owner: 'Ingress shop/one', reason: 'BackendNotFound', message }])
  })

  test('with annotations for another gateway is served, and told that they say nothing here', () => {
    const one = ingress('one', [{ host: 'a.com', paths: [{ path: '/', service: 'web' }] }])
    const annotations = {
      'nginx.ingress.kubernetes.io/whitelist-source-range': '10.0.0.0/8',
      'nginx.ingress.kubernetes.io/ssl-redirect': 'false',
      'example.com/team': 'shop',
    }
    const { problems } = made([{ ...one, metadata: { ...one.metadata, annotations } }])
    expect(problems).toEqual([
      {
        owner: 'Ingress shop/one',
        reason: 'AnnotationNotHeeded',
        message:
          'nginx.ingress.kubernetes.io/whitelist-source-range: this is for another gateway, and its paths are served without it',
      },
    ])
  })

  test('keeps what a younger one asks for as well, which is told', () => {
    const { model, problems } = made([
      ingress('young', [{ host: 'a.com', paths: [{ path: '/', service: 'api' }] }], {
        created: '2026-01-02T00:00:00Z',
      }),
      ingress('old', [{ host: 'a.com', paths: [{ path: '/', service: 'web' }] }]),
    ])
    expect(leads({ model } as MadeModel, 'http://a.com/')).toBe('web')
    expect(problems).toEqual([
      { owner: 'Ingress shop/young', reason: 'AlreadyTaken', message: 'a.com/ is taken by the older Ingress shop/old' },
    ])
  })
})

test('instances that are ready are led to, and those that end have what they have', () => {
  const slice = {
    addressType: 'IPv4',
    ports: [{ port: 3000, protocol: 'TCP' }],
    endpoints: [
      { addresses: ['10.0.0.1'], conditions: { ready: true } },
      { addresses: ['10.0.0.2'], conditions: { ready: false, serving: true, terminating: true } },
      { addresses: ['10.0.0.3'], conditions: { ready: false, serving: false } },
    ],
  } as unknown as EndpointSlice
  const { model } = made([ingress('one', [{ paths: [{ path: '/', service: 'web' }] }])], [slice])
  expect(model.backends.get('shop.web.80')?.servers).toEqual([
    { address: '10.0.0.1', port: 3000, draining: false },
    { address: '10.0.0.2', port: 3000, draining: true },
  ])
})
