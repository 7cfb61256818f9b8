// A route that refers to Gateways of ours: what it offers at each of their entrances, and what is wrong with it. Pure.
import { gatewayController } from '../../api/gateway-names.ts'
import type { AnyRoute, AttachedListener, Attachment } from './attachment.ts'
import type { Offer } from './entrances.ts'
import { fails } from './findings.ts'
import { ownerOf } from './host-rule.ts'
import type { Front } from './gateway-addresses.ts'
import { carriedBy, endsTls, type ListenerPlace, type OwnListener } from './listeners.ts'
import type { Policed } from './observed.ts'
import { placesOf } from './policies/policy-place.ts'
import type { RulePlace } from './route-filters.ts'
import { routeRules, type RouteRules, type WrittenRule } from './route-rules.ts'

export interface OwnRoute {
  readonly route: AnyRoute
  readonly attachments: readonly Attachment[]
  readonly unresolved: RouteRules['unresolved']
  readonly dropped: RouteRules['dropped']
  /** That it leads to, each as `namespace/name`. */
  readonly services: ReadonlySet<string>
  /** None of its rules can be served. */
  readonly isRefused: boolean
}

/** Whether its status still speaks of parents of ours. */
export const saysOurs = ({ status }: AnyRoute): boolean =>
  status?.parents.some(({ controllerName }) => controllerName === gatewayController) === true

export function offeredRoute(
  route: AnyRoute,
  attachments: readonly Attachment[],
  rules: readonly WrittenRule[],
  observed: Policed,
  front: Front,
): OwnRoute & { readonly offers: readonly Offer[] } {
  const refused = observed.refused.get(ownerOf(route))
  if (refused !== undefined) {
    const dropped = [fails('Accepted', 'UnsupportedValue', refused)]
    return { route, attachments, unresolved: [], dropped, services: new Set(), isRefused: true, offers: [] }
  }
  const made = new Map<string, RouteRules>()
  const madeAt = (place: RulePlace): RouteRules => {
    const policed = observed.policies.of(place.policed).map(({ source }) => source)
    const key = `${place.scheme} ${place.port} ${place.portOf('http')} ${place.portOf('https')} ${place.clientCertificate} ${policed.join()}`
    const found = made.get(key) ?? routeRules(rules, place, observed)
    made.set(key, found)
    return found
  }
  const offers = uniqueListeners(attachments).flatMap(({ listener, names }) =>
    listener.places.map(place => ({
      place,
      carries: carriedBy(listener.spec),
      name: listener.name,
      ...(endsTls(listener.spec) && { certificates: [], clients: listener.clients }),
      rules: madeAt(rulePlace(listener, place, front)).rules.flatMap(({ rule, backends }) =>
        names.map(name => ({ name, rule, backends, from: route })),
      ),
    })),
  )
  const [first = routeRules(rules, usualPlace, observed)] = made.values()
  const { unresolved, dropped } = first
  const services = new Set(
    first.rules.flatMap(({ backends }) =>
      backends.flatMap(({ service }) => (service === undefined ? [] : `${service.namespace}/${service.name}`)),
    ),
  )
  return { route, attachments, unresolved, dropped, services, isRefused: dropped.length === rules.length, offers }
}

/** A route may refer to the same listener twice. */
const uniqueListeners = (attachments: readonly Attachment[]): readonly AttachedListener[] => [
  ...new Map(
    attachments.flatMap(({ listeners }) => listeners).map(attached => [attached.listener, attached] as const),
  ).values(),
]

function rulePlace(
  { gateway, owner, spec, clientCertificate }: OwnListener,
  { address, port }: ListenerPlace,
  front: Front,
): RulePlace {
  const scheme = spec.protocol === 'HTTPS' ? 'https' : 'http'
  const isFront = address === front.address
  return {
    policed: [...placesOf(gateway), ...(owner === gateway ? placesOf(gateway, spec.name).slice(1) : [])],
    scheme,
    port,
    ...(clientCertificate !== undefined && { clientCertificate }),
    portOf: wanted => (wanted === 'http' ? (isFront ? front.port : 80) : isFront ? (front.securePort ?? 443) : 443),
  }
}

const usualPlace: RulePlace = {
  policed: [],
  scheme: 'http',
  port: 80,
  portOf: scheme => (scheme === 'http' ? 80 : 443),
}
