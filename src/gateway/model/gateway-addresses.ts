// At which addresses of this machine a Gateway is reached: those that it asks for, or one of its own, which it keeps, and
// the front as everything that asks for nothing. Pure.
import type { KubeObject } from '../../api/object.ts'
import type { Gateway } from '../../api/gateway-api/types.ts'
import { fails, type Finding } from './findings.ts'
import type { ObservedMachine } from './observed.ts'

export interface Front {
  /** That requests come to which ask for nothing else: `127.0.0.1`. */
  readonly address: string
  /** That plain requests come to, 80 where that was free. */
  readonly port: number
  /** Where TLS ends, 443 where that was free; undefined: nowhere. */
  readonly securePort?: number
  /** Gateways get theirs out of these. */
  readonly ownAddresses: readonly string[]
}

export interface GatewayAddresses {
  /** As its status tells them. */
  readonly told: readonly string[]
  /** Those, and the front where it asked for none. */
  readonly served: readonly string[]
  readonly findings: readonly Finding[]
}

/** @param given the address of each that asks for none in particular */
export const gatewayAddresses = (
  gateway: Gateway,
  given: ReadonlyMap<KubeObject, string>,
  front: Front,
  machine: ObservedMachine,
): GatewayAddresses => {
  if (!asksForAny(gateway)) return wantedAddresses(gateway, front, machine)
  const own = given.get(gateway)
  return own === undefined ? noneLeft(front) : { told: [own], served: [own, front.address], findings: [] }
}

/** An address without a value asks for any. */
export const asksForAny = ({ spec: { addresses = [] } }: Gateway): boolean =>
  addresses.every(({ type, value }) => type === 'IPAddress' && value === undefined)

function wantedAddresses({ spec }: Gateway, front: Front, machine: ObservedMachine): GatewayAddresses {
  const { addresses = [] } = spec
  const odd = addresses.find(({ type }) => type !== 'IPAddress')
  if (odd !== undefined)
    return {
      told: [],
      served: [],
      findings: [
        fails('Accepted', 'UnsupportedAddress', `expected addresses of the type IPAddress, found ${odd.type}`),
      ],
    }
  const values = addresses.flatMap(({ value }) => value ?? [])
  const usable = values.filter(value => isUsable(value, front, machine))
  const others = values.filter(value => !usable.includes(value))
  return {
    told: usable,
    served: usable,
    findings: others.map(value =>
      fails(
        'Programmed',
        'AddressNotUsable',
        `${value} is no address of this machine, which has ${[front.address, ...machine.addresses].join(', ')}`,
      ),
    ),
  }
}

const isUsable = (value: string, front: Front, { addresses }: ObservedMachine): boolean =>
  value === front.address || /^127(\.\d{1,3}){3}$/.test(value) || addresses.has(value)

const noneLeft = ({ ownAddresses }: Front): GatewayAddresses => ({
  told: [],
  served: [],
  findings: [
    fails(
      'Programmed',
      'AddressNotAssigned',
      `all ${ownAddresses.length} addresses of gateways and services are given away; delete one, or name one in spec.addresses`,
    ),
  ],
})
