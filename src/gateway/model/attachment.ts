// Which listeners take a route, by what the route refers to and by what the listeners allow. Pure.
// Source: Gateway API, ParentReference and AllowedRoutes.
import { isFrom } from '../../api/gateway-api/from-namespaces.ts'
import { gatewayGroup } from '../../api/gateway-names.ts'
import type { ParentReference, RouteStatus } from '../../api/gateway-api/types.ts'
import { keyOf, type KubeObject } from '../../api/object.ts'
import { fails, holds, type Finding } from './findings.ts'
import { commonHost, gatewayHost } from './host-names.ts'
import type { OwnGateway, OwnListener } from './listeners.ts'
import type { HostName } from './model.ts'
import type { Observed } from './observed.ts'

/** What all kinds of routes have. */
export interface AnyRoute extends KubeObject {
  spec: {
    parentRefs?: ParentReference[]
    hostnames?: string[]
  }
  status?: RouteStatus
}

export interface Attachment {
  readonly parentRef: ParentReference
  /** That take it; none: `accepted` says why. */
  readonly listeners: readonly AttachedListener[]
  readonly accepted: Finding
}

export interface AttachedListener {
  readonly listener: OwnListener
  /** What is asked for where it takes the route. */
  readonly names: readonly HostName[]
}

/** One for each parent of ours that the route refers to. */
export function attachmentsOf(
  route: AnyRoute,
  gateways: readonly OwnGateway[],
  observed: Observed,
): readonly Attachment[] {
  return (route.spec.parentRefs ?? []).flatMap(parentRef => {
    const listeners = listenersOf(parentRef, route, gateways)
    return listeners === undefined ? [] : [attachmentOf(route, parentRef, listeners, observed)]
  })
}

/** undefined: it is no parent of ours. */
function listenersOf(
  { group, kind, name, namespace }: ParentReference,
  route: AnyRoute,
  gateways: readonly OwnGateway[],
): readonly OwnListener[] | undefined {
  if (group !== gatewayGroup) return undefined
  const isNamed = ({ metadata }: KubeObject): boolean =>
    metadata.name === name && metadata.namespace === (namespace ?? route.metadata.namespace)
  for (const { gateway, sets, listeners } of gateways) {
    const owner = kind === 'Gateway' ? gateway : sets.map(({ set }) => set).find(isNamed)
    if (owner?.kind === kind && isNamed(owner)) return listeners.filter(listener => listener.owner === owner)
  }
  return undefined
}

function attachmentOf(
  route: AnyRoute,
  parentRef: ParentReference,
  all: readonly OwnListener[],
  observed: Observed,
): Attachment {
  const { sectionName, port, name } = parentRef
  const refused = (reason: string, message: string): Attachment => ({
    parentRef,
    listeners: [],
    accepted: fails('Accepted', reason, message),
  })
  const meant = all.filter(
    ({ spec }) =>
      (sectionName === undefined || spec.name === sectionName) && (port === undefined || spec.port === port),
  )
  if (meant.length === 0)
    return refused(
      'NoMatchingParent',
      `"${name}" has no listener ${[sectionName, port === undefined ? undefined : `with port ${port}`].filter(Boolean).join(' ')}; it has ${all.map(({ spec }) => `${spec.name} (${spec.port})`).join(', ') || 'none'}`,
    )
  const namespace = route.metadata.namespace ?? ''
  const allowing = meant.filter(
    ({ owner, spec, kinds }) =>
      kinds.some(({ kind }) => kind === route.kind) &&
      isFrom(spec.allowedRoutes.namespaces, namespace, owner.metadata.namespace ?? '', observed.labels),
  )
  if (allowing.length === 0)
    return refused(
      'NotAllowedByListeners',
      `no listener of "${name}" takes a ${route.kind} of the namespace ${namespace}; look at its allowedRoutes`,
    )
  const listeners = allowing
    .map(listener => ({ listener, names: namesAt(listener, route) }))
    .filter(({ names }) => names.length > 0)
  if (listeners.length === 0)
    return refused(
      'NoMatchingListenerHostname',
      `no listener of "${name}" has a hostname with ${(route.spec.hostnames ?? []).join(', ')} in it; they have ${allowing.map(({ spec }) => spec.hostname).join(', ')}`,
    )
  return { parentRef, listeners, accepted: holds('Accepted', 'Accepted', `taken by ${keysOf(listeners)}`) }
}

const keysOf = (listeners: readonly AttachedListener[]): string =>
  listeners.map(({ listener: { owner, spec } }) => `${spec.name} of ${keyOf(owner)}`).join(', ')

/** Those of the route as far as the listener has them; all of the listener's where the route names none. */
function namesAt({ name }: OwnListener, { spec: { hostnames = [] } }: AnyRoute): readonly HostName[] {
  if (hostnames.length === 0) return [name]
  return hostnames.flatMap(hostname => commonHost(name, gatewayHost(hostname)) ?? [])
}
