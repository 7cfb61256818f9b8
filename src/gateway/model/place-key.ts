// A port of an address as a key: one that packets come in at is another than that of connections. Pure.
import type { CarriedConnections, Entrance } from './model.ts'

const packets = 'udp:'

/** `127.0.0.1:80`, `udp:127.0.0.1:53` */
export const placeKey = (
  { address, port }: Pick<Entrance, 'address' | 'port'>,
  carries: CarriedConnections | undefined,
): string => `${carries === 'packets' ? packets : ''}${address}:${port}`

export const placeOf = (key: string): Pick<Entrance, 'address' | 'port'> & { readonly isOfPackets: boolean } => {
  const isOfPackets = key.startsWith(packets)
  const [address = '', port = ''] = (isOfPackets ? key.slice(packets.length) : key).split(':')
  return { address, port: Number(port), isOfPackets }
}
