// Backends out of services and their endpoints. Pure.
import { createHash } from 'node:crypto'
import type { Service } from '../../api/generated/models.ts'
import { portEndpoints } from '../../api/service-endpoints.ts'
import { canonicalJson } from '../../lib/stable-hash.ts'
import type { Balancing } from './balancing.ts'
import type { Backend, BackendProtocol, BackendTls, Handling, Server, ServicePort } from './model.ts'
import type { Observed } from './observed.ts'

/** A backend before anybody looked who serves it. */
export type WantedBackend = Omit<Backend, 'servers' | 'tls' | 'balancing'>

/** @param found the service, where it is there @param protocol that the route asks for, whatever the service says */
export function wantedBackend(
  service: ServicePort,
  found: Service | undefined,
  { handling = {}, protocol, clientCertificate }: SpokenTo = {},
): WantedBackend {
  const spoken = protocol ?? protocolOf(found, service.port)
  return {
    id: backendId(service, spoken, handling, clientCertificate),
    service,
    handling,
    protocol: spoken,
    ...(clientCertificate !== undefined && { clientCertificate }),
  }
}

interface SpokenTo {
  readonly handling?: Handling
  readonly protocol?: BackendProtocol
  /** Id of the one that the service is shown. */
  readonly clientCertificate?: string
}

/** Answers by itself. */
export const answeringBackend = (handling: Handling): WantedBackend => ({
  id: `answer.${hashOf(handling)}`,
  handling,
  protocol: 'http',
})

/** As it stands in configurations, it has no characters that mean something there. */
function backendId(
  { namespace, name, port }: ServicePort,
  protocol: BackendProtocol,
  handling: Handling,
  clientCertificate: string | undefined,
): string {
  const own = {
    ...(clientCertificate !== undefined && { clientCertificate }),
    ...(protocol !== 'http' && { protocol }),
    ...(Object.values(handling).some(value => value !== undefined) && { handling }),
  }
  const plain = `${namespace}.${name}.${port}`
  return Object.keys(own).length === 0 ? plain : `${plain}.${hashOf(own)}`
}

/** A name for a value that nobody finds another value for, to be taken for somebody else's. */
export const hashOf = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32)

/** Source: Kubernetes, standard application protocols (KEP-3726). */
const protocolOf = (service: Service | undefined, port: number | string): BackendProtocol =>
  servicePort(service, port)?.appProtocol === 'kubernetes.io/h2c' ? 'h2' : 'http'

/** What policies say of a service, whatever leads to it. */
export interface ServicePolicies {
  /** How it is spoken to by TLS; `refused`: it is not to be spoken to at all. */
  readonly tlsOf: (service: ServicePort) => BackendTls | 'refused' | undefined
  readonly balancingOf: (service: ServicePort) => Balancing | undefined
}

export function backendsOf(
  wanted: readonly WantedBackend[],
  observed: Observed,
  { tlsOf, balancingOf }: ServicePolicies,
): ReadonlyMap<string, Backend> {
  const byId = new Map(wanted.map(backend => [backend.id, backend]))
  return new Map(
    [...byId.values()]
      .toSorted((left, right) => (left.id < right.id ? -1 : Number(left.id > right.id)))
      .map(backend => {
        const isCarried = backend.protocol === 'tcp' || backend.protocol === 'udp'
        const tls = backend.service === undefined || isCarried ? undefined : tlsOf(backend.service)
        const balancing = backend.service && balancingOf(backend.service)
        const servers = tls === 'refused' ? [] : serversOf(backend, observed)
        return [
          backend.id,
          {
            ...backend,
            ...(tls !== undefined && tls !== 'refused' && { tls }),
            ...(balancing !== undefined && { balancing }),
            servers,
          },
        ]
      }),
  )
}

function serversOf(
  { service: target, protocol }: Pick<Backend, 'service' | 'protocol'>,
  observed: Observed,
): readonly Server[] {
  if (target === undefined) return []
  const { namespace, name } = target
  const port = servicePort(observed.service(namespace, name), target.port, protocol)
  if (port === undefined) return []
  const { backends, serving } = portEndpoints(port, observed.slices(namespace, name))
  const keys = new Set(backends.map(({ address, port: at }) => `${address}:${at}`))
  return [
    ...backends.map(backend => ({ ...backend, draining: false })),
    ...serving
      .filter(({ address, port: at }) => !keys.has(`${address}:${at}`))
      .map(each => ({ ...each, draining: true })),
  ]
}

/** Services may have one number twice: for packets, and for connections. */
export const servicePort = (
  service: Service | undefined,
  number: number | string,
  spoken?: BackendProtocol,
): NonNullable<Service['spec']['ports']>[number] | undefined =>
  service?.spec.ports?.find(({ port, protocol }) => port === number && (protocol === 'UDP') === (spoken === 'udp'))
