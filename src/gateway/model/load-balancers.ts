// Services of the type LoadBalancer: connections and packets to an address of this machine are handed on to them, at the ports that they
// name; at the front, too, where nobody else has the port. Pure. Source: Kubernetes, Service.
import type { Service, LoadBalancerIngress } from '../../api/generated/models.ts'
import { gatewayController } from '../../api/gateway-names.ts'
import type { KubeObject } from '../../api/object.ts'
import { compareAges } from './age-order.ts'
import { wantedBackend } from './backends.ts'
import type { Offer } from './entrances.ts'
import type { Front } from './gateway-addresses.ts'
import { anyHost } from './host-names.ts'
import { ownerOf, type Problem } from './host-rule.ts'
import type { ListenerPlace } from './listeners.ts'
import { placeKey } from './place-key.ts'
import type { Observed, Policed } from './observed.ts'
import { policedService } from './route-backends.ts'

export interface LoadBalancers {
  readonly own: readonly Service[]
  readonly offers: readonly Offer[]
  /** Of each that has one; none of those that were of the type before. */
  readonly addresses: ReadonlyMap<Service, readonly LoadBalancerIngress[]>
  readonly problems: readonly Problem[]
}

/** Those that nobody else is asked to serve. The older ones first. */
export const ownLoadBalancers = ({ loadBalancers }: Pick<Observed, 'loadBalancers'>): readonly Service[] =>
  loadBalancers
    .filter(({ spec }) => spec.type === 'LoadBalancer')
    .filter(({ spec }) => spec.loadBalancerClass === undefined || spec.loadBalancerClass === gatewayController)
    .toSorted(compareAges)

/** @param given the address of each */
export function loadBalancers(
  own: readonly Service[],
  given: ReadonlyMap<KubeObject, string>,
  occupied: readonly Offer[],
  observed: Policed,
  front: Front,
): LoadBalancers {
  const offers: Offer[] = []
  const problems: Problem[] = []
  const addresses = new Map<Service, LoadBalancerIngress[]>()
  const had = new Set(occupied.map(({ place, carries }) => placeKey(place, carries)))
  for (const service of own) {
    const tell = (reason: string, message: string): void =>
      void problems.push({ owner: ownerOf(service), reason, message })
    const address = given.get(service)
    if (address === undefined) {
      tell('AddressNotAssigned', `all ${front.ownAddresses.length} addresses of gateways and services are given away`)
      continue
    }
    const { ports = [], loadBalancerIP } = service.spec
    if (loadBalancerIP !== undefined && loadBalancerIP !== '' && loadBalancerIP !== address)
      tell('AddressNotAssigned', `${loadBalancerIP} is not given on demand; the service has ${address}`)
    const served = ports.flatMap(({ port, protocol = 'TCP' }) => {
      const carries = carriedOf(protocol)
      return carries === undefined ? [] : [{ port, protocol, carries }]
    })
    for (const { protocol = 'TCP', port } of ports)
      if (carriedOf(protocol) === undefined)
        tell(
          'UnsupportedProtocol',
          `port ${port} is ${protocol}, and TCP and UDP alone are led to a service from outside`,
        )
    for (const { port, carries } of served) {
      const places: readonly ListenerPlace[] = [address, front.address].map(each => ({ address: each, port }))
      for (const place of places) {
        const key = placeKey(place, carries)
        if (observed.machine.taken.has(key)) {
          if (place.address === address)
            tell('PortUnavailable', `port ${port} of ${address} is in use by another program`)
        } else if (!had.has(key)) offers.push(offerOf(service, port, { place, carries }, observed))
        had.add(key)
      }
    }
    if (served.length > 0)
      addresses.set(service, [
        { ip: address, ipMode: 'Proxy', ports: served.map(({ port, protocol }) => ({ port, protocol })) },
      ])
  }
  for (const service of observed.loadBalancers)
    if (!own.includes(service) && hasOurs(service, front)) addresses.set(service, [])
  return { own, offers, addresses, problems }
}

const hasOurs = ({ status }: Service, { ownAddresses }: Front): boolean =>
  status?.loadBalancer?.ingress?.some(({ ip }) => ip !== undefined && ownAddresses.includes(ip)) === true

function offerOf(
  service: Service,
  port: number,
  { place, carries }: { readonly place: ListenerPlace; readonly carries: 'connections' | 'packets' },
  observed: Policed,
): Offer {
  const { namespace = '', name } = service.metadata
  const { loadBalancerSourceRanges } = service.spec
  const handling = policedService({}, { name }, namespace, observed)
  const backend = wantedBackend({ namespace, name, port }, service, {
    handling,
    protocol: carries === 'packets' ? 'udp' : 'tcp',
  })
  return {
    place,
    carries,
    ...((loadBalancerSourceRanges ?? []).length > 0 && {
      sources: loadBalancerSourceRanges!.map(range => range.trim()),
    }),
    name: anyHost,
    rules: [
      {
        name: anyHost,
        from: service,
        backends: [backend],
        rule: {
          source: `${ownerOf(service)} ${port}`,
          match: { path: { kind: 'prefix', value: '/' }, headers: [], query: [] },
          action: { shares: [{ backend: backend.id, weight: 1 }] },
        },
      },
    ],
  }
}

const carriedOf = (protocol: string): 'connections' | 'packets' | undefined =>
  ({ TCP: 'connections', UDP: 'packets' } as const)[protocol as 'TCP']
