// The kinds of the Gateway API as their definitions make them: each takes a good object and fills in what it leaves
// out, and each rule of each definition refuses an object in its own words.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { established, definitionsPath } from '../../src/testing/custom-resources.ts'
import { freshNamespace } from '../../src/testing/fresh-namespace.ts'
import { gatewayDefinitions } from '../../src/gateway/kinds/all.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
let namespace = ''
beforeAll(async () => {
  server = await startTestServer()
  for (const body of gatewayDefinitions) await server.call('POST', definitionsPath, { body })
  for (const { metadata } of gatewayDefinitions) await established(server, metadata.name!)
})
afterAll(() => server.close())
beforeEach(async () => {
  namespace = await freshNamespace(server)
})

type Fields = Readonly<Record<string, unknown>>

interface Example {
  readonly spec: Fields
  /** What it looks like when defaults are filled in. */
  readonly defaulted: object
  /** Changes of the spec by the message of the rule that they break. */
  readonly breaking: Readonly<Record<string, Fields>>
  /** The same of changes that the good object may not be patched with, its status included. */
  readonly breakingLater?: Readonly<Record<string, { readonly spec: Fields } | { readonly status: Fields }>>
}

const backend = { name: 'shop', port: 80 }
const inRule = (rule: Fields): Fields => ({ rules: [rule] })
const withFilters = (...filters: readonly Fields[]): Fields => inRule({ filters })
const defaultBackend = { ...backend, group: '', kind: 'Service', weight: 1 }
const defaultParent = { group: 'gateway.networking.k8s.io', kind: 'Gateway' }

/** Of a field for each type of a union: the type without its field, and another type with it. */
const unionOfFilters = (
  example: Readonly<Record<string, readonly [field: string, value: unknown]>>,
): Example['breaking'] =>
  Object.fromEntries(
    Object.entries(example).flatMap(([type, [field, value]], index) => {
      const [other, [otherField, otherValue]] = Object.entries(example).at(index - 1)!
      return [
        [
          `filter.${field} must be nil if the filter.type is not ${type}`,
          withFilters({ type: other, [otherField]: otherValue, [field]: value }),
        ],
        [`filter.${field} must be specified for ${type} filter.type`, withFilters({ type })],
      ]
    }),
  )

const filters = {
  RequestHeaderModifier: ['requestHeaderModifier', { set: [{ name: 'a', value: 'b' }] }],
  ResponseHeaderModifier: ['responseHeaderModifier', { remove: ['a'] }],
  RequestMirror: ['requestMirror', { backendRef: backend }],
  ExtensionRef: ['extensionRef', { group: 'example.com', kind: 'Filter', name: 'f' }],
} as const
const httpFilters = {
  ...filters,
  CORS: ['cors', { allowOrigins: ['*'] }],
  RequestRedirect: ['requestRedirect', { scheme: 'https' }],
  URLRewrite: ['urlRewrite', { hostname: 'example.com' }],
} as const
const filterOf = (type: keyof typeof httpFilters, value: unknown = httpFilters[type][1]): Fields => ({
  type,
  [httpFilters[type][0]]: value,
})
const repeated = (...types: readonly (keyof typeof httpFilters)[]): Example['breaking'] =>
  Object.fromEntries(
    types.map(type => [`${type} filter cannot be repeated`, withFilters(filterOf(type), filterOf(type))]),
  )

const mirror = (more: Fields): Fields => withFilters(filterOf('RequestMirror', { backendRef: backend, ...more }))
const breakingRoutes: Example['breaking'] = {
  'sectionName must be specified when parentRefs includes 2 or more references to the same parent': {
    parentRefs: [{ name: 'g' }, { name: 'g', sectionName: 's' }],
  },
  'sectionName must be unique when parentRefs includes 2 or more references to the same parent': {
    parentRefs: [
      { name: 'g', sectionName: 's' },
      { name: 'g', sectionName: 's' },
    ],
  },
  'Must have port for Service reference': inRule({ backendRefs: [{ name: 'shop' }] }),
}
const breakingRules: Example['breaking'] = {
  ...breakingRoutes,
  ...repeated('RequestHeaderModifier', 'ResponseHeaderModifier'),
  'numerator must be less than or equal to denominator': mirror({ fraction: { numerator: 101 } }),
  'Only one of percent or fraction may be specified in HTTPRequestMirrorFilter': mirror({
    percent: 1,
    fraction: { numerator: 1 },
  }),
}
const tooManyMatches = (match: (index: number) => Fields): Example['breaking'] => ({
  'While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128':
    { rules: [64, 64, 1].map(length => ({ matches: Array.from({ length }, (_, index) => match(index)) })) },
})

const withPath = (path: Fields): Fields => inRule({ matches: [{ path }] })
const badPaths = {
  "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']": 'a',
  "must not contain '//' when type one of ['Exact', 'PathPrefix']": '/a//b',
  "must not contain '/./' when type one of ['Exact', 'PathPrefix']": '/a/./b',
  "must not contain '/../' when type one of ['Exact', 'PathPrefix']": '/a/../b',
  "must not contain '%2f' when type one of ['Exact', 'PathPrefix']": '/a%2fb',
  "must not contain '%2F' when type one of ['Exact', 'PathPrefix']": '/a%2Fb',
  "must not contain '#' when type one of ['Exact', 'PathPrefix']": '/a#b',
  "must not end with '/..' when type one of ['Exact', 'PathPrefix']": '/a/..',
  "must not end with '/.' when type one of ['Exact', 'PathPrefix']": '/a/.',
  "must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$) for types ['Exact', 'PathPrefix']":
    '/a b',
}
const twoPrefixes = [{ path: { value: '/a' } }, { path: { value: '/b' } }]
const replacing = { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/c' } }
const redirectPath = (path: Fields): Fields => withFilters(filterOf('RequestRedirect', { path }))
const onePrefix = 'filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified'

const listener = { name: 'web', port: 80, protocol: 'HTTP' }
const certificates = { certificateRefs: [{ name: 'c' }] }
const breakingListeners: Example['breaking'] = {
  "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']": { listeners: [{ ...listener, tls: certificates }] },
  'tls mode must be Terminate for protocol HTTPS': {
    listeners: [{ ...listener, protocol: 'HTTPS', tls: { mode: 'Passthrough' } }],
  },
  'tls mode must be set for protocol TLS': { listeners: [{ ...listener, protocol: 'TLS' }] },
  "hostname must not be specified for protocols ['TCP', 'UDP']": {
    listeners: [{ ...listener, protocol: 'UDP', hostname: 'example.com' }],
  },
  'Listener name must be unique within the Gateway': { listeners: [listener, { ...listener, port: 81 }] },
  'Combination of port, protocol and hostname must be unique for each listener': {
    listeners: [listener, { ...listener, name: 'other' }],
  },
  'certificateRefs or options must be specified when mode is Terminate': {
    listeners: [{ ...listener, protocol: 'HTTPS', tls: { certificateRefs: [], options: {} } }],
  },
}
const defaultListener = { ...listener, allowedRoutes: { namespaces: { from: 'Same' } } }
const pending = (...types: readonly string[]): object => ({
  conditions: types.map(type => ({
    type,
    status: 'Unknown',
    reason: 'Pending',
    message: 'Waiting for controller',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  })),
})

const target = { group: '', kind: 'Service', name: 'shop' }
const validated = (more: Fields): Fields => ({ validation: { hostname: 'example.com', ...more } })
const alternative = (name: Fields): Fields =>
  validated({ wellKnownCACertificates: 'System', subjectAltNames: [{ ...name }] })
const hostnamePattern = String.raw`^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
const wrongKeys = { '-a': 'b' }
const longPrefix = { [`${Array.from({ length: 4 }, () => 'a'.repeat(63)).join('.')}/b`]: 'c' }

const gatewayTarget = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'shop' }
const breakingTargets: Example['breaking'] = {
  ...Object.fromEntries(
    Object.entries({
      Gateway: 'gateway.networking.k8s.io',
      HTTPRoute: 'gateway.networking.k8s.io',
      GRPCRoute: 'gateway.networking.k8s.io',
      Ingress: 'networking.k8s.io',
      Service: '',
    }).map(([kind, group]) => [
      `a target of the kind ${kind} is of the group ${JSON.stringify(group)}`,
      { targetRefs: [{ group: group === '' ? 'networking.k8s.io' : '', kind, name: 'shop' }] },
    ]),
  ),
  'sectionName is a listener of a Gateway or a rule of a route': {
    targetRefs: [{ group: '', kind: 'Service', name: 'shop', sectionName: 'http' }],
  },
}
const jwt = { issuer: 'https://issuer.example', keysRef: { name: 'keys' } }
const limited = (limit: Fields): Fields => ({ rateLimits: [{ requests: 5, per: '1m', ...limit }] })

const examples: Readonly<Record<string, Example>> = {
  AccessPolicy: {
    spec: { targetRefs: [gatewayTarget], authentication: { basic: {}, jwt } },
    defaulted: {
      spec: {
        authentication: {
          basic: { realm: 'restricted' },
          jwt: { keysRef: { kind: 'Secret' }, consumerClaim: 'sub' },
        },
      },
    },
    breaking: {
      ...breakingTargets,
      'expected a network such as 10.0.0.0/8': { addresses: { allow: ['10.0.0.0'] } },
      'expected header or queryParameter': { authentication: { keys: {} } },
      'names of claims have letters, digits, _ and -': {
        authentication: { jwt: { ...jwt, claims: { 'a.b': ['c'] } } },
      },
      'expected keys, basic, jwt or oidc': { authentication: {} },
      'expected keysRef or jwksUri, not both': {
        authentication: { jwt: { ...jwt, jwksUri: 'https://login.example.com/keys' } },
      },
      'without keysRef and jwksUri, issuer has to be an address': { authentication: { jwt: { issuer: 'login' } } },
      'redirectPath and logoutPath are two': {
        authentication: {
          oidc: { issuer: 'https://login.example.com', clientID: 'a', redirectPath: '/in', logoutPath: '/in' },
        },
      },
      'expected addresses or authentication': { authentication: undefined },
      'consumers and groups need authentication': {
        authentication: undefined,
        addresses: { deny: ['10.0.0.0/8'] },
        groups: ['partners'],
      },
    },
  },
  BalancingPolicy: {
    spec: {
      targetRefs: [{ group: '', kind: 'Service', name: 'web' }],
      affinity: { cookie: {} },
      ejection: {},
      slowStart: '30s',
      concurrency: { perInstance: 5 },
    },
    defaulted: {
      spec: {
        algorithm: 'RoundRobin',
        ejection: { consecutiveErrors: 5, duration: '30s' },
        concurrency: { perInstance: 5, queue: { timeout: '30s' } },
      },
    },
    breaking: {
      'expected hash with algorithm: ConsistentHash, and with nothing else': { algorithm: 'ConsistentHash' },
      'expected name unless it is by: Address, and not with it': {
        algorithm: 'ConsistentHash',
        hash: { by: 'Header' },
      },
      'expected maxAge from 1s to 8760h': { affinity: { cookie: { maxAge: '10ms' } } },
      'expected duration from 1s to 1h': { ejection: { duration: '2h' } },
      'expected timeout from 1ms to 1h': { concurrency: { perInstance: 1, queue: { timeout: '2h' } } },
      'expected slowStart from 1s to 1h': { slowStart: '10ms' },
    },
  },
  CertificateIssuer: {
    spec: { domains: ['*.example.com'], acme: { solver: { dns01: {} } } },
    defaulted: {
      spec: {
        acme: {
          server: 'https://acme-v02.api.letsencrypt.org/directory',
          solver: { dns01: { propagationSeconds: 30 } },
        },
      },
    },
    breaking: {
      'expected http01 or dns01, one of them': { acme: { solver: { http01: {}, dns01: {} } } },
      'a wildcard is proven by dns01 alone: name each host, or choose solver.dns01': {
        acme: { solver: { http01: {} } },
      },
    },
  },
  Consumer: {
    spec: { groups: ['partners'], credentials: [{ type: 'Key', secretRef: { name: 'ann' } }] },
    defaulted: {},
    breaking: {},
  },
  TrafficPolicy: {
    spec: { targetRefs: [gatewayTarget], rateLimits: [{ requests: 5, per: '1m' }], maintenance: {}, requestId: {} },
    defaulted: {
      spec: {
        rateLimits: [{ requests: 5, per: '1m', by: 'Address' }],
        maintenance: { message: 'down for maintenance' },
        requestId: { header: 'X-Request-Id' },
      },
    },
    breaking: {
      ...breakingTargets,
      'expected header with by: Header, and with nothing else': limited({ by: 'Header' }),
      'expected per from 1s to 24h': limited({ per: '500ms' }),
    },
  },
  GatewayClass: {
    spec: { controllerName: 'example.com/gateway', description: 'ours' },
    defaulted: { status: pending('Accepted') },
    breaking: {},
    breakingLater: { 'Value is immutable': { spec: { controllerName: 'example.com/other' } } },
  },
  Gateway: {
    spec: {
      gatewayClassName: 'ours',
      listeners: [listener, { ...listener, name: 'safe', port: 443, protocol: 'HTTPS', tls: certificates }],
      addresses: [{ value: '10.0.0.1' }, { value: 'fd00::1' }, { type: 'Hostname', value: '*.example.com' }, {}],
      infrastructure: { labels: { 'example.com/a': 'b' }, annotations: { a: 'b'.repeat(4096) } },
      allowedListeners: {},
      tls: { frontend: { default: {} }, backend: { clientCertificateRef: { name: 'c' } } },
    },
    defaulted: {
      spec: {
        listeners: [
          defaultListener,
          { tls: { mode: 'Terminate', certificateRefs: [{ group: '', kind: 'Secret', name: 'c' }] } },
        ],
        addresses: [{ type: 'IPAddress' }, { type: 'IPAddress' }, { type: 'Hostname' }, { type: 'IPAddress' }],
        allowedListeners: { namespaces: { from: 'None' } },
      },
      status: pending('Accepted', 'Programmed'),
    },
    breaking: {
      ...breakingListeners,
      [`Hostname value must be empty or contain only valid characters (matching ${hostnamePattern})`]: {
        addresses: [{ type: 'Hostname', value: 'a_b' }],
      },
      'IPAddress values must be unique': { addresses: [{ value: '10.0.0.1' }, { value: '10.0.0.1' }] },
      'Hostname values must be unique': {
        addresses: [
          { type: 'Hostname', value: 'example.com' },
          { type: 'Hostname', value: 'example.com' },
        ],
      },
      'Label keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.':
        { infrastructure: { labels: wrongKeys } },
      "If specified, the label key's prefix must be a DNS subdomain not longer than 253 characters in total.": {
        infrastructure: { labels: longPrefix },
      },
      'Annotation keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.':
        { infrastructure: { annotations: wrongKeys } },
      "If specified, the annotation key's prefix must be a DNS subdomain not longer than 253 characters in total.": {
        infrastructure: { annotations: longPrefix },
      },
      'Port for TLS configuration must be unique within the Gateway': {
        tls: {
          frontend: {
            default: {},
            perPort: [
              { port: 443, tls: {} },
              { port: 443, tls: {} },
            ],
          },
        },
      },
    },
    breakingLater: {
      [`Hostname value must only contain valid characters (matching ${hostnamePattern})`]: {
        status: { addresses: [{ type: 'Hostname', value: 'a_b' }] },
      },
    },
  },
  ListenerSet: {
    spec: { parentRef: { name: 'g' }, listeners: [listener] },
    defaulted: {
      spec: { parentRef: defaultParent, listeners: [defaultListener] },
      status: pending('Accepted', 'Programmed'),
    },
    breaking: breakingListeners,
  },
  HTTPRoute: {
    spec: {
      parentRefs: [{ name: 'g' }, { name: 'g', namespace: 'other' }],
      hostnames: ['*.example.com'],
      rules: [
        {},
        {
          name: 'second',
          matches: [{ headers: [{ name: 'a', value: 'b' }], queryParams: [{ name: 'c', value: 'd' }], method: 'GET' }],
          filters: [filterOf('CORS'), filterOf('RequestMirror'), filterOf('RequestMirror')],
          backendRefs: [{ ...backend, filters: [filterOf('URLRewrite', replacing)] }],
          timeouts: { request: '1h30m', backendRequest: '500ms' },
        },
      ],
    },
    defaulted: {
      spec: {
        parentRefs: [defaultParent, defaultParent],
        rules: [
          { matches: [{ path: { type: 'PathPrefix', value: '/' } }] },
          {
            matches: [
              {
                path: { type: 'PathPrefix', value: '/' },
                headers: [{ type: 'Exact' }],
                queryParams: [{ type: 'Exact' }],
              },
            ],
            filters: [{ cors: { maxAge: 5 } }, {}, {}],
            backendRefs: [defaultBackend],
          },
        ],
      },
    },
    breaking: {
      ...breakingRules,
      ...unionOfFilters(httpFilters),
      ...repeated('CORS', 'RequestRedirect', 'URLRewrite'),
      ...tooManyMatches(index => ({ path: { value: `/${index}` } })),
      ...Object.fromEntries(Object.entries(badPaths).map(([message, value]) => [message, withPath({ value })])),
      'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both': withFilters(
        filterOf('RequestRedirect'),
        filterOf('URLRewrite'),
      ),
      'RequestRedirect filter must not be used together with backendRefs': inRule({
        filters: [filterOf('RequestRedirect')],
        backendRefs: [backend],
      }),
      [`When using RequestRedirect ${onePrefix}`]: inRule({
        matches: twoPrefixes,
        filters: [filterOf('RequestRedirect', replacing)],
      }),
      [`When using URLRewrite ${onePrefix}`]: inRule({
        matches: twoPrefixes,
        filters: [filterOf('URLRewrite', replacing)],
      }),
      [`Within backendRefs, when using RequestRedirect ${onePrefix}`]: inRule({
        matches: [{ path: { type: 'Exact', value: '/a' } }],
        backendRefs: [{ ...backend, filters: [filterOf('RequestRedirect', replacing)] }],
      }),
      [`Within backendRefs, When using URLRewrite ${onePrefix}`]: inRule({
        matches: twoPrefixes,
        backendRefs: [{ ...backend, filters: [filterOf('URLRewrite', replacing)] }],
      }),
      "replaceFullPath must be specified when type is set to 'ReplaceFullPath'": redirectPath({
        type: 'ReplaceFullPath',
      }),
      "type must be 'ReplaceFullPath' when replaceFullPath is set": redirectPath({
        ...replacing.path,
        replaceFullPath: '/a',
      }),
      "replacePrefixMatch must be specified when type is set to 'ReplacePrefixMatch'": redirectPath({
        type: 'ReplacePrefixMatch',
      }),
      "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set": redirectPath({
        type: 'ReplaceFullPath',
        replaceFullPath: '/a',
        replacePrefixMatch: '/a',
      }),
      "AllowOrigins cannot contain '*' alongside other origins": withFilters(
        filterOf('CORS', { allowOrigins: ['*', 'https://example.com:8080'] }),
      ),
      "AllowMethods cannot contain '*' alongside other methods": withFilters(
        filterOf('CORS', { allowMethods: ['*', 'GET'] }),
      ),
      "AllowHeaders cannot contain '*' alongside other methods": withFilters(
        filterOf('CORS', { allowHeaders: ['*', 'A'] }),
      ),
      'backendRequest timeout cannot be longer than request timeout': inRule({
        timeouts: { request: '1s', backendRequest: '1001ms' },
      }),
    },
  },
  GRPCRoute: {
    spec: {
      parentRefs: [{ name: 'g' }],
      rules: [
        { matches: [{ method: { service: 'a.B', method: 'C' } }, { headers: [{ name: 'a', value: 'b' }] }] },
        { backendRefs: [backend], filters: [filterOf('ExtensionRef')] },
      ],
    },
    defaulted: {
      spec: {
        parentRefs: [defaultParent],
        rules: [
          { matches: [{ method: { type: 'Exact' } }, { headers: [{ type: 'Exact' }] }] },
          { backendRefs: [defaultBackend] },
        ],
      },
    },
    breaking: {
      ...breakingRules,
      ...unionOfFilters(filters),
      ...tooManyMatches(index => ({ method: { service: `s${index}` } })),
      "One or both of 'service' or 'method' must be specified": inRule({ matches: [{ method: {} }] }),
      [String.raw`service must only contain valid characters (matching ^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$)`]:
        inRule({ matches: [{ method: { service: 'a/b' } }] }),
      'method must only contain valid characters (matching ^[A-Za-z_][A-Za-z_0-9]*$)': inRule({
        matches: [{ method: { method: '1' } }],
      }),
    },
  },
  TLSRoute: {
    spec: { parentRefs: [{ name: 'g' }], hostnames: ['*.example.com'], rules: [{ backendRefs: [backend] }] },
    defaulted: { spec: { parentRefs: [defaultParent], rules: [{ backendRefs: [defaultBackend] }] } },
    breaking: {
      ...breakingRoutes,
      'Hostnames cannot contain an IP': { hostnames: ['10.0.0.1'] },
      'Hostnames must be valid based on RFC-1123': { hostnames: ['a_b'] },
      'Wildcards on hostnames must be the first label, and the rest of hostname must be valid based on RFC-1123': {
        hostnames: ['a.*.b'],
      },
    },
  },
  TCPRoute: {
    spec: { rules: [{ backendRefs: [backend] }] },
    defaulted: { spec: { rules: [{ backendRefs: [defaultBackend] }] } },
    breaking: breakingRoutes,
  },
  UDPRoute: {
    spec: { rules: [{ backendRefs: [backend] }] },
    defaulted: { spec: { rules: [{ backendRefs: [defaultBackend] }] } },
    breaking: breakingRoutes,
  },
  ReferenceGrant: {
    spec: { from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'a' }], to: [target] },
    defaulted: {},
    breaking: {},
  },
  BackendTLSPolicy: {
    spec: {
      targetRefs: [target, { ...target, name: 'other' }],
      validation: {
        hostname: 'example.com',
        wellKnownCACertificates: 'System',
        subjectAltNames: [{ type: 'URI', uri: 'spiffe://example.com/a' }],
      },
      options: { 'example.com/option': 'a' },
    },
    defaulted: {},
    breaking: {
      'sectionName must be specified when targetRefs includes 2 or more references to the same target': {
        targetRefs: [target, { ...target, sectionName: 's' }],
      },
      'sectionName must be unique when targetRefs includes 2 or more references to the same target': {
        targetRefs: [target, target],
      },
      'must not contain both CACertificateRefs and WellKnownCACertificates': validated({
        caCertificateRefs: [{ ...target, kind: 'ConfigMap' }],
        wellKnownCACertificates: 'System',
      }),
      'must specify either CACertificateRefs or WellKnownCACertificates': validated({}),
      'SubjectAltName element must contain Hostname, if Type is set to Hostname': alternative({ type: 'Hostname' }),
      'SubjectAltName element must not contain Hostname, if Type is not set to Hostname': alternative({
        type: 'URI',
        uri: 'https://example.com',
        hostname: 'example.com',
      }),
      'SubjectAltName element must contain URI, if Type is set to URI': alternative({ type: 'URI' }),
      'SubjectAltName element must not contain URI, if Type is not set to URI': alternative({
        type: 'Hostname',
        hostname: 'example.com',
        uri: 'https://example.com',
      }),
    },
  },
}

/** No object reaches this rule: the schema names the same types, and rules are not looked at when it refuses one. */
const unreachable = "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']"

/** The messages of all rules within a schema. */
function messagesIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { 'x-kubernetes-validations': rules = [] } = schema as { 'x-kubernetes-validations'?: { message: string }[] }
  return [...rules.map(({ message }) => message), ...Object.values(schema).flatMap(messagesIn)]
}

const expectRefused = ({ status, json }: Answer, message: string): void => {
  expect({ status, json }).toMatchObject({ status: 422, json: { reason: 'Invalid' } })
  const causes = json.details.causes as { message: string }[]
  expect(
    causes.filter(cause => cause.message.endsWith(`: ${message}`)),
    json.message,
  ).toHaveLength(1)
}

describe.each(gatewayDefinitions.map(definition => [definition.spec.names.kind, definition] as const))(
  '%s',
  (kind, { spec: { group, names, scope, versions } }) => {
    const { spec, defaulted, breaking, breakingLater = {} } = examples[kind]!
    const [{ name: version } = { name: '' }] = versions
    const path = (): string =>
      `/apis/${group}/${version}/${scope === 'Namespaced' ? `namespaces/${namespace}/` : ''}${names.plural}`
    const body = (changes: Fields = {}): object => ({
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { name: 'mine' },
      spec: { ...spec, ...changes },
    })
    beforeEach(async () => {
      if (scope === 'Cluster') await server.call('DELETE', path())
    })

    test('a good object is taken, and what it leaves out is filled in', async () => {
      const created = await server.call('POST', path(), { body: body() })
      expect(created.status, created.text).toBe(201)
      expect(created.json).toMatchObject({ spec })
      expect(created.json).toMatchObject(defaulted)
      for (const { name } of versions) {
        const read = await server.call('GET', `${path().replace(`/${version}/`, `/${name}/`)}/mine`)
        expect(read.json).toEqual({ ...created.json, apiVersion: `${group}/${name}` })
      }
    })

    test('no rule goes without an object that breaks it', () => {
      const messages = new Set(messagesIn(versions).filter(message => message !== unreachable))
      expect(new Set([...Object.keys(breaking), ...Object.keys(breakingLater)])).toEqual(messages)
    })

    test.each(Object.entries(breaking))('%s', async (message, changes) => {
      expectRefused(await server.call('POST', path(), { body: body(changes) }), message)
    })

    test.each(Object.entries(breakingLater))('%s', async (message, changes) => {
      await server.call('POST', path(), { body: body() })
      const headers = { 'Content-Type': 'application/merge-patch+json' }
      const patched = `${path()}/mine${'status' in changes ? '/status' : ''}`
      expectRefused(await server.call('PATCH', patched, { body: changes, headers }), message)
    })
  },
)
