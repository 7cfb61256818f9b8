// Where a service is reached from this machine: its cluster address, which service rules in the kernel
// lead on to a pod. Webhooks and aggregated API servers are named this way.
// Source: staging/src/k8s.io/apiserver/pkg/util/proxy.
import { serviceUnavailable } from '../../api/api-error.ts'
import type { EndpointSlice, Service } from '../../api/generated/models.ts'
import { endpointSlices, services } from '../../api/resources.ts'
import { serviceNameLabel } from '../../api/endpoint-slice-labels.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'

export interface ServiceAddress {
  readonly host: string
  readonly port: number
}

/** @throws Error in the words of Kubernetes when there is no such service, or nobody behind it */
export type ServiceResolver = (namespace: string, name: string, port: number) => ServiceAddress

export function serviceResolver(storage: ObjectStorage): ServiceResolver {
  return (namespace, name, port) => {
    const service = storage.get(services, `${namespace}/${name}`)?.object as Service | undefined
    if (service === undefined) throw new Error(`service ${JSON.stringify(name)} not found`)
    const { type, clusterIP, externalName, ports = [] } = service.spec
    if (type === 'ExternalName') return { host: externalName ?? '', port }
    if (clusterIP === undefined || clusterIP === 'None') return firstEndpoint(storage, namespace, name, port)
    if (!ports.some(each => each.port === port))
      throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
    return { host: clusterIP, port }
  }
}

/** A headless service has no address of its own. */
function firstEndpoint(storage: ObjectStorage, namespace: string, name: string, port: number): ServiceAddress {
  for (const { object } of storage.cache(endpointSlices).list(namespace)) {
    const slice = object as EndpointSlice
    if (slice.metadata.labels?.[serviceNameLabel] !== name) continue
    const ready = slice.endpoints?.find(endpoint => endpoint.conditions?.ready !== false)
    if (ready?.addresses[0] !== undefined) return { host: ready.addresses[0], port: slice.ports?.[0]?.port ?? port }
  }
  throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`)
}
