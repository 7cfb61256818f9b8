// What a cluster tells of its gateway in the statuses of its objects: where the front is, which ports other programs have,
// what cannot be served, and which policies are not enforced. It is all there is to know for who has a kubeconfig and
// nothing else. Pure.
import type { Condition } from '../api/generated/models.ts'
import { gatewayController } from '../api/gateway-names.ts'
import type { Gateway, Listener, ListenerSet } from '../api/gateway-api/types.ts'
import type { KubeObject } from '../api/object.ts'
import { refusedByHaproxy } from './find-refused.ts'
import { asksForAny, type Front } from './model/gateway-addresses.ts'
import { consumerNotFound } from './model/findings.ts'
import { ownerOf, type Problem } from './model/host-rule.ts'
import { ownIngresses } from './model/ingress-rules.ts'
import { carriedBy, gatewaysOf } from './model/listeners.ts'
import { placeKey } from './model/place-key.ts'
import { ownLoadBalancers } from './model/load-balancers.ts'
import type { Observed, ObservedMachine } from './model/observed.ts'
import { placesIn } from './model/place-words.ts'

export interface ToldGateway {
  readonly front: Front
  readonly machine: ObservedMachine
  /** By owner: why what it asks for is not served. */
  readonly refused: ReadonlyMap<string, string>
  /** By `namespace/name` of a Secret: what keeps a listener from showing its certificate. */
  readonly certificates: ReadonlyMap<string, string>
  /** By `namespace/name` of a ConfigMap: what keeps it from vouching for clients. */
  readonly authorities: ReadonlyMap<string, string>
}

/** Requests come from the machine itself. */
const frontAddress = '127.0.0.1'

/** @param known as the objects have it, with nothing known of the machine */
export function toldByStatuses(known: Observed): ToldGateway {
  const listeners = listenersIn(known)
  const gateways = gatewaysOf(known)
  const addresses = gateways.flatMap(({ status }) => status?.addresses?.map(({ value }) => value) ?? [])
  return {
    front: { address: frontAddress, ...frontPorts(listeners, known), ownAddresses: givenAddresses(gateways, known) },
    machine: { addresses: new Set(addresses), taken: takenBy(listeners) },
    refused: refusedIn(known),
    certificates: new Map([...listeners.flatMap(unusableCertificates), ...gateways.flatMap(unusableClientCertificate)]),
    authorities: new Map(listeners.flatMap(unusableAuthorities)),
  }
}

interface ToldListener {
  readonly gateway: Gateway
  readonly namespace: string
  readonly spec: Listener
  readonly conditions: readonly Condition[]
}

function listenersIn(known: Observed): readonly ToldListener[] {
  const listenersOf = (gateway: Gateway, { metadata, spec, status }: Gateway | ListenerSet): readonly ToldListener[] =>
    spec.listeners.map(listener => ({
      gateway,
      namespace: metadata.namespace ?? '',
      spec: listener,
      conditions: (status?.listeners?.find(({ name }) => name === listener.name)?.conditions ?? []).filter(
        isOf(metadata),
      ),
    }))
  return gatewaysOf(known).flatMap(gateway => [
    ...listenersOf(gateway, gateway),
    ...known.listenerSets
      .filter(
        ({ metadata, spec: { parentRef } }) =>
          parentRef.name === gateway.metadata.name &&
          (parentRef.namespace ?? metadata.namespace) === gateway.metadata.namespace,
      )
      .flatMap(set => listenersOf(gateway, set)),
  ])
}

/** What is told of an object as it was says nothing of what it is. */
const isOf =
  ({ generation }: KubeObject['metadata']) =>
  ({ observedGeneration }: Condition): boolean =>
    observedGeneration === undefined || generation === undefined || observedGeneration === generation

const placesOf = ({ conditions }: ToldListener): ReturnType<typeof placesIn> =>
  conditions
    .filter(({ type, status }) => type === 'Programmed' && status === 'True')
    .flatMap(({ message }) => placesIn(message))

/** Those of listeners with the usual ports, or those of Ingresses, which tell the plain port first. */
function frontPorts(
  listeners: readonly ToldListener[],
  known: Observed,
): { readonly port: number; readonly securePort: number } {
  const portOf = (port: number, protocol: string): number | undefined =>
    listeners
      .filter(({ spec }) => spec.port === port && spec.protocol === protocol)
      .flatMap(placesOf)
      .find(({ address }) => address === frontAddress)?.port
  const ofIngresses = ownIngresses(known)
    .flatMap(({ status }) => status?.loadBalancer?.ingress ?? [])
    .filter(({ ip }) => ip === frontAddress)
    .map(({ ports = [] }) => ports.map(({ port }) => port))
    .find(ports => ports.length > 0)
  return {
    port: portOf(80, 'HTTP') ?? ofIngresses?.[0] ?? 80,
    securePort: portOf(443, 'HTTPS') ?? ofIngresses?.[1] ?? 443,
  }
}

const givenAddresses = (gateways: readonly Gateway[], known: Observed): readonly string[] =>
  [
    ...gateways.filter(asksForAny).flatMap(({ status }) => status?.addresses?.[0]?.value ?? []),
    ...ownLoadBalancers(known).flatMap(({ status }) => status?.loadBalancer?.ingress?.[0]?.ip ?? []),
  ].filter(address => address !== frontAddress)

/** Where one of ours is, no other program is, whatever else keeps another one of ours from there. */
function takenBy(listeners: readonly ToldListener[]): ReadonlySet<string> {
  const served = new Set(
    listeners.flatMap(listener => placesOf(listener).map(place => placeKey(place, carriedBy(listener.spec)))),
  )
  return new Set(listeners.flatMap(takenPlaces).filter(place => !served.has(place)))
}

/** Where a listener should be, and says that it is not. */
function takenPlaces(listener: ToldListener): readonly string[] {
  const { gateway, spec, conditions } = listener
  const told = placesOf(listener)
  if (told.length === 0 && !conditions.some(({ reason }) => reason === 'PortUnavailable')) return []
  const own = (gateway.status?.addresses ?? [])
    .map(({ value }) => value)
    .filter(address => told.every(place => place.address !== address))
  const isOffFront = asksForAny(gateway) && told.every(({ address }) => address !== frontAddress)
  return [...own, ...(isOffFront ? [frontAddress] : [])].map(address =>
    placeKey({ address, port: spec.port }, carriedBy(spec)),
  )
}

function unusableCertificates({ namespace, spec, conditions }: ToldListener): readonly (readonly [string, string])[] {
  const problem = conditions.find(
    ({ type, status, reason }) => type === 'ResolvedRefs' && status === 'False' && reason === 'InvalidCertificateRef',
  )?.message
  return (spec.tls?.certificateRefs ?? [])
    .filter(({ name }) => problem?.includes(`"${name}"`) === true)
    .map(({ name, namespace: place = namespace }) => [`${place}/${name}`, problem!] as const)
}

function unusableClientCertificate({ metadata, spec, status }: Gateway): readonly (readonly [string, string])[] {
  const reference = spec.tls?.backend?.clientCertificateRef
  const problem = status?.conditions?.find(({ reason }) => reason === 'InvalidClientCertificateRef')?.message
  if (reference === undefined || problem === undefined) return []
  return [[`${reference.namespace ?? metadata.namespace}/${reference.name}`, problem]]
}

function unusableAuthorities({ gateway, conditions }: ToldListener): readonly (readonly [string, string])[] {
  const problem = conditions.find(
    ({ type, status, reason }) => type === 'ResolvedRefs' && status === 'False' && reason === 'InvalidCACertificateRef',
  )?.message
  const { frontend } = gateway.spec.tls ?? {}
  return [frontend?.default, ...(frontend?.perPort ?? []).map(({ tls }) => tls)]
    .flatMap(written => written?.validation?.caCertificateRefs ?? [])
    .filter(({ name }) => problem?.includes(`"${name}"`) === true)
    .map(({ name, namespace = gateway.metadata.namespace }) => [`${namespace}/${name}`, problem!] as const)
}

interface ToldObject extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly Condition[]
    readonly parents?: readonly ToldReference[]
    readonly ancestors?: readonly ToldReference[]
  }
}

interface ToldReference {
  readonly controllerName: string
  readonly conditions: readonly Condition[]
}

/** What this gateway says of an object. */
const conditionsOf = ({ metadata, status }: ToldObject): readonly Condition[] =>
  [
    ...(status?.conditions ?? []),
    ...[...(status?.parents ?? []), ...(status?.ancestors ?? [])]
      .filter(({ controllerName }) => controllerName === gatewayController)
      .flatMap(({ conditions }) => conditions),
  ].filter(isOf(metadata))

function refusedIn(known: Observed): ReadonlyMap<string, string> {
  const asking: readonly ToldObject[] = [
    ...known.httpRoutes,
    ...known.grpcRoutes,
    ...known.tlsRoutes,
    ...known.tcpRoutes,
    ...known.udpRoutes,
    ...known.accessPolicies,
    ...known.trafficPolicies,
    ...known.balancingPolicies,
  ]
  return new Map(
    asking.flatMap(object => {
      const refusal = conditionsOf(object).find(
        ({ type, status, message }) =>
          type === 'Accepted' && status === 'False' && message.startsWith(refusedByHaproxy),
      )
      return refusal === undefined ? [] : [[ownerOf(object), refusal.message] as const]
    }),
  )
}

/** What is wrong with policies, consumers and issuers. Only the gateway can say so: it alone reads the Secrets that they refer to. */
export function policyProblems({
  accessPolicies,
  trafficPolicies,
  balancingPolicies,
  consumers,
  certificateIssuers,
}: Observed): readonly Problem[] {
  const all: readonly ToldObject[] = [
    ...accessPolicies,
    ...trafficPolicies,
    ...balancingPolicies,
    ...consumers,
    ...certificateIssuers,
  ]
  return all.flatMap(object => {
    const owner = ownerOf(object)
    const told = conditionsOf(object)
    if (told.length === 0)
      return [{ owner, reason: 'Pending', message: 'the gateway has not said yet what became of it' }]
    const problems = told
      .filter(({ status, reason }) => status === 'False' || reason === consumerNotFound)
      .map(({ reason, message }) => ({ owner, reason, message }))
    return [...new Map(problems.map(problem => [problem.message, problem])).values()]
  })
}
