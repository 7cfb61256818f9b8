// Which of the ports that a model asks for other programs have: HAProxy would not start with them, or not load, and packets would be taken from whoever has the port.
import { isFreePacketPort, isFreePort } from '../host/free-port.ts'
import { placeKey, placeOf } from './model/place-key.ts'
import type { Front } from './model/gateway-addresses.ts'
import type { Entrance, GatewayModel } from './model/model.ts'

export class TakenPorts {
  /** `127.0.0.1:80` */
  taken: ReadonlySet<string> = new Set()
  private own: ReadonlySet<string>

  /** @param own that HAProxy has from the start */
  constructor(own: ReadonlySet<string>) {
    this.own = own
  }

  /** Looks at those that are not ours yet. The port of the front has its own way of being told. @returns whether others are taken now */
  async look({ entrances }: GatewayModel, front: Front): Promise<boolean> {
    const before = this.taken
    const wanted = new Set([...entrances.map(keyOf), ...this.taken])
    const unknown = [...wanted].filter(key => !this.own.has(key) && key !== placeKey(front, undefined))
    const taken = new Set<string>()
    for (const key of unknown) {
      const { address, port, isOfPackets } = placeOf(key)
      if (!(await (isOfPackets ? isFreePacketPort : isFreePort)(port, address))) taken.add(key)
    }
    this.taken = taken
    return taken.size !== before.size || [...taken].some(key => !before.has(key))
  }

  /** These are ours by now. */
  have({ entrances }: GatewayModel): void {
    this.own = new Set(entrances.map(keyOf))
  }
}

const keyOf = ({ carries, ...place }: Pick<Entrance, 'address' | 'port' | 'carries'>): string =>
  placeKey(place, carries)
