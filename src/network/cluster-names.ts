// Answers questions about names of the cluster, from Services, EndpointSlices and Pods. Pure look-ups over
// informers; the DNS server around it knows packets. Schema: kubernetes/dns specification 1.1.
import type { EndpointSlice, Service } from '../api/generated/models.ts'
import { endpointSlices, services } from '../api/resources.ts'
import { serviceKeys, serviceNameLabel } from '../api/endpoint-slice-labels.ts'
import type { Client } from '../client/client.ts'

export type DnsRecord =
  | { readonly type: 'A'; readonly name: string; readonly address: string }
  | { readonly type: 'SRV'; readonly name: string; readonly target: string; readonly port: number }
  | { readonly type: 'CNAME'; readonly name: string; readonly target: string }
  | { readonly type: 'PTR'; readonly name: string; readonly target: string }
  | { readonly type: 'TXT'; readonly name: string; readonly text: string }

export type Resolution =
  | { readonly kind: 'found'; readonly records: readonly DnsRecord[] }
  /** The name exists, but has no record of that type; or it does not exist. */
  | { readonly kind: 'absent'; readonly nameExists: boolean }
  /** Not a name of this cluster. */
  | { readonly kind: 'foreign' }

const absent = (nameExists: boolean): Resolution => ({ kind: 'absent', nameExists })
const found = (records: readonly DnsRecord[]): Resolution =>
  records.length > 0 ? { kind: 'found', records } : absent(true)
const dashed = (address: string): string => address.replaceAll('.', '-')

export class ClusterNames {
  private readonly domain: readonly string[]
  private readonly service: (namespace: string, name: string) => Service | undefined
  private readonly slices: (key: string) => readonly EndpointSlice[]
  private readonly servicesAt: (address: string) => readonly Service[]
  private readonly slicesAt: (address: string) => readonly EndpointSlice[]

  constructor(client: Client, domain: string) {
    const serviceInformer = client.informer(services)
    const sliceInformer = client.informer(endpointSlices)
    this.domain = domain.split('.')
    this.service = (namespace, name) => serviceInformer.get({ namespace, name })
    this.slices = sliceInformer.index('service', serviceKeys)
    this.servicesAt = serviceInformer.index('address', ({ spec }) =>
      spec.clusterIP && spec.clusterIP !== 'None' ? [spec.clusterIP] : [],
    )
    this.slicesAt = sliceInformer.index('address', ({ endpoints }) =>
      (endpoints ?? []).flatMap(({ addresses }) => addresses),
    )
  }

  /** @param name in lower case without the final dot; @param type of the question, `A`, `SRV`, ... */
  resolve(name: string, type: string): Resolution {
    if (name.endsWith('.in-addr.arpa')) return this.reverse(name, type)
    const labels = name.split('.')
    const inDomain =
      labels.length >= this.domain.length &&
      this.domain.every((label, index) => labels[labels.length - this.domain.length + index] === label)
    if (!inDomain) return { kind: 'foreign' }
    const inside = labels.slice(0, labels.length - this.domain.length)
    if (name === ['dns-version', ...this.domain].join('.'))
      return type === 'TXT' ? found([{ type: 'TXT', name, text: '1.1.0' }]) : absent(true)
    const kind = inside.at(-1)
    if (kind === 'svc') return this.serviceName(name, inside.slice(0, -1), type)
    if (kind === 'pod') return podName(name, inside.slice(0, -1), type)
    return absent(inside.length === 0)
  }

  private serviceName(name: string, labels: readonly string[], type: string): Resolution {
    const [serviceLabel, namespace] = labels.slice(-2)
    if (namespace === undefined || serviceLabel === undefined) return absent(labels.length <= 1)
    const service = this.service(namespace, serviceLabel)
    if (service === undefined) return absent(false)
    const rest = labels.slice(0, -2)
    if (service.spec.type === 'ExternalName')
      return rest.length === 0
        ? found([{ type: 'CNAME', name, target: service.spec.externalName ?? '' }])
        : absent(false)
    if (rest.length === 0) return this.wholeService(name, service, type)
    if (rest.length === 1) return this.endpoint(name, service, rest[0]!, type)
    if (rest.length === 2 && rest[0]!.startsWith('_') && rest[1]!.startsWith('_'))
      return this.port(name, service, rest[0]!.slice(1), rest[1]!.slice(1), type)
    return absent(false)
  }

  private wholeService(name: string, service: Service, type: string): Resolution {
    if (type === 'SRV')
      return found(
        (service.spec.ports ?? []).flatMap(port =>
          this.portRecords(name, service, port.name ?? '', port.protocol ?? 'TCP'),
        ),
      )
    if (type !== 'A') return absent(true)
    if (service.spec.clusterIP !== 'None') return found([{ type: 'A', name, address: service.spec.clusterIP ?? '' }])
    return found(this.endpoints(service).map(({ address }) => ({ type: 'A' as const, name, address })))
  }

  private endpoint(name: string, service: Service, label: string, type: string): Resolution {
    if (service.spec.clusterIP !== 'None') return absent(false)
    const matching = this.endpoints(service).filter(endpoint => endpoint.label === label)
    if (matching.length === 0) return absent(false)
    return type === 'A' ? found(matching.map(({ address }) => ({ type: 'A' as const, name, address }))) : absent(true)
  }

  private port(name: string, service: Service, portName: string, protocol: string, type: string): Resolution {
    const port = service.spec.ports?.find(
      candidate => candidate.name === portName && (candidate.protocol ?? 'TCP').toLowerCase() === protocol,
    )
    if (port === undefined) return absent(false)
    return type === 'SRV' ? found(this.portRecords(name, service, portName, port.protocol ?? 'TCP')) : absent(true)
  }

  private portRecords(name: string, service: Service, portName: string, protocol: string): DnsRecord[] {
    const base = [service.metadata.name, service.metadata.namespace, 'svc', ...this.domain].join('.')
    if (service.spec.clusterIP !== 'None') {
      const port = service.spec.ports?.find(
        candidate => (candidate.name ?? '') === portName && (candidate.protocol ?? 'TCP') === protocol,
      )
      return port === undefined ? [] : [{ type: 'SRV', name, target: base, port: port.port }]
    }
    return this.endpoints(service).flatMap(({ label, ports }) => {
      const port = ports.find(
        candidate => (candidate.name ?? '') === portName && (candidate.protocol ?? 'TCP') === protocol,
      )
      return port?.port === undefined
        ? []
        : [{ type: 'SRV' as const, name, target: `${label}.${base}`, port: port.port }]
    })
  }

  /** Addresses that a headless service stands for, each with its first label. */
  private endpoints(
    service: Service,
  ): { address: string; label: string; ports: NonNullable<EndpointSlice['ports']> }[] {
    const ready = this.slices(`${service.metadata.namespace}/${service.metadata.name}`).filter(
      slice => slice.addressType === 'IPv4',
    )
    return ready.flatMap(slice =>
      (slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false || service.spec.publishNotReadyAddresses === true)
        .flatMap(({ addresses, hostname }) =>
          addresses.map(address => ({ address, label: hostname ?? dashed(address), ports: slice.ports ?? [] })),
        ),
    )
  }

  private reverse(name: string, type: string): Resolution {
    const address = name.slice(0, -'.in-addr.arpa'.length).split('.').toReversed().join('.')
    const targets = [
      ...this.servicesAt(address).map(({ metadata }) =>
        [metadata.name, metadata.namespace, 'svc', ...this.domain].join('.'),
      ),
      ...this.slicesAt(address).flatMap(slice => this.reverseEndpoint(slice, address)),
    ]
    if (targets.length === 0) return { kind: 'foreign' }
    return type === 'PTR'
      ? found([...new Set(targets)].map(target => ({ type: 'PTR' as const, name, target })))
      : absent(true)
  }

  private reverseEndpoint(slice: EndpointSlice, address: string): string[] {
    const serviceName = slice.metadata.labels?.[serviceNameLabel]
    const service = serviceName === undefined ? undefined : this.service(slice.metadata.namespace ?? '', serviceName)
    if (service?.spec.clusterIP !== 'None') return []
    const endpoint = slice.endpoints?.find(({ addresses }) => addresses.includes(address))
    return [
      [endpoint?.hostname ?? dashed(address), serviceName, slice.metadata.namespace, 'svc', ...this.domain].join('.'),
    ]
  }
}

/** `10-42-0-7.default.pod.cluster.local` says its own address. */
function podName(name: string, labels: readonly string[], type: string): Resolution {
  if (labels.length !== 2) return absent(labels.length < 2)
  const address = labels[0]!.replaceAll('-', '.')
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return absent(false)
  return type === 'A' ? found([{ type: 'A', name, address }]) : absent(true)
}
