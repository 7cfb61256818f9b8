// Packets that the gateway leads as rules of the cluster's table, and how they are known again when the server is started
// anew: what is led goes on before the gateway has seen the cluster.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PacketEntrance } from '../gateway/packets.ts'
import type { PortRule } from '../network/service-rules.ts'
import type { ClusterPlaces } from './data-directory.ts'

const fileOf = ({ data }: Pick<ClusterPlaces, 'data'>): string => join(data, 'gateway-packets.json')

export const packetRules = (entrances: readonly PacketEntrance[]): readonly PortRule[] =>
  entrances.map(({ address, port, targets, serving, isByAddress, sources }) => ({
    chain: `gateway/${address}/udp/${port}`,
    protocol: 'udp',
    addresses: [address],
    port,
    nodePort: undefined,
    backends: targets.map(target => ({ address: target.address, port: target.port })),
    places: targets.map(({ places }) => places),
    serving,
    sticky: isByAddress,
    ...(sources && { sources }),
  }))

export function rememberPackets(places: Pick<ClusterPlaces, 'data'>, entrances: readonly PacketEntrance[]): void {
  writeFileSync(fileOf(places), JSON.stringify(entrances), { mode: 0o600 })
}

export function rememberedPackets(places: Pick<ClusterPlaces, 'data'>): readonly PacketEntrance[] {
  const file = fileOf(places)
  if (!existsSync(file)) return []
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as readonly PacketEntrance[]
  } catch {
    // Written halfway: the gateway knows it anew.
    return []
  }
}
