// From what there is in the cluster to what the gateway does, and to what it says of each object. Pure.
import type { Ingress, LoadBalancerIngress, Service } from '../../api/generated/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { attachmentsOf } from './attachment.ts'
import { backendsOf } from './backends.ts'
import { entrancesOf, type Offer } from './entrances.ts'
import type { Gateway } from '../../api/gateway-api/types.ts'
import { asksForAny, type Front } from './gateway-addresses.ts'
import { givenAddresses } from './given-addresses.ts'
import { loadBalancers, ownLoadBalancers } from './load-balancers.ts'
import { connectionRules } from './connection-route-rules.ts'
import { grpcRules } from './grpc-route-rules.ts'
import { anyHost } from './host-names.ts'
import { backendTlsPolicies, type OwnPolicy } from './backend-tls.ts'
import { consumerProblems, gatewayProblems, policyProblems, routeProblems, targetedProblems } from './problems.ts'
import type { HostRule, Problem } from './host-rule.ts'
import { httpRules } from './http-route-rules.ts'
import { ingressCertificates } from './ingress-certificates.ts'
import { openChallenges, provesByHttp, withChallengeEntrances, withIssued } from './issuers.ts'
import { issuerLookup, type WantedCertificate } from './issuer-lookup.ts'
import { ingressRules } from './ingress-rules.ts'
import { carriedBy, endsTls, gatewaysOf, ownGateways, type OwnGateway, type OwnListener } from './listeners.ts'
import { withLoginRules } from './login-rules.ts'
import type { Backend, Certificate, Entrance, GatewayModel, ShownCertificate } from './model.ts'
import type { Observed, Policed } from './observed.ts'
import { withCrowded } from './policies/crowded.ts'
import { withConnections } from './policies/carried.ts'
import { policiesOf, type Policies } from './policies/policies.ts'
import { missingTargetsOf } from './policies/targets.ts'
import { offeredRoute, saysOurs, type OwnRoute } from './own-route.ts'
import { ownNamesOf, redirectedTo } from './secure-front.ts'

export interface MadeModel {
  readonly model: GatewayModel
  /** Ingresses and Gateways that are ours, and routes that refer to them. */
  readonly own: readonly KubeObject[]
  readonly ingresses: readonly Ingress[]
  /** Services of the type LoadBalancer with the addresses that they have. */
  readonly balanced: ReadonlyMap<Service, readonly LoadBalancerIngress[]>
  readonly gateways: readonly OwnGateway[]
  readonly routes: readonly OwnRoute[]
  readonly backendPolicies: readonly OwnPolicy[]
  /** That are for what comes in. */
  readonly policing: Policies
  /** That issuers are to have, by their domains. */
  readonly wantedCertificates: readonly WantedCertificate[]
  /** That the own authority of the machine is to vouch for. */
  readonly ownNames: readonly string[]
  readonly problems: readonly Problem[]
}

export function gatewayModel(known: Observed, front: Front): MadeModel {
  const all = policiesOf({ ...known, missingTarget: missingTargetsOf(known) })
  const observed: Policed = { ...known, issuerOf: issuerLookup(known.certificateIssuers), policies: all }
  const ingresses = ingressRules(observed)
  const asking = gatewaysOf(observed)
  const balancing = ownLoadBalancers(observed)
  const given = givenAddresses<Gateway | Service>(
    [...asking.filter(asksForAny), ...balancing],
    addressBefore,
    front.ownAddresses,
  )
  const gateways = ownGateways(asking, given, observed, front)
  const routes = [
    ...observed.httpRoutes.map(route => ({ route, rules: httpRules(route) })),
    ...observed.grpcRoutes.map(route => ({ route, rules: grpcRules(route) })),
    ...[...observed.tlsRoutes, ...observed.tcpRoutes, ...observed.udpRoutes].map(route => ({
      route,
      rules: connectionRules(route),
    })),
  ].flatMap(({ route, rules }) => {
    const attachments = attachmentsOf(route, gateways, observed)
    return attachments.length === 0 && !saysOurs(route)
      ? []
      : [offeredRoute(route, attachments, rules, observed, front)]
  })
  const served = ingressCertificates(front.securePort === undefined ? [] : ingresses.own, observed)
  const routed: Offer[] = [
    ...ingressOffers(ingresses.rules, served.shown, front),
    ...gateways.flatMap(({ listeners }) => listeners.flatMap(emptyOffers)),
    ...routes.flatMap(each => each.offers),
  ]
  const balancers = loadBalancers(balancing, given, routed, observed, front)
  const offers = [...routed, ...balancers.offers]
  const made = entrancesOf(offers)
  const issued = withIssued(made.entrances, observed.issuerOf, observed)
  const wantedCertificates = oneForEachDomain([
    ...issued.wanted,
    ...gateways.flatMap(({ listeners }) => listeners.flatMap(({ wanted }) => wanted ?? [])),
  ])
  const isAsked = wantedCertificates.some(provesByHttp)
  const portAt = (address: string): number => (address === front.address ? front.port : 80)
  const proving = isAsked ? withChallengeEntrances(issued.entrances, portAt, observed.machine.taken) : issued.entrances
  const policies = backendTlsPolicies(observed)
  const services = backendsOf(
    offers.flatMap(({ rules }) => rules.flatMap(each => each.backends)),
    observed,
    { tlsOf: policies.tlsOf, balancingOf: all.balancingOf },
  )
  const { entrances, backends } = withLoginRules(proving, services)
  const policing = { ...all, own: withCrowded(withConnections(all.own, backends.values()), backends.values()) }
  return {
    model: {
      entrances,
      backends,
      credentials: policing.credentials,
      certificates: certificatesOf(entrances, backends, observed),
      ...(isAsked && { answers: openChallenges(observed.certificateIssuers) }),
    },
    own: [
      ...ingresses.own,
      ...balancers.own,
      ...gateways.map(({ gateway }) => gateway),
      ...routes.map(({ route }) => route),
      ...policies.own.map(({ policy }) => policy),
      ...policing.own.map(({ policy }) => policy),
      ...policing.consumers.map(({ consumer }) => consumer),
    ],
    ingresses: ingresses.own,
    balanced: balancers.addresses,
    gateways,
    routes,
    backendPolicies: policies.own,
    policing,
    wantedCertificates,
    ownNames: [...new Set(entrances.flatMap(ownNamesOf))],
    problems: [
      ...ingresses.problems,
      ...served.problems,
      ...balancers.problems,
      ...made.problems,
      ...gateways.flatMap(gatewayProblems),
      ...routes.flatMap(routeProblems),
      ...policies.own.flatMap(policyProblems),
      ...policing.own.flatMap(targetedProblems),
      ...policing.consumers.flatMap(consumerProblems),
    ],
  }
}

const oneForEachDomain = (wanted: readonly WantedCertificate[]): readonly WantedCertificate[] => [
  ...new Map(wanted.map(each => [each.domain, each])).values(),
]

const addressBefore = (object: Gateway | Service): string | undefined =>
  'gatewayClassName' in object.spec
    ? (object as Gateway).status?.addresses?.[0]?.value
    : (object as Service).status?.loadBalancer?.ingress?.[0]?.ip

/** A listener without routes answers, too. */
const emptyOffers = ({ places, name, spec, certificates, isVouched, clients }: OwnListener): readonly Offer[] =>
  places.map(place => ({
    place,
    carries: carriedBy(spec),
    name,
    rules: [],
    ...(endsTls(spec) && { certificates, isVouched, clients }),
  }))

/** In plain text, and with TLS as soon as there is a rule. */
function ingressOffers(
  rules: readonly HostRule[],
  certificates: readonly ShownCertificate[],
  { address, port, securePort }: Front,
): readonly Offer[] {
  const usual = { name: anyHost, isForAll: true }
  if (securePort === undefined) return [{ ...usual, place: { address, port }, rules }]
  const plain = rules.map(rule => (rule.wantsTls ? redirectedTo(securePort, rule) : rule))
  return [
    { ...usual, place: { address, port }, rules: plain },
    ...(rules.length === 0
      ? []
      : [{ ...usual, place: { address, port: securePort }, rules, certificates, isVouched: true }]),
  ]
}

function certificatesOf(
  entrances: readonly Entrance[],
  backends: ReadonlyMap<string, Backend>,
  observed: Observed,
): ReadonlyMap<string, Certificate> {
  const ids = new Set([
    ...entrances.flatMap(({ tls }) => tls?.certificates.map(({ id }) => id) ?? []),
    ...[...backends.values()].flatMap(({ tls, clientCertificate }) => (tls && clientCertificate) ?? []),
  ])
  const certificates = new Map<string, Certificate>()
  for (const id of ids) {
    const [namespace = '', ...name] = id.split('.')
    const found = observed.certificate(namespace, name.join('.'))
    if ('certificate' in found) certificates.set(id, found.certificate)
  }
  return certificates
}
