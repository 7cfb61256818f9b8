// Ports of the machine that a pod asks for.
import type { PodSpec } from './generated/models.ts'

export interface HostPort {
  readonly port: number
  readonly protocol: string
  /** `0.0.0.0` for all addresses. */
  readonly address: string
}

/** Those of what runs all the time: containers and sidecars. */
export function hostPortsOf(spec: PodSpec): HostPort[] {
  return [...spec.containers, ...(spec.initContainers ?? []).filter(container => container.restartPolicy === 'Always')]
    .flatMap(container => container.ports ?? [])
    .filter(port => port.hostPort !== undefined && port.hostPort > 0)
    .map(port => ({ port: port.hostPort!, protocol: port.protocol ?? 'TCP', address: port.hostIP || '0.0.0.0' }))
}

export function isPortTaken(wanted: HostPort, taken: Iterable<HostPort>): boolean {
  for (const port of taken) {
    if (
      port.port === wanted.port &&
      port.protocol === wanted.protocol &&
      (port.address === wanted.address || port.address === '0.0.0.0' || wanted.address === '0.0.0.0')
    )
      return true
  }
  return false
}
