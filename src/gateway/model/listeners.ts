// The listeners of Gateways of ours: where each is reached, which routes it takes, and what is wrong with it. Pure.
// Source: Gateway API, Gateway and ListenerSet.
import { isFrom } from '../../api/gateway-api/from-namespaces.ts'
import { gatewayController, gatewayGroup } from '../../api/gateway-names.ts'
import { keyOf, type KubeObject } from '../../api/object.ts'
import type { Gateway, Listener, ListenerSet, RouteKind } from '../../api/gateway-api/types.ts'
import { compareAges } from './age-order.ts'
import { clientValidation, serviceCertificate } from './client-validation.ts'
import { checkName } from './check-name.ts'
import { fails, holds, type Finding } from './findings.ts'
import { gatewayAddresses, type Front, type GatewayAddresses } from './gateway-addresses.ts'
import { gatewayHost, textOfHost } from './host-names.ts'
import { placeKey } from './place-key.ts'
import { listenerCertificates, type ListenerCertificates } from './listener-certificates.ts'
import type { CarriedConnections, ClientCheck, HostName, ShownCertificate } from './model.ts'
import type { WantedCertificate } from './issuer-lookup.ts'
import type { Issuing, Observed } from './observed.ts'

export interface OwnGateway {
  readonly gateway: Gateway
  readonly addresses: GatewayAddresses
  /** Its own, then those of its sets. */
  readonly listeners: readonly OwnListener[]
  readonly sets: readonly OwnListenerSet[]
  readonly findings: readonly Finding[]
}

export interface OwnListenerSet {
  readonly set: ListenerSet
  readonly isAllowed: boolean
}

export interface OwnListener {
  readonly gateway: Gateway
  /** Where it is written. */
  readonly owner: Gateway | ListenerSet
  readonly spec: Listener
  readonly name: HostName
  readonly certificates: readonly ShownCertificate[]
  /** The own authority of this machine vouches for what none is shown for. */
  readonly isVouched: boolean
  /** That an issuer is to have for it. */
  readonly wanted?: WantedCertificate
  /** What is asked of clients where TLS ends at it. */
  readonly clients?: ClientCheck
  /** Id of the certificate that services are shown which it leads to. */
  readonly clientCertificate?: string
  /** Of routes that it takes. */
  readonly kinds: readonly RouteKind[]
  /** Where requests come in for it; none: it does not serve. */
  readonly places: readonly ListenerPlace[]
  readonly findings: readonly Finding[]
}

export interface ListenerPlace {
  readonly address: string
  readonly port: number
}

/** Those of classes of ours, the older ones first. */
export function gatewaysOf(observed: Observed): readonly Gateway[] {
  const classes = new Set(
    observed.gatewayClasses
      .filter(({ spec }) => spec.controllerName === gatewayController && spec.parametersRef === undefined)
      .map(({ metadata }) => metadata.name),
  )
  return observed.gateways.filter(({ spec }) => classes.has(spec.gatewayClassName)).toSorted(compareAges)
}

/** @param given the address of each that asks for none in particular */
export function ownGateways(
  gateways: readonly Gateway[],
  given: ReadonlyMap<KubeObject, string>,
  observed: Issuing,
  front: Front,
): readonly OwnGateway[] {
  const checks = placeChecks(front)
  return gateways.map(gateway => {
    const addresses = gatewayAddresses(gateway, given, front, observed.machine)
    const sets = setsOf(gateway, observed)
    const written: Written[] = [
      ...gateway.spec.listeners.map(spec => ({ owner: gateway, spec })),
      ...sets
        .filter(({ isAllowed }) => isAllowed)
        .flatMap(({ set }) => set.spec.listeners.map(spec => ({ owner: set, spec }))),
    ]
    const shown = serviceCertificate(gateway, observed)
    const parameters = gateway.spec.infrastructure?.parametersRef
    const findings = [
      ...(parameters === undefined
        ? []
        : [
            fails(
              'Accepted',
              'InvalidParameters',
              `expected no parametersRef, found the ${parameters.kind} "${parameters.name}", which says nothing to this gateway`,
            ),
          ]),
      ...addresses.findings,
      ...shown.findings,
    ]
    const conflicts = conflictsOf(gateway, written)
    const isRefused = findings.some(({ type }) => type === 'Accepted')
    return {
      gateway,
      addresses,
      sets,
      findings,
      listeners: written.map(each => ({
        ...listenerOf(each, gateway, conflicts.get(each), isRefused ? [] : addresses.served, observed, front, checks),
        ...(shown.id !== undefined && { clientCertificate: shown.id }),
      })),
    }
  })
}

/** What is asked of clients at each place, which is the same for all listeners there: a connection has no name before that. */
interface PlaceChecks {
  /** @returns those at which nothing else is asked of clients */
  readonly open: (places: readonly ListenerPlace[], clients: ClientCheck | undefined) => readonly ListenerPlace[]
  readonly have: (places: readonly ListenerPlace[], clients: ClientCheck | undefined) => void
}

/** Gateways that are older go first, and at the front whoever needs no certificate. */
function placeChecks({ address: frontAddress, securePort }: Front): PlaceChecks {
  const keyOfPlace = ({ address, port }: ListenerPlace): string => `${address}:${port}`
  const known = new Map<string, string>(securePort === undefined ? [] : [[`${frontAddress}:${securePort}`, '']])
  return {
    open: (places, clients) =>
      places.filter(place => (known.get(keyOfPlace(place)) ?? checkName(clients)) === checkName(clients)),
    have: (places, clients) => {
      for (const place of places) known.set(keyOfPlace(place), checkName(clients))
    },
  }
}

interface Written {
  readonly owner: Gateway | ListenerSet
  readonly spec: Listener
}

function setsOf(gateway: Gateway, observed: Observed): readonly OwnListenerSet[] {
  const { namespace = '', name } = gateway.metadata
  const allowed = gateway.spec.allowedListeners?.namespaces ?? { from: 'None' as const }
  return observed.listenerSets
    .filter(
      ({ metadata, spec: { parentRef } }) =>
        parentRef.group === gatewayGroup &&
        parentRef.kind === 'Gateway' &&
        parentRef.name === name &&
        (parentRef.namespace ?? metadata.namespace) === namespace,
    )
    .toSorted(compareAges)
    .map(set => ({ set, isAllowed: isFrom(allowed, set.metadata.namespace ?? '', namespace, observed.labels) }))
}

function listenerOf(
  { owner, spec }: Written,
  gateway: Gateway,
  conflict: Finding | undefined,
  addresses: readonly string[],
  observed: Issuing,
  front: Front,
  checks: PlaceChecks,
): OwnListener {
  const name = gatewayHost(spec.hostname)
  const { kinds, findings: ofKinds } = kindsOf(spec)
  const {
    certificates,
    isVouched,
    wanted: wantedCertificate,
    findings: ofCertificates,
  }: ListenerCertificates = endsTls(spec)
    ? listenerCertificates(owner, spec, name, observed)
    : { certificates: [], isVouched: false, findings: [] }
  const { clients, findings: ofClients } = endsTls(spec)
    ? clientValidation(gateway, spec.port, observed)
    : { clients: undefined, findings: [] }
  const unsupported = supportedKinds(spec) === undefined
  const wanted = addresses.map(address => ({ address, port: portAt(address, spec, front) }))
  const free = wanted.filter(place => !observed.machine.taken.has(placeKey(place, carriedBy(spec))))
  const places = endsTls(spec) ? checks.open(free, clients) : free
  const isTaken = wanted.length > 0 && free.length === 0
  const findings = [
    ...(unsupported
      ? [
          fails(
            'Accepted',
            'UnsupportedProtocol',
            `expected one of ${Object.keys(kindsByProtocol).join(', ')}, found ${spec.protocol}`,
          ),
        ]
      : []),
    ...(isTaken
      ? [
          fails(
            'Accepted',
            'PortUnavailable',
            `port ${spec.port} is in use by another program at ${addresses.join(' and ')}; end that one, and requests are served a second later`,
          ),
        ]
      : []),
    ...(free.length > 0 && places.length === 0
      ? [
          fails(
            'Accepted',
            'PortUnavailable',
            `port ${spec.port} of ${addresses.join(' and ')} asks clients for other certificates, or for none; name another address or port`,
          ),
        ]
      : []),
    ...ofClients,
    ...ofCertificates,
    ...ofKinds,
    ...(conflict === undefined ? [] : [conflict]),
  ]
  // With one certificate that it can show, one kind of routes, and one authority of clients, it serves.
  const isServing = findings.every(
    finding =>
      (ofKinds.includes(finding) && kinds.length > 0) ||
      (ofCertificates.includes(finding) && certificates.length > 0) ||
      (ofClients.includes(finding) && clients !== undefined),
  )
  if (isServing && endsTls(spec)) checks.have(places, clients)
  return {
    gateway,
    owner,
    spec,
    name,
    certificates,
    isVouched,
    ...(wantedCertificate && { wanted: wantedCertificate }),
    ...(clients && { clients }),
    kinds,
    places: isServing ? places : [],
    findings,
  }
}

/** At the front, the usual ports are those that the front has. */
function portAt(address: string, { port, protocol }: Listener, front: Front): number {
  if (address !== front.address) return port
  if (port === 80 && protocol === 'HTTP') return front.port
  return port === 443 && protocol === 'HTTPS' ? (front.securePort ?? port) : port
}

const routes = (...kinds: readonly string[]): readonly RouteKind[] => kinds.map(kind => ({ group: gatewayGroup, kind }))
const kindsByProtocol: Readonly<Record<string, readonly RouteKind[]>> = {
  HTTP: routes('HTTPRoute', 'GRPCRoute'),
  HTTPS: routes('HTTPRoute', 'GRPCRoute'),
  TLS: routes('TLSRoute'),
  TCP: routes('TCPRoute'),
  UDP: routes('UDPRoute'),
}

/** undefined: requests. */
export const carriedBy = ({ protocol }: Listener): CarriedConnections | undefined =>
  ({ TLS: 'names', TCP: 'connections', UDP: 'packets' } as const)[protocol as 'TLS']

/** Whether TLS ends at it. */
export const endsTls = ({ protocol, tls }: Listener): boolean =>
  protocol === 'HTTPS' || (protocol === 'TLS' && tls?.mode !== 'Passthrough')

const supportedKinds = ({ protocol }: Listener): readonly RouteKind[] | undefined =>
  Object.hasOwn(kindsByProtocol, protocol) ? kindsByProtocol[protocol] : undefined

function kindsOf(spec: Listener): { readonly kinds: readonly RouteKind[]; readonly findings: readonly Finding[] } {
  const supported = supportedKinds(spec) ?? []
  const asked = spec.allowedRoutes.kinds
  if (asked === undefined || asked.length === 0) return { kinds: supported, findings: [] }
  const kinds = supported.filter(({ group, kind }) => asked.some(each => each.kind === kind && each.group === group))
  const others = asked.filter(({ group, kind }) => !kinds.some(each => each.kind === kind && each.group === group))
  return {
    kinds,
    findings:
      others.length === 0
        ? []
        : [
            fails(
              'ResolvedRefs',
              'InvalidRouteKinds',
              `a listener with the protocol ${spec.protocol} takes ${supported.map(({ kind }) => kind).join(', ') || 'no routes'}, found ${others.map(({ kind }) => kind).join(', ')}`,
            ),
          ],
  }
}

/**
 * Listeners of the Gateway itself are all refused where they clash, since none of them goes first. Those of sets give way to
 * whatever was there before, and what was refused is no rival.
 */
function conflictsOf(gateway: Gateway, all: readonly Written[]): ReadonlyMap<Written, Finding> {
  const own = all.filter(({ owner }) => owner === gateway)
  const conflicts = new Map<Written, Finding>()
  for (const one of own) {
    const conflict = clash(
      one,
      own.filter(other => other !== one),
    )
    if (conflict !== undefined) conflicts.set(one, conflict)
  }
  const there = own.filter(each => !conflicts.has(each))
  for (const one of all) {
    if (one.owner === gateway) continue
    const conflict = clash(one, there)
    if (conflict === undefined) there.push(one)
    else conflicts.set(one, conflict)
  }
  return conflicts
}

function clash(one: Written, rivals: readonly Written[]): Finding | undefined {
  const samePort = rivals.filter(
    ({ spec }) => spec.port === one.spec.port && transportOf(spec) === transportOf(one.spec),
  )
  const otherProtocol = samePort.find(({ spec }) => spokenBy(spec) !== spokenBy(one.spec))
  if (otherProtocol !== undefined)
    return holds(
      'Conflicted',
      'ProtocolConflict',
      `port ${one.spec.port} has the protocol ${spokenBy(otherProtocol.spec)} by the listener ${nameOf(otherProtocol)}`,
    )
  const sameName = samePort.find(({ spec }) => (spec.hostname ?? '') === (one.spec.hostname ?? ''))
  return sameName === undefined
    ? undefined
    : holds(
        'Conflicted',
        'HostnameConflict',
        `port ${one.spec.port} has the hostname ${textOfHost(gatewayHost(one.spec.hostname))} by the listener ${nameOf(sameName)}`,
      )
}

/** One port ends TLS, or hands it on. */
const spokenBy = (spec: Listener): string =>
  spec.protocol === 'TLS' ? `TLS (${spec.tls?.mode ?? 'Terminate'})` : spec.protocol
const transportOf = ({ protocol }: Listener): string => (protocol === 'UDP' ? 'UDP' : 'TCP')
const nameOf = ({ owner, spec }: Written): string => `${spec.name} of ${owner.kind} ${keyOf(owner)}`
