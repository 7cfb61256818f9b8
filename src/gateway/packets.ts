// Where packets of UDP come in, and what becomes of them, for the kernel: HAProxy has nothing to do with them. All packets of
// one sender go where its first one went. Pure.
import type { EndpointAddress } from '../api/service-endpoints.ts'
import { parseAddress } from '../lib/ipv4.ts'
import { placesOf } from './haproxy/shares.ts'
import type { Backend, Entrance, GatewayModel, Share } from './model/model.ts'
import type { Policing } from './model/policing.ts'

export interface PacketEntrance {
  readonly address: string
  readonly port: number
  /** None: whoever sends is told that nobody is here. */
  readonly targets: readonly PacketTarget[]
  /** Who may go on with what was begun. */
  readonly serving: readonly EndpointAddress[]
  /** All that one address sends goes to one of them. */
  readonly isByAddress: boolean
  /** Ranges of IPv4; undefined: everybody may send. */
  readonly sources?: {
    /** Of each of these lists, a sender has to be in one. */
    readonly allow: readonly (readonly string[])[]
    readonly deny: readonly string[]
  }
}

export interface PacketTarget extends EndpointAddress {
  /** Of a thousand; what is left of those leads nowhere. */
  readonly places: number
}

const allPlaces = 1000

export const packetEntrances = ({ entrances, backends }: GatewayModel): readonly PacketEntrance[] =>
  entrances.filter(({ carries }) => carries === 'packets').map(entrance => packetEntrance(entrance, backends))

function packetEntrance(
  { address, port, hosts, sources }: Entrance,
  backends: ReadonlyMap<string, Backend>,
): PacketEntrance {
  const shares = hosts.flatMap(({ rules }) => rules)[0]?.action.shares ?? []
  const led = shares.flatMap(({ backend }) => (backend === undefined ? [] : (backends.get(backend) ?? [])))
  const policies = led.flatMap(({ handling }) => handling.policies ?? [])
  const allow = [sources, ...policies.map(({ addresses }) => addresses?.allow)].flatMap(ranges =>
    ranges === undefined ? [] : [ranges.filter(isOfVersion4)],
  )
  const deny = policies.flatMap(({ addresses }) => addresses?.deny ?? []).filter(isOfVersion4)
  const targets = targetsOf(shares, backends)
  return {
    address,
    port,
    targets,
    serving: targets.length === 0 ? [] : led.flatMap(({ servers }) => servers.map(addressOf)),
    isByAddress: led.length > 0 && led.every(({ balancing }) => isByAddress(balancing?.choice)),
    ...(allow.length + deny.length > 0 && { sources: { allow, deny } }),
  }
}

const addressOf = ({ address, port }: EndpointAddress): EndpointAddress => ({ address, port })

/** Of services by weight, and of each service's instances the same; what is for one without any is for nobody. */
function targetsOf(shares: readonly Share[], backends: ReadonlyMap<string, Backend>): readonly PacketTarget[] {
  const counts = placesOf(shares, allPlaces)
  return shares.flatMap(({ backend: id }, index) => {
    const backend = id === undefined ? undefined : backends.get(id)
    if (backend === undefined || (backend.handling.policies ?? []).some(asksForMore)) return []
    const fresh = backend.servers.filter(({ draining }) => !draining)
    const places = placesOf(
      fresh.map(() => ({ backend: id, weight: 1 })),
      counts[index]!,
    )
    return fresh
      .map((server, at) => ({ ...addressOf(server), places: places[at]! }))
      .filter(target => target.places > 0)
  })
}

/** Than packets have. */
const asksForMore = ({ isClosed, identity, maintenance }: Policing): boolean =>
  isClosed === true || identity !== undefined || maintenance !== undefined

const isByAddress = (choice: NonNullable<Backend['balancing']>['choice'] | undefined): boolean =>
  typeof choice === 'object' && choice.by === 'address'

const isOfVersion4 = (range: string): boolean => parseAddress(range.split('/')[0]!) !== undefined
