// The objects of the Gateway API as the gateway reads and writes them: after defaults were filled in, so that only what
// people may leave out is optional. What a field may hold is said by the definitions beside this file.
import type { Condition, LabelSelector, ObjectMeta } from '../generated/models.ts'

interface Metadata {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

// References

/** To an object of the same namespace. */
export interface LocalReference {
  group: string
  kind: string
  name: string
}

export interface ObjectReference extends LocalReference {
  namespace?: string
}

/** To a gateway, a set of listeners, or a service. */
export interface ParentReference extends ObjectReference {
  sectionName?: string
  port?: number
}

export interface BackendObjectReference extends ObjectReference {
  port?: number
}

export interface BackendReference extends BackendObjectReference {
  weight: number
}

/** A kind of route. */
export interface RouteKind {
  group: string
  kind: string
}

// Classes, gateways, listeners

export interface GatewayClass extends Metadata {
  spec: {
    controllerName: string
    parametersRef?: ObjectReference
    description?: string
  }
  status?: {
    conditions?: Condition[]
    supportedFeatures?: { name: string }[]
  }
}

export interface Gateway extends Metadata {
  spec: {
    gatewayClassName: string
    listeners: Listener[]
    addresses?: { type: string; value?: string }[]
    infrastructure?: {
      labels?: Record<string, string>
      annotations?: Record<string, string>
      parametersRef?: LocalReference
    }
    allowedListeners?: { namespaces: FromNamespaces<'All' | 'Selector' | 'Same' | 'None'> }
    tls?: GatewayTls
  }
  status?: GatewayStatus
}

export interface GatewayStatus {
  addresses?: { type?: string; value: string }[]
  conditions?: Condition[]
  listeners?: ListenerStatus[]
  attachedListenerSets?: number
}

export interface GatewayTls {
  backend?: { clientCertificateRef?: ObjectReference }
  frontend?: {
    default: ClientValidation
    perPort?: { port: number; tls: ClientValidation }[]
  }
}

export interface ClientValidation {
  validation?: { caCertificateRefs: ObjectReference[]; mode: 'AllowValidOnly' | 'AllowInsecureFallback' }
}

export interface FromNamespaces<From extends string> {
  from: From
  /** Of `Selector`. */
  selector?: LabelSelector
}

export interface Listener {
  name: string
  hostname?: string
  port: number
  /** `HTTP`, `HTTPS`, `TLS`, `TCP`, `UDP`, or something with a domain. */
  protocol: string
  tls?: ListenerTls
  allowedRoutes: {
    namespaces: FromNamespaces<'All' | 'Selector' | 'Same'>
    kinds?: RouteKind[]
  }
}

export interface ListenerTls {
  mode: 'Terminate' | 'Passthrough'
  certificateRefs?: ObjectReference[]
  options?: Record<string, string>
}

export interface ListenerStatus {
  name: string
  supportedKinds?: RouteKind[]
  attachedRoutes: number
  conditions: Condition[]
}

export interface ListenerSet extends Metadata {
  spec: {
    parentRef: ObjectReference
    listeners: Listener[]
  }
  status?: {
    conditions?: Condition[]
    listeners?: ListenerStatus[]
  }
}

// Routes

export interface RouteStatus {
  parents: RouteParentStatus[]
}

export interface RouteParentStatus {
  parentRef: ParentReference
  controllerName: string
  conditions: Condition[]
}

export interface HTTPRoute extends Metadata {
  spec: {
    parentRefs?: ParentReference[]
    hostnames?: string[]
    rules: HTTPRouteRule[]
  }
  status?: RouteStatus
}

export interface HTTPRouteRule {
  name?: string
  matches: HTTPRouteMatch[]
  filters?: HTTPRouteFilter[]
  backendRefs?: HTTPBackendReference[]
  timeouts?: { request?: string; backendRequest?: string }
}

export interface HTTPBackendReference extends BackendReference {
  filters?: HTTPRouteFilter[]
}

export interface HTTPRouteMatch {
  path: { type: 'Exact' | 'PathPrefix' | 'RegularExpression'; value: string }
  headers?: NamedMatch[]
  queryParams?: NamedMatch[]
  method?: string
}

/** Of a header or a parameter. */
export interface NamedMatch {
  type: 'Exact' | 'RegularExpression'
  name: string
  value: string
}

export type HTTPRouteFilter =
  | RouteFilter
  | { type: 'RequestRedirect'; requestRedirect: RequestRedirect }
  | { type: 'URLRewrite'; urlRewrite: { hostname?: string; path?: PathModifier } }
  | { type: 'CORS'; cors: Cors }

/** Those of HTTP and gRPC. */
export type RouteFilter =
  | { type: 'RequestHeaderModifier'; requestHeaderModifier: HeaderModifier }
  | { type: 'ResponseHeaderModifier'; responseHeaderModifier: HeaderModifier }
  | { type: 'RequestMirror'; requestMirror: RequestMirror }
  | { type: 'ExtensionRef'; extensionRef: LocalReference }

export interface HeaderModifier {
  set?: { name: string; value: string }[]
  add?: { name: string; value: string }[]
  remove?: string[]
}

/** Everything, where neither says how much. */
export interface RequestMirror {
  backendRef: BackendObjectReference
  percent?: number
  fraction?: { numerator: number; denominator: number }
}

export interface RequestRedirect {
  scheme?: 'http' | 'https'
  hostname?: string
  path?: PathModifier
  port?: number
  statusCode: 301 | 302 | 303 | 307 | 308
}

export type PathModifier =
  | { type: 'ReplaceFullPath'; replaceFullPath: string }
  | { type: 'ReplacePrefixMatch'; replacePrefixMatch: string }

export interface Cors {
  allowOrigins?: string[]
  allowCredentials?: boolean
  allowMethods?: string[]
  allowHeaders?: string[]
  exposeHeaders?: string[]
  maxAge: number
}

export interface GRPCRoute extends Metadata {
  spec: {
    parentRefs?: ParentReference[]
    hostnames?: string[]
    rules?: GRPCRouteRule[]
  }
  status?: RouteStatus
}

export interface GRPCRouteRule {
  name?: string
  matches?: GRPCRouteMatch[]
  filters?: RouteFilter[]
  backendRefs?: (BackendReference & { filters?: RouteFilter[] })[]
}

export interface GRPCRouteMatch {
  method?: { type: 'Exact' | 'RegularExpression'; service?: string; method?: string }
  headers?: NamedMatch[]
}

/** The one rule of a route that looks at no more than connections. */
export interface ConnectionRule {
  name?: string
  backendRefs: BackendReference[]
}

export interface TCPRoute extends Metadata {
  spec: {
    parentRefs?: ParentReference[]
    rules: ConnectionRule[]
  }
  status?: RouteStatus
}

export type UDPRoute = TCPRoute

export interface TLSRoute extends Metadata {
  spec: {
    parentRefs?: ParentReference[]
    hostnames: string[]
    rules: ConnectionRule[]
  }
  status?: RouteStatus
}

// Grants and policies

export interface ReferenceGrant extends Metadata {
  spec: {
    from: { group: string; kind: string; namespace: string }[]
    /** Without a name: all of the kind. */
    to: { group: string; kind: string; name?: string }[]
  }
}

export interface BackendTLSPolicy extends Metadata {
  spec: {
    targetRefs: (LocalReference & { sectionName?: string })[]
    validation: {
      caCertificateRefs?: LocalReference[]
      wellKnownCACertificates?: string
      hostname: string
      subjectAltNames?: ({ type: 'Hostname'; hostname: string } | { type: 'URI'; uri: string })[]
    }
    options?: Record<string, string>
  }
  status?: PolicyStatus
}

export interface PolicyStatus {
  ancestors: PolicyAncestorStatus[]
}

export interface PolicyAncestorStatus {
  ancestorRef: ParentReference
  controllerName: string
  conditions: Condition[]
}
