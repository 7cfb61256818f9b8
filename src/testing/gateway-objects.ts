// Objects of the Gateway API as a cluster gives them, with what tests seldom care about filled in.
import type { Service } from '../api/generated/models.ts'
import { gatewayController, gatewayGroup } from '../api/gateway-names.ts'
import { authorityIn } from '../gateway/model/authority-of.ts'
import type { Observed } from '../gateway/model/observed.ts'
import type {
  BackendReference,
  BackendTLSPolicy,
  Gateway,
  GatewayClass,
  GRPCRoute,
  HTTPRoute,
  HTTPRouteRule,
  Listener,
  ListenerSet,
  ParentReference,
  ReferenceGrant,
  TLSRoute,
} from '../api/gateway-api/types.ts'
import { nothing } from './gateway-observed.ts'

interface Metadata {
  readonly name: string
  readonly namespace?: string
  readonly created?: string
}

const object = <T>(
  kind: string,
  { name, namespace = 'shop', created = '2026-01-01T00:00:00Z' }: Metadata,
  spec: unknown,
): T =>
  ({
    apiVersion: `${gatewayGroup}/v1`,
    kind,
    metadata: { name, namespace, creationTimestamp: created, generation: 3 },
    spec,
  }) as T

export const gatewayClass: GatewayClass = object(
  'GatewayClass',
  { name: 'sampan' },
  { controllerName: gatewayController },
)

export const listener = (more: Partial<Listener> = {}): Listener => ({
  name: 'http',
  port: 80,
  protocol: 'HTTP',
  allowedRoutes: { namespaces: { from: 'Same' } },
  ...more,
})

export const gateway = (
  metadata: Metadata,
  listeners: readonly Listener[],
  more: Partial<Gateway['spec']> = {},
): Gateway => object('Gateway', metadata, { gatewayClassName: 'sampan', listeners, ...more })

export const listenerSet = (metadata: Metadata, parent: string, listeners: readonly Listener[]): ListenerSet =>
  object('ListenerSet', metadata, { parentRef: { group: gatewayGroup, kind: 'Gateway', name: parent }, listeners })

export const parent = (name: string, more: Partial<ParentReference> = {}): ParentReference => ({
  group: gatewayGroup,
  kind: 'Gateway',
  name,
  ...more,
})

interface RouteFacts extends Metadata {
  readonly parents: readonly ParentReference[]
  readonly hostnames?: readonly string[]
}

export const httpRoute = (
  { parents, hostnames, ...metadata }: RouteFacts,
  rules: readonly Partial<HTTPRouteRule>[],
): HTTPRoute =>
  object('HTTPRoute', metadata, {
    parentRefs: parents,
    ...(hostnames !== undefined && { hostnames }),
    rules: rules.map(rule => ({ matches: [{ path: { type: 'PathPrefix', value: '/' } }], ...rule })),
  })

export const grpcRoute = (
  { parents, hostnames, ...metadata }: RouteFacts,
  rules: GRPCRoute['spec']['rules'],
): GRPCRoute =>
  object('GRPCRoute', metadata, { parentRefs: parents, ...(hostnames !== undefined && { hostnames }), rules })

export const connectionRoute = (
  kind: 'TCPRoute' | 'TLSRoute' | 'UDPRoute',
  { parents, hostnames, ...metadata }: RouteFacts,
  backendRefs: readonly BackendReference[],
): TLSRoute =>
  object(kind, metadata, {
    parentRefs: parents,
    ...(hostnames !== undefined && { hostnames }),
    rules: [{ backendRefs }],
  })

export const backendTlsPolicy = (
  metadata: Metadata,
  targets: readonly { readonly name: string; readonly sectionName?: string }[],
  validation: BackendTLSPolicy['spec']['validation'],
): BackendTLSPolicy =>
  object('BackendTLSPolicy', metadata, {
    targetRefs: targets.map(target => ({ group: '', kind: 'Service', ...target })),
    validation,
  })

export const grant = (
  metadata: Metadata,
  from: ReferenceGrant['spec']['from'][number],
  to: ReferenceGrant['spec']['to'][number],
): ReferenceGrant => object('ReferenceGrant', metadata, { from: [from], to: [to] })

export const toService = (name: string, more: object = {}): BackendReference => ({
  group: '',
  kind: 'Service',
  name,
  port: 80,
  weight: 1,
  ...more,
})

/** With services that have port 80, by `namespace/name`. */
export const observedWith = (more: Partial<Observed>, services: readonly string[] = []): Observed => ({
  ...nothing,
  gatewayClasses: [gatewayClass],
  authority: (namespace, name) => authorityIn({ namespace, name }, more.configuration?.(namespace, name)),
  service: (namespace, name) =>
    services.includes(`${namespace}/${name}`)
      ? ({ metadata: { namespace, name }, spec: { ports: [{ port: 80 }] } } as unknown as Service)
      : undefined,
  ...more,
})
