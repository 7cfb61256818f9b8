// Where the rule of a route leads: services by weight, and what is wrong with those that it names. Pure.
// Source: Gateway API, BackendRef.
import { gatewayGroup } from '../../api/gateway-names.ts'
import type { BackendObjectReference, BackendReference } from '../../api/gateway-api/types.ts'
import { servicePort, wantedBackend, type WantedBackend } from './backends.ts'
import { fails, type Finding } from './findings.ts'
import { isGranted } from './grants.ts'
import type { BackendProtocol, Handling, Share } from './model.ts'
import type { Observed, Policed } from './observed.ts'

/** Whose reference it is. */
export interface ReferringRoute {
  readonly kind: string
  readonly namespace: string
  /** That its requests need, whatever the service says. */
  readonly protocol?: BackendProtocol
  /** Id of the certificate that its services are shown. */
  readonly clientCertificate?: string
}

export interface Led {
  readonly shares: readonly Share[]
  readonly backends: readonly WantedBackend[]
  readonly findings: readonly Finding[]
}

/** @param handlingOf what is done with requests to each */
export function ledTo<Reference extends BackendReference>(
  references: readonly Reference[],
  route: ReferringRoute,
  handlingOf: (reference: Reference) => Handling,
  observed: Policed,
): Led {
  const found = references.map(reference => ({
    weight: reference.weight,
    target: backendOf(
      reference,
      route,
      policedService(handlingOf(reference), reference, route.namespace, observed),
      observed,
    ),
  }))
  return {
    shares: found.map(({ weight, target }) => ({ backend: target.backend?.id, weight })),
    backends: found.flatMap(({ target }) => target.backend ?? []),
    findings: found.flatMap(({ target }) => target.finding ?? []),
  }
}

/** With what the policies of the service itself ask for, after all others. */
export function policedService(
  handling: Handling,
  { name, namespace }: Pick<BackendObjectReference, 'name' | 'namespace'>,
  usualNamespace: string,
  { policies }: Policed,
): Handling {
  const own = policies.of([{ kind: 'Service', namespace: namespace ?? usualNamespace, name }])
  // One that is for several of them is heeded once.
  return own.length === 0 ? handling : { ...handling, policies: [...new Set([...(handling.policies ?? []), ...own])] }
}

export interface Referred {
  /** undefined: nothing may be led there. */
  readonly backend?: WantedBackend
  readonly finding?: Finding
}

export function backendOf(
  { group, kind, name, namespace, port }: BackendObjectReference,
  route: ReferringRoute,
  handling: Handling,
  observed: Observed,
): Referred {
  const refused = (reason: string, message: string): Referred => ({ finding: fails('ResolvedRefs', reason, message) })
  const place = namespace ?? route.namespace
  if (group !== '' || kind !== 'Service')
    return refused('InvalidKind', `expected a Service, found the ${kind} "${name}" of the group "${group}"`)
  if (
    !isGranted(
      observed.referenceGrants,
      { group: gatewayGroup, kind: route.kind, namespace: route.namespace },
      { group, kind, namespace: place, name },
    )
  )
    return refused(
      'RefNotPermitted',
      `the Service "${name}" is in the namespace ${place}, where no ReferenceGrant lets ${route.kind}s of ${route.namespace} refer to it`,
    )
  const service = observed.service(place, name)
  if (service === undefined)
    return refused('BackendNotFound', `there is no service "${name}" in the namespace ${place}`)
  if (service.spec.type === 'ExternalName')
    return refused(
      'BackendNotFound',
      `the service "${name}" is a name of another host (ExternalName), which nothing is led to`,
    )
  if (port === undefined || servicePort(service, port, route.protocol) === undefined)
    return refused(
      'BackendNotFound',
      `the service "${name}" has no ${route.protocol === 'udp' ? 'port of UDP' : 'port'} ${port ?? ''}; it has ${(service.spec.ports ?? []).map(portText).join(', ')}`,
    )
  return {
    backend: wantedBackend({ namespace: place, name, port }, service, {
      handling,
      ...(route.protocol !== undefined && { protocol: route.protocol }),
      ...(route.clientCertificate !== undefined && { clientCertificate: route.clientCertificate }),
    }),
  }
}

const portText = ({ port, protocol = 'TCP' }: { readonly port: number; readonly protocol?: string }): string =>
  protocol === 'TCP' ? String(port) : `${port} (${protocol})`
