// The variables by which a container finds services without DNS: `WEB_SERVICE_HOST`, `WEB_PORT`, ...
// Source: kubernetes pkg/kubelet/envvars.
import type { Service } from '../api/generated/models.ts'

export interface EnvironmentVariable {
  readonly name: string
  readonly value: string
}

const variableName = (name: string): string => name.toUpperCase().replaceAll(/[-.]/g, '_')

const hasAddress = (service: Service): boolean =>
  service.spec.clusterIP !== undefined &&
  service.spec.clusterIP !== '' &&
  service.spec.clusterIP !== 'None' &&
  service.spec.type !== 'ExternalName'

/** The services a pod sees: those of its namespace when it wants them, and `kubernetes` in any case. */
export function visibleServices(services: readonly Service[], namespace: string, links: boolean): Service[] {
  const isMaster = (service: Service): boolean =>
    service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes'
  const own = services.filter(
    service => hasAddress(service) && service.metadata.namespace === namespace && (links || isMaster(service)),
  )
  const master = services.filter(
    service => hasAddress(service) && isMaster(service) && !own.some(other => other.metadata.name === 'kubernetes'),
  )
  return [...own, ...master].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}

export function serviceEnvironment(services: readonly Service[]): EnvironmentVariable[] {
  return services.flatMap(variablesOf)
}

function variablesOf(service: Service): EnvironmentVariable[] {
  const prefix = variableName(service.metadata.name)
  const address = service.spec.clusterIP!
  const ports = service.spec.ports ?? []
  const first = ports[0]
  if (first === undefined) return []
  const variables = [
    { name: `${prefix}_SERVICE_HOST`, value: address },
    { name: `${prefix}_SERVICE_PORT`, value: String(first.port) },
    ...ports
      .filter(port => (port.name ?? '') !== '')
      .map(port => ({ name: `${prefix}_SERVICE_PORT_${variableName(port.name!)}`, value: String(port.port) })),
    {
      name: `${prefix}_PORT`,
      value: `${(first.protocol ?? 'TCP').toLowerCase()}://${joinHost(address)}:${first.port}`,
    },
  ]
  const links = ports.flatMap(port => {
    const protocol = (port.protocol ?? 'TCP').toLowerCase()
    const head = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`
    return [
      { name: head, value: `${protocol}://${joinHost(address)}:${port.port}` },
      { name: `${head}_PROTO`, value: protocol },
      { name: `${head}_PORT`, value: String(port.port) },
      { name: `${head}_ADDR`, value: address },
    ]
  })
  return [...variables, ...links]
}

const joinHost = (address: string): string => (address.includes(':') ? `[${address}]` : address)
