// Objects of the Gateway API as tests write them: short, in the namespace of the gateways where nothing else is said.
import { gatewayClassName } from '../api/gateway-names.ts'

export const gatewayApi = 'gateway.networking.k8s.io'
/** Gateways and the backends beside them. */
export const home = 'gateways'
/** Two namespaces of backends, which have a label in common. */
export const appBackends = 'app-backends'
export const webBackends = 'web-backends'
export const backendsLabel = { gateways: 'backends' }

export interface TestObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

const gatewayObject = (
  kind: string,
  name: string,
  spec: object,
  { namespace = home, version = 'v1' }: { readonly namespace?: string; readonly version?: string } = {},
): TestObject => ({ apiVersion: `${gatewayApi}/${version}`, kind, metadata: { name, namespace }, spec })

export const gateway = (name: string, listeners: readonly object[], more: object = {}): TestObject =>
  gatewayObject('Gateway', name, { gatewayClassName, listeners, ...more })

export const listenerSet = (
  name: string,
  listeners: readonly object[],
  { parent, namespace }: { readonly parent: object; readonly namespace?: string },
): TestObject => gatewayObject('ListenerSet', name, { parentRef: parent, listeners }, { namespace })

interface ListenerOptions {
  readonly port?: number
  readonly protocol?: string
  readonly hostname?: string
  /** Whose routes it takes: `All`, `Same`, or of namespaces with these labels. */
  readonly from?: 'All' | 'Same' | Readonly<Record<string, string>>
  readonly kinds?: readonly string[]
  readonly tls?: object
}

export function listener(name: string, { from, kinds, ...options }: ListenerOptions = {}): object {
  const namespaces =
    typeof from === 'object' ? { from: 'Selector', selector: { matchLabels: from } } : { from: from ?? 'Same' }
  return {
    name,
    port: 80,
    protocol: 'HTTP',
    ...options,
    allowedRoutes: { namespaces, ...(kinds !== undefined && { kinds: kinds.map(kind => ({ kind })) }) },
  }
}

/** A listener that ends TLS with the certificate of a secret. */
export const httpsListener = (name: string, secret: string | object, options: ListenerOptions = {}): object =>
  listener(name, { port: 443, protocol: 'HTTPS', tls: terminate(secret), ...options })

export const terminate = (...secrets: readonly (string | object)[]): object => ({
  mode: 'Terminate',
  certificateRefs: secrets.map(secret => (typeof secret === 'string' ? { name: secret } : secret)),
})

// Routes

/** The name of a gateway, perhaps with that of a listener, as in `gateway/listener`; or a reference. */
type Parent = string | object

interface RouteOptions {
  readonly namespace?: string
  readonly hostnames?: readonly string[]
}

function parentReference(parent: Parent): object {
  if (typeof parent === 'object') return parent
  const [name, sectionName] = parent.split('/')
  return { name, namespace: home, ...(sectionName !== undefined && { sectionName }) }
}

const route =
  (kind: string, version?: string) =>
  (
    name: string,
    parents: Parent | readonly Parent[],
    rules: readonly object[],
    { namespace, hostnames }: RouteOptions = {},
  ): TestObject =>
    gatewayObject(
      kind,
      name,
      {
        parentRefs: ([] as Parent[]).concat(parents).map(parentReference),
        ...(hostnames !== undefined && { hostnames }),
        rules,
      },
      { namespace, version },
    )

export const httpRoute = route('HTTPRoute')
export const grpcRoute = route('GRPCRoute')
export const tlsRoute = route('TLSRoute')
export const tcpRoute = route('TCPRoute')
export const udpRoute = route('UDPRoute')

/** A service by its name, at the port that all have, or a reference. */
type Backend = string | object

export const backend = (name: string, more: object = {}): object => ({ name, port: 8080, ...more })

/** Of a route: what it takes goes to the backends. */
export const rule = (backends: Backend | readonly Backend[], matches: readonly object[] = [], more = {}): object => ({
  ...(matches.length > 0 && { matches }),
  backendRefs: ([] as Backend[]).concat(backends).map(to => (typeof to === 'string' ? backend(to) : to)),
  ...more,
})

/** Of a route: what is done to what it takes, in place of a backend too. */
export const filtering = (filters: readonly object[], matches: readonly object[], more: object = {}): object => ({
  matches,
  filters,
  ...more,
})

export const prefix = (value: string): object => ({ path: { type: 'PathPrefix', value } })
export const exact = (value: string): object => ({ path: { type: 'Exact', value } })
export const header = (values: Readonly<Record<string, string>>): object => ({ headers: named(values) })
export const query = (values: Readonly<Record<string, string>>): object => ({ queryParams: named(values) })
export const named = (values: Readonly<Record<string, string>>): object[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }))

interface Changes {
  readonly set?: Readonly<Record<string, string>>
  readonly add?: Readonly<Record<string, string>>
  readonly remove?: readonly string[]
}
const changes = ({ set, add, remove }: Changes): object => ({
  ...(set !== undefined && { set: named(set) }),
  ...(add !== undefined && { add: named(add) }),
  ...(remove !== undefined && { remove }),
})

export const requestHeaders = (what: Changes): object => ({
  type: 'RequestHeaderModifier',
  requestHeaderModifier: changes(what),
})
export const responseHeaders = (what: Changes): object => ({
  type: 'ResponseHeaderModifier',
  responseHeaderModifier: changes(what),
})
export const redirect = (requestRedirect: object): object => ({ type: 'RequestRedirect', requestRedirect })
export const rewrite = (urlRewrite: object): object => ({ type: 'URLRewrite', urlRewrite })
export const mirror = (name: string, more: object = {}): object => ({
  type: 'RequestMirror',
  requestMirror: { backendRef: backend(name), ...more },
})
export const cors = (allowed: object): object => ({ type: 'CORS', cors: allowed })
export const wholePath = (replaceFullPath: string): object => ({ type: 'ReplaceFullPath', replaceFullPath })
export const samePrefix = (replacePrefixMatch: string): object => ({ type: 'ReplacePrefixMatch', replacePrefixMatch })

/** Sets a header of requests, adds one, adds to one, and removes one; what they have before and after. */
export const modifier = requestHeaders({
  set: { 'X-Header-Set': 'set-overwrites-values' },
  add: { 'X-Header-Add': 'header-val-1', 'X-Header-Add-Append': 'header-val-2' },
  remove: ['X-Header-Remove'],
})
export const unmodified = {
  'X-Header-Remove': 'remove-val',
  'X-Header-Add-Append': 'append-val-1',
  'X-Header-Set': 'set-val',
}
export const modified = {
  'X-Header-Add': 'header-val-1',
  'X-Header-Add-Append': 'append-val-1,header-val-2',
  'X-Header-Set': 'set-overwrites-values',
  'X-Header-Remove': undefined,
}

// Grants, policies, secrets

/** Objects of a kind in the namespace of the gateways may refer to these of another. */
export const grant = (name: string, namespace: string, from: object, to: object): TestObject =>
  gatewayObject(
    'ReferenceGrant',
    name,
    { from: [{ group: gatewayApi, kind: 'HTTPRoute', namespace: home, ...from }], to: [{ group: '', ...to }] },
    { namespace },
  )

export const secret = (name: string, data: Readonly<Record<string, string>>, namespace = home): TestObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type: 'kubernetes.io/tls',
  stringData: data,
})

export const service = (name: string, spec: object, namespace = home): TestObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec,
})
