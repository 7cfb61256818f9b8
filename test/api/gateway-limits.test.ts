// What the schemas of the Gateway API refuse by themselves (what rules refuse is in gateway-rules.test.ts), and what the
// kinds show in a table.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { machineClock } from '../../src/host/machine-clock.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { installKinds } from '../../src/gateway/install-kinds.ts'
import { gatewayDefinitions } from '../../src/gateway/kinds/all.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await installKinds({ client: server.local, clock: machineClock, logger: silentLogger })
})
afterAll(() => server.close())

const group = 'gateway.networking.k8s.io'
type Spec = Readonly<Record<string, unknown>>

function pathOf(kind: string): string {
  const { names, scope } = gatewayDefinitions.find(({ spec }) => spec.names.kind === kind)!.spec
  return `/apis/${group}/v1/${scope === 'Namespaced' ? 'namespaces/default/' : ''}${names.plural}`
}
const create = (kind: string, name: string, spec: Spec): Promise<Answer> =>
  server.call('POST', pathOf(kind), { body: { apiVersion: `${group}/v1`, kind, metadata: { name }, spec } })

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))
const rules = (...of: readonly Spec[]): Spec => ({ rules: of })
const listener = { name: 'web', port: 80, protocol: 'HTTP' }
const listeners = (...of: readonly Spec[]): Spec => ({ gatewayClassName: 'ours', listeners: of })
const backend = { name: 'shop', port: 80 }
const target = { group: '', kind: 'Service', name: 'shop' }
const from = { group, kind: 'HTTPRoute', namespace: 'shop' }
const redirect = (requestRedirect: Spec): Spec => rules({ filters: [{ type: 'RequestRedirect', requestRedirect }] })

describe('is refused', () => {
  const cases = [
    ['GatewayClass', {}, ['spec.controllerName: Required value']],
    [
      'GatewayClass',
      { controllerName: 'gateway' },
      [
        String.raw`spec.controllerName: Invalid value: "gateway": spec.controllerName in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$'`,
      ],
    ],
    [
      'GatewayClass',
      { controllerName: 'example.com/gateway', description: 'a'.repeat(65) },
      ['spec.description: Too long: may not be more than 64 bytes'],
    ],
    ['Gateway', {}, ['spec.gatewayClassName: Required value', 'spec.listeners: Required value']],
    ['Gateway', listeners(), ['spec.listeners: Invalid value: 0: spec.listeners in body should have at least 1 items']],
    [
      'Gateway',
      listeners(...times(65, at => ({ ...listener, name: `l${at}`, port: at + 1 }))),
      ['spec.listeners: Too many: 65: must have at most 64 items'],
    ],
    [
      'Gateway',
      listeners({ ...listener, port: 65536 }),
      [
        'spec.listeners[0].port: Invalid value: 65536: spec.listeners[0].port in body should be less than or equal to 65535',
      ],
    ],
    [
      'Gateway',
      listeners({ ...listener, hostname: '*' }),
      [
        String.raw`spec.listeners[0].hostname: Invalid value: "*": spec.listeners[0].hostname in body should match '^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'`,
      ],
    ],
    [
      'Gateway',
      listeners({ ...listener, allowedRoutes: { namespaces: { from: 'Some' } } }),
      [
        'spec.listeners[0].allowedRoutes.namespaces.from: Unsupported value: "Some": supported values: "All", "Same", "Selector"',
      ],
    ],
    [
      'Gateway',
      { ...listeners(listener), addresses: [{ value: 'here' }] },
      ['spec.addresses[0].value: Invalid value: "here": spec.addresses[0].value in body must be of type ipv4: "here"'],
    ],
    ['ListenerSet', { parentRef: {}, listeners: [listener] }, ['spec.parentRef.name: Required value']],
    [
      'HTTPRoute',
      { hostnames: times(17, at => `h${at}.example.com`) },
      ['spec.hostnames: Too many: 17: must have at most 16 items'],
    ],
    [
      'HTTPRoute',
      { hostnames: ['*.*.example.com'] },
      [
        String.raw`spec.hostnames[0]: Invalid value: "*.*.example.com": spec.hostnames[0] in body should match '^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'`,
      ],
    ],
    ['HTTPRoute', rules(), ['spec.rules: Invalid value: 0: spec.rules in body should have at least 1 items']],
    ['HTTPRoute', rules(...times(17, () => ({}))), ['spec.rules: Too many: 17: must have at most 16 items']],
    [
      'HTTPRoute',
      rules({ matches: [{ method: 'get' }] }),
      [
        'spec.rules[0].matches[0].method: Unsupported value: "get": supported values: "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"',
      ],
    ],
    [
      'HTTPRoute',
      rules({ matches: [{ path: { type: 'Prefix' } }] }),
      [
        'spec.rules[0].matches[0].path.type: Unsupported value: "Prefix": supported values: "Exact", "PathPrefix", "RegularExpression"',
      ],
    ],
    [
      'HTTPRoute',
      rules({ timeouts: { request: '1 s' } }),
      [
        'spec.rules[0].timeouts.request: Invalid value: "1 s": spec.rules[0].timeouts.request in body should match \'^([0-9]{1,5}(h|m|s|ms)){1,4}$\'',
      ],
    ],
    [
      'HTTPRoute',
      rules({ backendRefs: [{ ...backend, weight: 1_000_001 }] }),
      [
        'spec.rules[0].backendRefs[0].weight: Invalid value: 1000001: spec.rules[0].backendRefs[0].weight in body should be less than or equal to 1000000',
      ],
    ],
    [
      'HTTPRoute',
      redirect({ statusCode: 300 }),
      [
        'spec.rules[0].filters[0].requestRedirect.statusCode: Unsupported value: 300: supported values: "301", "302", "303", "307", "308"',
      ],
    ],
    [
      'HTTPRoute',
      redirect({ hostname: '*.example.com' }),
      [
        String.raw`spec.rules[0].filters[0].requestRedirect.hostname: Invalid value: "*.example.com": spec.rules[0].filters[0].requestRedirect.hostname in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'`,
      ],
    ],
    [
      'GRPCRoute',
      rules({ matches: [{ headers: [{ name: 'a b', value: 'c' }] }] }),
      [
        String.raw`spec.rules[0].matches[0].headers[0].name: Invalid value: "a b": spec.rules[0].matches[0].headers[0].name in body should match '^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$'`,
      ],
    ],
    ['TLSRoute', rules({ backendRefs: [backend] }), ['spec.hostnames: Required value']],
    [
      'TCPRoute',
      rules({ backendRefs: [backend] }, { backendRefs: [backend] }),
      ['spec.rules: Too many: 2: must have at most 1 item'],
    ],
    [
      'TCPRoute',
      rules({ backendRefs: [] }),
      ['spec.rules[0].backendRefs: Invalid value: 0: spec.rules[0].backendRefs in body should have at least 1 items'],
    ],
    ['UDPRoute', {}, ['spec.rules: Required value']],
    [
      'ReferenceGrant',
      { from: [], to: [target] },
      ['spec.from: Invalid value: 0: spec.from in body should have at least 1 items'],
    ],
    [
      'ReferenceGrant',
      { from: [{ ...from, namespace: 'Shop' }], to: [target] },
      [
        'spec.from[0].namespace: Invalid value: "Shop": spec.from[0].namespace in body should match \'^[a-z0-9]([-a-z0-9]*[a-z0-9])?$\'',
      ],
    ],
    [
      'ReferenceGrant',
      { from: [from], to: times(17, () => target) },
      ['spec.to: Too many: 17: must have at most 16 items'],
    ],
    ['ReferenceGrant', { from: [from], to: [{ group: '' }] }, ['spec.to[0].kind: Required value']],
    [
      'BackendTLSPolicy',
      { targetRefs: [target], validation: { wellKnownCACertificates: 'System' } },
      ['spec.validation.hostname: Required value'],
    ],
  ] as [string, Spec, string[]][]
  test.each(cases.map(([kind, spec, problems]) => [kind, problems.join(', '), spec, problems] as const))(
    '%s: %s',
    async (kind, _, spec, problems) => {
      const { status, json } = await create(kind, 'refused', spec)
      expect(status).toBe(422)
      expect(
        json.details.causes
          .filter(({ field }: { field: string }) => field !== '<nil>')
          .map(({ field, message }: { field: string; message: string }) => `${field}: ${message}`),
      ).toEqual(problems)
    },
  )
})

test('a field that there is not is left out, with a warning', async () => {
  const created = await create('HTTPRoute', 'more', { retries: 3 })
  expect(created.status).toBe(201)
  expect(created.headers.warning).toBe(String.raw`299 - "unknown field \"spec.retries\""`)
  expect(created.json.spec).toEqual({ rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }] })
})

test.each([
  [
    'GatewayClass',
    { controllerName: 'example.com/gateway', description: 'ours' },
    { Name: 'shown', Controller: 'example.com/gateway', Accepted: 'Unknown', Description: 'ours' },
  ],
  ['Gateway', listeners(listener), { Name: 'shown', Class: 'ours', Programmed: 'Unknown' }],
  [
    'ListenerSet',
    { parentRef: { name: 'g' }, listeners: [listener] },
    { Name: 'shown', Accepted: 'Unknown', Programmed: 'Unknown' },
  ],
  ['HTTPRoute', { hostnames: ['a.example.com'] }, { Name: 'shown', Hostnames: '["a.example.com"]' }],
  ['GRPCRoute', { hostnames: ['a.example.com'] }, { Name: 'shown', Hostnames: '["a.example.com"]' }],
  ['TLSRoute', { hostnames: ['a.example.com'], ...rules({ backendRefs: [backend] }) }, { Name: 'shown' }],
  ['TCPRoute', rules({ backendRefs: [backend] }), { Name: 'shown' }],
  ['UDPRoute', rules({ backendRefs: [backend] }), { Name: 'shown' }],
  ['ReferenceGrant', { from: [from], to: [target] }, { Name: 'shown' }],
  [
    'BackendTLSPolicy',
    { targetRefs: [target], validation: { hostname: 'example.com', wellKnownCACertificates: 'System' } },
    { Name: 'shown' },
  ],
] as [string, Spec, object][])('%s in a table', async (kind, spec, shown) => {
  expect(await create(kind, 'shown', spec)).toMatchObject({ status: 201 })
  const { json } = await server.call('GET', `${pathOf(kind)}/shown`, {
    headers: { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  })
  const columns: { name: string }[] = json.columnDefinitions
  const { Age: age, ...cells } = Object.fromEntries(columns.map(({ name }, at) => [name, json.rows[0].cells[at]]))
  expect(age).toMatch(/^\d+s$/)
  expect(Object.fromEntries(Object.entries(cells).filter(([, cell]) => cell !== null && cell !== ''))).toEqual(shown)
})
