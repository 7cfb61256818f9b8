// What the objects of the Gateway API are to say of themselves. Pure. Source: Gateway API, statuses.
import { keyOf, type KubeObject } from '../../api/object.ts'
import type { Gateway, GatewayClass, ParentReference, RouteKind } from '../../api/gateway-api/types.ts'
import type { Attachment } from './attachment.ts'
import { gatewayGroup } from '../../api/gateway-names.ts'
import type { OwnPolicy as OwnBackendPolicy } from './backend-tls.ts'
import { letsAnybodyIn } from './client-validation.ts'
import { fails, findingsOf, holds, type Finding } from './findings.ts'
import type { MadeModel } from './gateway-model.ts'
import type { OwnConsumer } from './policies/consumers.ts'
import type { OwnPolicy } from './policies/policies.ts'
import type { OwnRoute } from './own-route.ts'
import type { OwnGateway, OwnListener, OwnListenerSet } from './listeners.ts'
import { placesText } from './place-words.ts'
import { supportedFeatures } from './supported-features.ts'

/** One that does not say yet since when. */
export interface WantedStatus {
  readonly object: KubeObject
  readonly conditions?: readonly Finding[]
  readonly listeners?: readonly WantedListenerStatus[]
  /** Of a route: one for each parent of ours. */
  readonly parents?: readonly WantedParentStatus[]
  /** Of a policy: one for each Gateway of ours whose routes lead to what it is for. */
  readonly ancestors?: readonly WantedAncestorStatus[]
  /** All other fields. */
  readonly rest?: object
}

export interface WantedListenerStatus {
  readonly name: string
  readonly supportedKinds: readonly RouteKind[]
  readonly attachedRoutes: number
  readonly conditions: readonly Finding[]
}

export interface WantedParentStatus {
  readonly parentRef: ParentReference
  readonly conditions: readonly Finding[]
}

export interface WantedAncestorStatus {
  readonly ancestorRef: ParentReference
  readonly conditions: readonly Finding[]
}

export function wantedStatuses(
  {
    gateways,
    routes,
    backendPolicies,
    policing,
  }: Pick<MadeModel, 'gateways' | 'routes' | 'backendPolicies' | 'policing'>,
  classes: readonly GatewayClass[],
): readonly WantedStatus[] {
  return [
    ...classes.map(classStatus),
    ...gateways.flatMap(gateway => [
      gatewayStatus(gateway, routes),
      ...gateway.sets.map(set => setStatus(set, gateway, routes)),
    ]),
    ...routes.map(routeStatus),
    ...backendPolicies.map(policy => backendPolicyStatus(policy, routes)),
    ...policing.own.map(policyStatus),
    ...policing.consumers.map(consumerStatus),
  ]
}

const classStatus = (object: GatewayClass): WantedStatus => ({
  object,
  conditions: [
    object.spec.parametersRef === undefined
      ? holds('Accepted', 'Accepted', 'Gateways of this class are served')
      : fails(
          'Accepted',
          'InvalidParameters',
          `expected no parametersRef, found the ${object.spec.parametersRef.kind} "${object.spec.parametersRef.name}", which says nothing to this gateway`,
        ),
  ],
  rest: { supportedFeatures: supportedFeatures.map(name => ({ name })) },
})

function gatewayStatus(own: OwnGateway, routes: readonly OwnRoute[]): WantedStatus {
  const { gateway, addresses, listeners, sets, findings } = own
  const mine = listeners.filter(({ owner }) => owner === gateway)
  const accepted = sets.filter(
    ({ set, isAllowed }) => isAllowed && listeners.some(each => each.owner === set && isValid(each)),
  )
  return {
    object: gateway,
    conditions: findingsOf([
      ...findings,
      acceptedBy(mine, 'Gateway'),
      programmedBy(listeners, findings),
      ...tlsFindings(gateway),
    ]),
    listeners: mine.map(listener => listenerStatus(listener, routes)),
    rest: {
      addresses: addresses.told.map(value => ({ type: 'IPAddress', value })),
      attachedListenerSets: accepted.length,
    },
  }
}

/** What is told of its TLS beyond what is wrong with it. */
const tlsFindings = (gateway: Gateway): readonly Finding[] => [
  ...(gateway.spec.tls?.backend?.clientCertificateRef === undefined
    ? []
    : [holds('ResolvedRefs', 'ResolvedRefs', 'all that it refers to is there')]),
  ...(letsAnybodyIn(gateway)
    ? [
        holds(
          'InsecureFrontendValidationMode',
          'ConfigurationChanged',
          'clients without a valid certificate are let in, too (AllowInsecureFallback)',
        ),
      ]
    : []),
]

/** Whether it can be served, now or when its certificates and routes are there. */
const isValid = ({ findings }: OwnListener): boolean =>
  !findings.some(({ type }) => type === 'Accepted' || type === 'Conflicted')

/** Of a set, a listener counts when it is served. */
const isServed = ({ places }: OwnListener): boolean => places.length > 0

function acceptedBy(
  listeners: readonly OwnListener[],
  what: string,
  counts: (listener: OwnListener) => boolean = isValid,
): Finding {
  const invalid = listeners.filter(listener => !counts(listener))
  if (invalid.length === 0) return holds('Accepted', 'Accepted', `the ${what} is served`)
  const message = `not valid: ${invalid.map(({ spec, findings }) => `${spec.name} (${findings[0]?.message ?? 'its Gateway is not served'})`).join(', ')}`
  return invalid.length < listeners.length
    ? holds('Accepted', 'ListenersNotValid', message)
    : fails('Accepted', 'ListenersNotValid', message)
}

function programmedBy(listeners: readonly OwnListener[], findings: readonly Finding[]): Finding {
  if (findings.some(({ type }) => type === 'Accepted'))
    return fails('Programmed', 'Invalid', 'what is not accepted is not served')
  return listeners.length === 0 || listeners.some(({ places }) => places.length > 0)
    ? holds('Programmed', 'Programmed', 'requests are served')
    : fails('Programmed', 'Invalid', 'no listener can be served')
}

function setStatus({ set, isAllowed }: OwnListenerSet, own: OwnGateway, routes: readonly OwnRoute[]): WantedStatus {
  const { gateway, listeners } = own
  if (!isAllowed) {
    const message = `the Gateway "${gateway.metadata.name}" takes no listeners from here; look at its spec.allowedListeners`
    return {
      object: set,
      conditions: [fails('Accepted', 'NotAllowed', message), fails('Programmed', 'NotAllowed', message)],
      listeners: [],
    }
  }
  const mine = listeners.filter(({ owner }) => owner === set)
  const refused = own.findings.some(({ type }) => type === 'Accepted')
    ? [fails('Accepted', 'ParentNotAccepted', `the Gateway "${gateway.metadata.name}" is not accepted`)]
    : []
  const accepted = acceptedBy(mine, 'ListenerSet', isServed)
  return {
    object: set,
    conditions: findingsOf([
      ...refused,
      accepted,
      ...(accepted.status === 'False' ? [{ ...accepted, type: 'Programmed' }] : []),
      programmedBy(mine, refused),
    ]),
    listeners: mine.map(listener => listenerStatus(listener, routes)),
  }
}

function listenerStatus(listener: OwnListener, routes: readonly OwnRoute[]): WantedListenerStatus {
  const { spec, kinds, places, findings } = listener
  const conflict = findings.find(({ type }) => type === 'Conflicted')
  const [first] = findings
  return {
    name: spec.name,
    supportedKinds: kinds,
    attachedRoutes: routes.filter(
      route =>
        !route.isRefused &&
        route.attachments.some(({ listeners }) => listeners.some(each => each.listener === listener)),
    ).length,
    conditions: findingsOf([
      ...findings,
      ...(conflict === undefined ? [] : [fails('Accepted', conflict.reason, conflict.message)]),
      holds('Accepted', 'Accepted', 'the listener is served'),
      places.length > 0
        ? holds('Programmed', 'Programmed', placesText(places))
        : fails(
            'Programmed',
            conflict?.reason ?? (first?.reason === 'PortUnavailable' ? first.reason : 'Invalid'),
            first?.message ?? 'it is not served',
          ),
      holds('ResolvedRefs', 'ResolvedRefs', 'all that it refers to is there'),
      fails('Conflicted', 'NoConflicts', 'no other listener asks for the same'),
    ]),
  }
}

const routeStatus = (own: OwnRoute): WantedStatus => ({
  object: own.route,
  parents: own.attachments.map(attachment => ({
    parentRef: attachment.parentRef,
    conditions: routeConditions(attachment, own),
  })),
})

function routeConditions({ accepted }: Attachment, own: OwnRoute): readonly Finding[] {
  const { unresolved, dropped, isRefused } = own
  const resolved = unresolved[0] ?? holds('ResolvedRefs', 'ResolvedRefs', 'all that it refers to is there')
  if (accepted.status === 'False' || dropped.length === 0) return [accepted, resolved]
  const message = dropped.map(each => each.message).join('; ')
  if (isRefused) return [fails('Accepted', dropped[0]!.reason, message), resolved]
  return [accepted, holds('PartiallyInvalid', 'UnsupportedValue', `Dropped Rule: ${message}`), resolved]
}

/** A target that is there is told that it is heeded, and one that is not, that it is looked for. */
const policyStatus = ({ policy, findings, missing, ofTargets }: OwnPolicy): WantedStatus => ({
  object: policy,
  ancestors: policy.spec.targetRefs.map(target => {
    const { group, kind, name, sectionName } = target
    return {
      ancestorRef: {
        group,
        kind,
        namespace: policy.metadata.namespace!,
        name,
        ...(sectionName !== undefined && { sectionName }),
      },
      conditions: findingsOf([
        ...(missing.has(target) ? [fails('Accepted', 'TargetNotFound', missing.get(target)!)] : []),
        ...findings,
        ...(ofTargets?.has(target) === true ? [ofTargets.get(target)!] : []),
        holds('Accepted', 'Accepted', 'requests are treated as it says'),
        holds('ResolvedRefs', 'ResolvedRefs', 'all that it refers to is there'),
      ]),
    }
  }),
})

const consumerStatus = ({ consumer, findings }: OwnConsumer): WantedStatus => ({
  object: consumer,
  conditions: findingsOf([...findings, holds('Accepted', 'Accepted', 'known by all of its credentials')]),
})

function backendPolicyStatus({ policy, findings }: OwnBackendPolicy, routes: readonly OwnRoute[]): WantedStatus {
  const { namespace = '' } = policy.metadata
  const targets = policy.spec.targetRefs.map(({ name }) => `${namespace}/${name}`)
  const leading = routes.filter(({ services }) => targets.some(target => services.has(target)))
  const gateways = new Map(
    leading.flatMap(({ attachments }) =>
      attachments.flatMap(({ listeners }) =>
        listeners.map(({ listener: { gateway } }) => [keyOf(gateway), gateway] as const),
      ),
    ),
  )
  const conditions = findingsOf([
    ...findings,
    holds('Accepted', 'Accepted', 'services are spoken to as it says'),
    holds('ResolvedRefs', 'ResolvedRefs', 'all that it refers to is there'),
  ])
  return {
    object: policy,
    ancestors: Array.from(gateways.values(), ({ metadata }) => ({
      ancestorRef: { group: gatewayGroup, kind: 'Gateway', namespace: metadata.namespace!, name: metadata.name },
      conditions,
    })),
  }
}
