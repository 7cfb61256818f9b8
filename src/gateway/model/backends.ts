// Backends out of services and their endpoints. Pure.
import type { Service } from '../../api/generated/models.ts'
import { portEndpoints } from '../../api/service-endpoints.ts'
import type { Backend, Rule, Server } from './model.ts'
import type { Observed } from './observed.ts'

/** Of a port of a service, by its number where that is known; as it stands in configurations, it has no characters that mean something there. */
export const backendId = (namespace: string, service: string, port: number | string): string =>
  `${namespace}.${service}.${port}`

/** @param rules which lead there */
export function backendsOf(rules: readonly Rule[], observed: Observed): ReadonlyMap<string, Backend> {
  const ids = new Set(rules.flatMap(({ action }) => action.shares.flatMap(({ backend }) => backend ?? [])))
  return new Map([...ids].toSorted().map(id => [id, { id, servers: serversOf(id, observed) }]))
}

function serversOf(id: string, observed: Observed): readonly Server[] {
  const [namespace = '', name = '', number = ''] = id.split('.')
  const service = observed.service(namespace, name)
  const port = servicePort(service, Number(number))
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

const servicePort = (
  service: Service | undefined,
  number: number,
): NonNullable<Service['spec']['ports']>[number] | undefined => service?.spec.ports?.find(({ port }) => port === number)
