// Which port is meant where none is named.
import type { Written } from './written.ts'

/** Those that speak TCP, in the order in which they are written: what health checks and routes can lead to. */
export const tcpPorts = ({ ports = {} }: Written): string[] =>
  Object.entries(ports)
    .filter(([, { protocol }]) => protocol !== 'UDP')
    .map(([name]) => name)

export const healthPort = (written: Written): string | undefined => written.health?.port ?? tcpPorts(written)[0]

export function routePort(written: Written, named: string | undefined): string | undefined {
  const ports = tcpPorts(written)
  return named ?? (ports.includes('http') ? 'http' : ports[0])
}
