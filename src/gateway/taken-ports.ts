// Which of the ports that a model asks for other programs have: HAProxy would not start with them, or not load.
import { isFreePort } from '../host/free-port.ts'
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
    const unknown = [...wanted].filter(key => !this.own.has(key) && key !== keyOf(front))
    const taken = new Set<string>()
    for (const key of unknown) {
      const [address = '', port = ''] = key.split(':')
      if (!(await isFreePort(Number(port), address))) taken.add(key)
    }
    this.taken = taken
    return taken.size !== before.size || [...taken].some(key => !before.has(key))
  }

  /** These are HAProxy's by now. */
  have({ entrances }: GatewayModel): void {
    this.own = new Set(entrances.map(keyOf))
  }
}

const keyOf = ({ address, port }: Pick<Entrance, 'address' | 'port'>): string => `${address}:${port}`
